"""What a homeserver's refusals mean to us: every errcode ends in one of our three errors.

Source: Matrix client-server API, "Standard error response" and "Rate limiting".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from bot.errors import MosaicError, SetupError, TransientError, UserError

NOT_FOUND = "M_NOT_FOUND"
FORBIDDEN = "M_FORBIDDEN"
REPEATED_REACTION = "M_DUPLICATE_ANNOTATION"
INTERACTIVE = "interactive_auth"
"""Our code for an answer that asks for more (client-server API, "User-interactive authentication")."""
NO_ROOT = "Cannot start threads from an event with a relation"
"""What Synapse says below an event that has a relation itself; there is no code of its own for it."""

_ACCOUNT_CODES = frozenset(
    {"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED", "M_USER_LOCKED"}
)
_BUSY_CODES = frozenset({"M_LIMIT_EXCEEDED", "M_RESOURCE_LIMIT_EXCEEDED"})
_LONGEST_WORD = 300
_LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is no success.

    ``wait`` is the server's own word on when to come back, ``soft`` that it keeps the device though it ended the token.
    """

    status: int
    code: str
    text: str
    wait: timedelta | None = None
    soft: bool = False


def read_refusal(status: int, headers: Mapping[str, str], body: object) -> Refusal:
    """Return what an answer says; a body that is not Matrix (a proxy's page) is no obstacle."""
    told: Mapping[str, Any] = body if isinstance(body, dict) else {}
    code = INTERACTIVE if isinstance(told.get("flows"), list) else told.get("errcode")
    text = told.get("error")
    return Refusal(
        status=status,
        code=code if isinstance(code, str) else "",
        text=text[:_LONGEST_WORD] if isinstance(text, str) else "",
        wait=_longer(_from_milliseconds(told.get("retry_after_ms")), _from_header(headers)),
        soft=told.get("soft_logout") is True,
    )


def translate(refusal: Refusal, doing: str) -> MosaicError:
    """Return the error that a refusal means; a UserError's code is the homeserver's errcode."""
    said = " ".join(part for part in (refusal.code, refusal.text) if part) or "no reason given"
    message = f"{doing}: the homeserver answered {refusal.status} ({said})"
    if refusal.status == 429 or refusal.code in _BUSY_CODES:
        return TransientError(message, retry_after=refusal.wait)
    if refusal.code in _ACCOUNT_CODES or (refusal.status == 401 and refusal.code != INTERACTIVE):
        hint = "check MATRIX_ACCESS_TOKEN and the bot's account"
        if refusal.soft:
            hint = "log the same device in again, and give its new token as MATRIX_ACCESS_TOKEN"
        return SetupError(message, hint=hint)
    if refusal.status >= 500 or refusal.status in {408, 425} or refusal.status < 400:
        return TransientError(message, retry_after=refusal.wait)
    return UserError(message, code=refusal.code or None)


def _from_milliseconds(value: object) -> timedelta | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        return None
    return timedelta(milliseconds=min(value, _LONGEST_WAIT / timedelta(milliseconds=1)))


def _from_header(headers: Mapping[str, str]) -> timedelta | None:
    """Read Retry-After, seconds or a date (RFC 9110, section 10.2.3).

    A date counts from the answer's own Date: the server's clock may be far from ours.
    """
    given = headers.get("Retry-After", "").strip()
    if given.isascii() and given.isdigit():
        return min(timedelta(seconds=min(int(given[:9]), 86_400)), _LONGEST_WAIT)
    moment = _read_date(given)
    if moment is None:
        return None
    now = _read_date(headers.get("Date", "")) or datetime.now(UTC)
    return max(timedelta(), min(moment - now, _LONGEST_WAIT))


def _read_date(given: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(given)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _longer(first: timedelta | None, second: timedelta | None) -> timedelta | None:
    return max((wait for wait in (first, second) if wait is not None), default=None)
