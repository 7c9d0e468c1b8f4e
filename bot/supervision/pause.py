"""Pauses: who stopped the fleet, why and since when, and for whom it stands still."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from bot.model import Principal
from bot.reply import Offer, Text

SUPERVISOR = Principal("schedule:supervisor", "the supervisor")
"""Who hands out cards. What it says to an agent is work, and is not typed while a pause stands."""

PAUSE_OFFER = Offer("⏸", "pause", "stop handing out work", timedelta(days=1))
RESUME_OFFER = Offer("▶", "resume", "let everything go on", timedelta(days=1))
"""The two buttons: below whatever says how things stand."""

_NO_PEOPLE = frozenset({"agent", "schedule"})


@dataclass(frozen=True, slots=True)
class Pause:
    """The fleet stands still: no card is claimed for an agent, no work is typed, nothing is merged.

    ``by`` is the id of whoever made it (``file:HOST`` for a file), ``name`` is for people to read. With
    ``freeze`` nobody claims and nothing at all is typed. What is under way is finished in any case.
    """

    by: str
    reason: str | None
    since: datetime
    freeze: bool = False
    name: str = ""

    def forbids_typing(self, author: str) -> bool:
        """Whether mail of this author (a principal's id) may not be typed now."""
        return self.freeze or author == SUPERVISOR.id

    def sentence(self) -> str:
        """Return all of it in one line, such as ``Paused by Ann since 14:02 UTC (deploy); freeze``."""
        return f"P{self.notice()[1:]}"

    def notice(self) -> str:
        """Return the same as the part of a sentence."""
        said = f"paused by {self.name or self.by} since {_clock(self.since)}"
        if self.reason:
            said += f" ({self.reason})"
        return f"{said}; freeze" if self.freeze else said


class Pauses(Protocol):
    """The pauses of the whole installation, on every host the same. What stands is lifted by ``resume``."""

    async def current(self) -> Pause | None:
        """Return the strictest pause that stands: a freeze before the others, then the oldest."""
        ...

    async def pause(self, by: Principal, reason: str | None, *, freeze: bool) -> Pause:
        """Add a pause and return the strictest that stands then; the same one again changes nothing."""
        ...

    async def resume(self, by: Principal) -> Pause | None:
        """Lift all pauses, those of files too, and return the strictest of them; None when none stood."""
        ...

    async def mirror(self, host: str, stamp: str | None, reason: str | None) -> bool:
        """Say how a host's pause file is: ``stamp`` tells its writings apart, None is no file.

        True when somebody resumed since it was written: it must be removed. A file that is gone lifts what
        it said and nothing else.
        """
        ...


Standing = Callable[[], Awaitable[Pause | None]]
"""Asks which pause stands, for those who show it; it never fails."""


async def nobody_paused() -> Pause | None:
    """Return that no pause stands, where nobody can have made one."""
    return None


def pause_line(pause: Pause | None) -> tuple[Text, ...]:
    """Return the line with which every view of the fleet's work begins while a pause stands."""
    return () if pause is None else (Text(pause.sentence()),)


def pause_data(pause: Pause | None) -> dict[str, Any] | None:
    """Return a pause as ``mosaic status --json`` prints it (spec 3-contracts), null for none."""
    if pause is None:
        return None
    return {
        "by": pause.by,
        "name": pause.name or pause.by,
        "reason": pause.reason,
        "since": pause.since.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "freeze": pause.freeze,
    }


def heeds_pause(principal: Principal) -> bool:
    """Whether a pause is enough to stop somebody; a person is stopped by a freeze only."""
    return principal.platform in _NO_PEOPLE


def file_principal(host: str) -> Principal:
    """Return who stands for a host's pause file."""
    return Principal(f"file:{host}", f"the file PAUSED on {host}")


def _clock(at: datetime) -> str:
    """Return a time of today as people say it, an older one with its date."""
    at = at.astimezone(UTC)
    today = at.date() == datetime.now(UTC).date()
    return f"{at:%H:%M} UTC" if today else f"{at:%Y-%m-%d %H:%M} UTC"
