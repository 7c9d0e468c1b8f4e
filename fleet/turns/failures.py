"""What a program says of a turn that went wrong, as a kind and a line that people may read."""

import json
import re
from typing import Any

from bot.agents.failure import FailureKind, TurnFailure

_LIMIT = re.compile(
    r"rate.?limit|usage.?limit|usage_limit|session limit|weekly limit|quota|too many requests|\b429\b"
    r"|billing|credit balance|insufficient.{0,3}(?:credit|funds|balance)|resource.?exhausted",
    re.IGNORECASE,
)
_INTERRUPTED = frozenset({"interrupted", "aborted", "MessageAbortedError", "replaced"})
_KEY = re.compile(
    r"\bBearer [^\s\"',;]+|\b(?:sk|pk|rk|ghp|gho|xox[a-z]|AIza|key|token)[-_=:][^\s\"',;]{6,}",
    re.IGNORECASE,
)
_LONG_WORD = re.compile(r"[A-Za-z0-9_\-+/=.]{20,}")
_LONGEST = 300


def failure_of(code: str, detail: str) -> TurnFailure:
    """Return what ended a turn; ``code`` is the program's own word for it, ``detail`` its sentence or JSON."""
    if code in _INTERRUPTED:
        return TurnFailure(FailureKind.INTERRUPTED)
    line = readable(detail)
    limit = _LIMIT.search(code) or _LIMIT.search(detail)
    return TurnFailure(FailureKind.LIMIT if limit else FailureKind.ERROR, line or readable(code))


def readable(detail: str) -> str:
    """Return one line of at most 300 characters without anything that looks like a secret.

    An error's JSON is reduced to its message.
    """
    line = " ".join(_message(detail).split())
    line = _LONG_WORD.sub(_masked, _KEY.sub("…", line))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _masked(found: re.Match[str]) -> str:
    """Hide a long word that mixes digits and letters: a key or an id, and no word of a language."""
    word = found[0]
    mixed = any(c.isdigit() for c in word) and any(c.isalpha() for c in word)
    return "…" if mixed else word


def _message(detail: str) -> str:
    start = detail.find("{")
    if start < 0:
        return detail
    try:
        told: Any = json.loads(detail[start:])
    except ValueError:
        return detail
    while isinstance(told, dict):
        told = told.get("error") or told.get("message") or ""
    lead = detail[:start].strip()
    return f"{lead} {told}".strip() if isinstance(told, str) and told else lead
