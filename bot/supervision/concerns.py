"""Concerns: what people should know of and what lasts until it is put right."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Protocol

from bot.clock.moments import spoken_span
from bot.model import Letter

LONGEST = 4000
"""Characters of a text that are kept."""

_EVIDENCE = 300


class ConcernKind(StrEnum):
    """What sort of trouble it is. Others may name their own: a kind is a word, and this list is not closed."""

    DIALOG = "dialog"
    STUCK_CARD = "stuck card"
    EXPIRED_CLAIM = "expired claim"
    NO_PROGRESS = "no progress"
    CRASH_LOOP = "crash loop"
    FLOOR = "floor"
    BUDGET = "budget"
    DEAD_LETTER = "dead letter"
    INCIDENT = "incident"


@dataclass(frozen=True, slots=True)
class Concern:
    """One episode: from the moment it is raised until it is settled.

    ``subject`` is what it is about (a card, ``HOST:NAME`` of an agent); kind and subject together tell it
    from others that are open. ``text`` is the evidence, without ages: ``since`` says how old it is.
    ``told_at`` is when people were told last, None when never; ``again_at`` when they are to be told again.
    """

    id: int
    kind: str
    subject: str
    text: str
    urgent: bool
    since: datetime
    told_at: datetime | None = None
    again_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def untold_since(self) -> datetime:
        """Since when it waits to be told, or will."""
        return self.again_at or self.since


class Concerns(Protocol):
    """All concerns, shared by the daemons of every host; times are the database's."""

    async def raise_(self, kind: str, subject: str, text: str, *, urgent: bool = False) -> bool:
        """Begin an episode, or give the open one this text; return whether it began.

        A text is cut after ``LONGEST`` characters. One that becomes urgent is told once more; urgency is not lost
        until it is settled. Repeating it with the same text writes nothing.
        """
        ...

    async def settle(self, kind: str, subject: str) -> bool:
        """End the open episode; return whether there was one."""
        ...

    async def open(self) -> Sequence[Concern]:
        """Return every open concern, oldest first."""
        ...

    async def untold(self) -> Sequence[Concern]:
        """Return the open concerns that people must be told of, oldest first.

        Those that were never told, and those whose time to be told again has come.
        """
        ...

    async def tell(
        self,
        concerns: Sequence[Concern],
        letters: Sequence[Letter],
        again_after: timedelta | None = None,
    ) -> bool:
        """Store what is said of concerns, and that it is said, in one transaction.

        False, and nothing is stored, when one of them was told or settled since it was read: look again then.
        With ``again_after`` they are to be told once more when they are still open by then.
        """
        ...


def concern_line(concern: Concern, now: datetime, zone: tzinfo) -> str:
    """Return one concern in a line: what, since when, the evidence."""
    since = concern.since.astimezone(zone)
    at = f"{since:%H:%M}" if now - since < timedelta(hours=20) else f"{since:%Y-%m-%d %H:%M}"
    words = " ".join(concern.text.split())
    evidence = words if len(words) <= _EVIDENCE else words[: _EVIDENCE - 1] + "…"
    return f"{concern.subject} since {at} ({spoken_span(now - since)}): {evidence}"
