"""Concerns in memory, over the same state as the fake mailbox."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.concerns import Concern
from bot.model import Letter
from tests.fakes.mailroom import Room


@dataclass(slots=True)
class Episode:
    """A concern as it stands."""

    concern: Concern
    again_at: datetime | None = None


class MemoryConcerns:
    """The port Concerns, over a room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.episodes: list[Episode] = []

    async def raise_(self, kind: str, subject: str, text: str, *, urgent: bool = False) -> bool:
        self._room.look()
        known = self._find(kind, subject)
        if known is None:
            id, now = len(self.episodes) + 1, self._room.now()
            self.episodes.append(Episode(Concern(id, kind, subject, text, urgent, now)))
            return True
        before = known.concern
        known.concern = replace(before, text=text, urgent=before.urgent or urgent)
        if urgent and not before.urgent:
            known.concern, known.again_at = replace(known.concern, told_at=None), None
        return False

    async def settle(self, kind: str, subject: str) -> bool:
        self._room.look()
        known = self._find(kind, subject)
        if known is None:
            return False
        known.concern = replace(known.concern, ended_at=self._room.now())
        return True

    async def open(self) -> Sequence[Concern]:
        self._room.look()
        return [one.concern for one in self.episodes if one.concern.ended_at is None]

    async def untold(self) -> Sequence[Concern]:
        self._room.look()
        now = self._room.now()
        return [
            one.concern
            for one in self.episodes
            if one.concern.ended_at is None
            and (one.concern.told_at is None or (one.again_at is not None and one.again_at <= now))
        ]

    async def tell(
        self,
        concerns: Sequence[Concern],
        letters: Sequence[Letter],
        again_after: timedelta | None = None,
    ) -> bool:
        self._room.look()
        rows = [self.episodes[concern.id - 1] for concern in concerns]
        pairs = zip(rows, concerns, strict=True)
        if any(
            row.concern.ended_at is not None or row.concern.told_at != read.told_at
            for row, read in pairs
        ):
            return False
        self._room.store(letters)
        now = self._room.now()
        for row in rows:
            row.concern = replace(row.concern, told_at=now)
            row.again_at = None if again_after is None else now + again_after
        return True

    def _find(self, kind: str, subject: str) -> Episode | None:
        for one in self.episodes:
            same = (one.concern.kind, one.concern.subject) == (kind, subject)
            if same and one.concern.ended_at is None:
                return one
        return None
