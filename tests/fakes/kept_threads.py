"""Threads that we make for cards, in memory: the book of them, and a platform that has them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.backlog.cards import Card, CardStatus
from bot.backlog.kept_threads import KeptThread, ThreadLook
from bot.errors import UserError
from bot.model import Address
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.threads import MemoryThreads

_HOUR = timedelta(hours=1)


@dataclass
class _Row:
    kept: KeptThread
    card_made_at: datetime
    seen_at: datetime | None
    again_at: datetime | None


class MemoryThreadBook:
    """The port ThreadBook, over the model of the backlog; ``looks`` counts how often it was asked what is due."""

    def __init__(self, backlog: MemoryBacklog, threads: MemoryThreads) -> None:
        self._backlog = backlog
        self._threads = threads
        self._rows: dict[str, _Row] = {}
        self._since: dict[str, datetime] = {}
        self.looks = 0

    async def open(self, kind: str) -> None:
        self._since.setdefault(kind, self._backlog.look())

    async def wanted(self, kind: str, *, at_creation: bool, most: int) -> Sequence[Card]:
        since = self._since.get(kind, self._backlog.look())
        now = self._backlog.look()
        cards = [card for card in await self._backlog.export() if not await self._has(card, kind)]
        wanted = [
            card
            for card in cards
            if card.status is CardStatus.CLAIMED
            or (at_creation and await self._was_created_after(card, since))
        ]
        wanted = [card for card in wanted if card.status is not CardStatus.DONE]
        wanted.sort(key=lambda c: (c.status is not CardStatus.CLAIMED, -c.priority, c.created_at))
        made = [row.kept for row in self._rows.values() if row.kept.place.kind == kind]
        making = [k for k in made if k.place.thread is None and now - k.begun_at < _HOUR]
        return wanted[: max(0, most - len(making))]

    async def begin(self, card: Card, place: Address, message_id: str) -> None:
        now = self._backlog.look()
        if self._row_of(card, place.kind) is None:
            kept = KeptThread(card.id, place, message_id, begun_at=now)
            self._rows.setdefault(message_id, _Row(kept, card.created_at, None, now))

    async def due(self, kind: str, most: int) -> Sequence[tuple[KeptThread, Card | None]]:
        self.looks += 1
        now = self._backlog.look()
        cards = {card.id: card for card in await self._backlog.export()}
        found = []
        for row in self._rows.values():
            card = cards.get(row.kept.card_id)
            card = card if card is not None and card.created_at == row.card_made_at else None
            changed = row.seen_at != (None if card is None else card.updated_at)
            asked = row.again_at is not None and row.again_at <= now
            if row.kept.place.kind == kind and (asked or changed):
                found.append((row.kept, card))
        return found[:most]

    async def keep(self, kept: KeptThread, card: Card | None, again: timedelta | None) -> None:
        row = self._rows.get(kept.message_id)
        if row is not None:
            row.kept = kept
            row.seen_at = None if card is None else card.updated_at
            row.again_at = None if again is None else self._backlog.look() + again

    async def forget(self, message_id: str) -> None:
        self._rows.pop(message_id, None)

    async def settle(self, kind: str, *, at_creation: bool) -> None:
        """Nothing is read twice here, so nothing is passed over."""

    async def _has(self, card: Card, kind: str) -> bool:
        bound = any(one.kind == kind for one in await self._threads.find(card.id))
        return bound or self._row_of(card, kind) is not None

    def _row_of(self, card: Card, kind: str) -> _Row | None:
        rows = (
            row
            for row in self._rows.values()
            if (row.kept.card_id, row.card_made_at, row.kept.place.kind)
            == (card.id, card.created_at, kind)
        )
        return next(rows, None)

    async def _was_created_after(self, card: Card, since: datetime) -> bool:
        first = (await self._backlog.show(card.id))[1][0]
        return first.action == "create" and first.at > since


@dataclass
class MemoryCardThreads:
    """A platform with threads (the port CardThreads). ``openings`` are our messages that a thread may begin with.

    ``shows`` counts what was asked of it; ``away`` is raised as often as it says; ``spoken`` are threads in which
    somebody speaks right now; ``begun`` are threads with the times that each was begun.
    """

    place: Address
    openings: set[str] = field(default_factory=set)
    threads: dict[str, ThreadLook] = field(default_factory=dict)
    begun: dict[str, int] = field(default_factory=dict)
    spoken: set[str] = field(default_factory=set)
    away: list[Exception] = field(default_factory=list)
    shows: int = 0

    async def show(self, thread: Address, look: ThreadLook) -> bool:
        self.shows += 1
        if self.away:
            raise self.away.pop()
        if thread.thread is None or thread.thread not in self.openings:
            raise UserError("the thread is gone", code="gone")
        if thread.thread not in self.threads:
            self.begun[thread.thread] = self.begun.get(thread.thread, 0) + 1
        busy = look.archived and thread.thread in self.spoken
        self.threads[thread.thread] = replace(look, archived=look.archived and not busy)
        return not busy
