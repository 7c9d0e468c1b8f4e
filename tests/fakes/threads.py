"""Threads and the news feed over the model of the backlog."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.backlog.cards import CardEvent
from bot.backlog.threads import CardNews
from bot.model import Address, Inbound
from tests.fakes.backlog import MemoryBacklog


@dataclass
class Heard:
    """A message that was handled from one moment to another; None while it is."""

    event: Inbound
    begun_at: datetime
    ended_at: datetime | None = None


@dataclass
class MemoryThreads:
    """Both ports; ``heard`` is what came in on platforms, ``settled`` where the position stands.

    ``shown`` are platforms' ids of our messages, ``dispatched`` the cards that mail of the supervisor is about.
    """

    backlog: MemoryBacklog
    threads: dict[tuple[str, str], tuple[Address, datetime]] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    settled: int = 0
    shown: dict[str, str] = field(default_factory=dict)
    dispatched: dict[str, str] = field(default_factory=dict)

    async def bind(self, card_id: str, thread: Address) -> bool:
        await self.backlog.show(card_id)
        bound = self.threads.get((card_id, thread.kind))
        if bound is not None:
            return bound[0] == thread
        if await self.card_in(thread) is not None:
            return False
        self.threads[card_id, thread.kind] = (thread, self.backlog.look())
        return True

    async def find(self, card_id: str) -> Sequence[Address]:
        found = [thread for (owner, _), (thread, _) in self.threads.items() if owner == card_id]
        return sorted(found, key=lambda thread: thread.kind)

    async def card_in(self, thread: Address) -> str | None:
        owners = (owner for (owner, _), (known, _) in self.threads.items() if known == thread)
        return None if thread.thread is None else next(owners, None)

    async def holder_in(self, thread: Address) -> str | None:
        owner = await self.card_in(thread)
        return None if owner is None else (await self.backlog.show(owner))[0].claim_owner

    async def of_dispatch(self, message_id: str) -> Address | None:
        card_id = self.dispatched.get(message_id)
        found = [] if card_id is None else await self.find(card_id)
        return found[0] if found else None

    async def opened(self, message_id: str) -> str | None:
        return self.shown.get(message_id)

    async def position(self) -> int:
        return self.settled

    async def after(self, position: int, limit: int) -> Sequence[CardNews]:
        history = await self._history()
        news = [
            CardNews(number, card_id, (await self.backlog.show(card_id))[0].title, event, thread)
            for number, (card_id, event) in enumerate(history, start=1)
            for (owner, _), (thread, bound_at) in sorted(self.threads.items())
            if owner == card_id and number > position and "status" in event.detail
            if event.at > bound_at and not self._asked_there(event, thread)
        ]
        return news[:limit]

    async def settle(self) -> None:
        history = await self._history()
        old = [n for n, (_, e) in enumerate(history, start=1) if self.backlog.is_past(e.at)]
        self.settled = max([self.settled, *old])

    async def _history(self) -> list[tuple[str, CardEvent]]:
        cards = await self.backlog.export()
        lines = [
            (card.id, event) for card in cards for event in (await self.backlog.show(card.id))[1]
        ]
        return sorted(lines, key=lambda line: line[1].at)

    def _asked_there(self, event: CardEvent, thread: Address) -> bool:
        return any(
            heard.event.sender.id == event.actor
            and heard.event.source.lane == thread.lane
            and (heard.event.source == thread or heard.event.event_id == thread.thread)
            and heard.begun_at <= event.at
            and (heard.ended_at is None or heard.ended_at >= event.at)
            for heard in self.heard
        )
