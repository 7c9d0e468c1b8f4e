"""Concerns in memory, over the same state as the fake mailbox."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.model import Letter
from bot.supervision.concerns import LONGEST, Concern
from tests.fakes.mailroom import Room


class MemoryConcerns:
    """The port Concerns, over a room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.episodes: list[Concern] = []

    async def raise_(self, kind: str, subject: str, text: str, *, urgent: bool = False) -> bool:
        self._room.look()
        known = self._find(kind, subject)
        if known is None:
            id, now = len(self.episodes) + 1, self._room.now()
            self.episodes.append(Concern(id, kind, subject, text[:LONGEST], urgent, now))
            return True
        changed = replace(known, text=text[:LONGEST], urgent=known.urgent or urgent)
        if urgent and not known.urgent:
            changed = replace(changed, told_at=None, again_at=None)
        self._put(changed)
        return False

    async def settle(self, kind: str, subject: str) -> bool:
        self._room.look()
        known = self._find(kind, subject)
        if known is None:
            return False
        self._put(replace(known, ended_at=self._room.now()))
        return True

    async def open(self) -> Sequence[Concern]:
        self._room.look()
        return [one for one in self.episodes if one.ended_at is None]

    async def untold(self) -> Sequence[Concern]:
        now = self._room.now()
        return [
            one
            for one in await self.open()
            if one.told_at is None or (one.again_at is not None and one.again_at <= now)
        ]

    async def tell(
        self,
        concerns: Sequence[Concern],
        letters: Sequence[Letter],
        again_after: timedelta | None = None,
    ) -> bool:
        self._room.look()
        known = [self.episodes[one.id - 1] for one in concerns]
        pairs = zip(known, concerns, strict=True)
        if any(one.ended_at is not None or one.told_at != read.told_at for one, read in pairs):
            return False
        self._room.store(letters)
        now = self._room.now()
        for one in known:
            again_at = None if again_after is None else now + again_after
            self._put(replace(one, told_at=now, again_at=again_at))
        return True

    def _find(self, kind: str, subject: str) -> Concern | None:
        same = (
            one
            for one in self.episodes
            if (one.kind, one.subject) == (kind, subject) and one.ended_at is None
        )
        return next(same, None)

    def _put(self, concern: Concern) -> None:
        self.episodes[concern.id - 1] = concern
