"""A room whose placard is kept, on in-memory edges: a mailbox that is emptied at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.connector import Capabilities
from bot.mail.mailbox import Mailbox
from bot.model import Address, Receipt, ReceiptState
from bot.rooms.placards import PinState, State
from bot.rooms.showcase import Rhythm, Showcase
from tests.fakes.mailroom import MemoryOutbox, Room
from tests.fakes.rooms import MemoryHouse, MemoryPlacards
from tests.fakes.tenure import MemoryTenure
from tests.waiting import until

OPS = Address("memory", "!ops")
QUICK = Rhythm(
    every=timedelta(), look=timedelta(milliseconds=2), check=timedelta(), topic_every=timedelta()
)
HTML = Capabilities(
    threads=True, html=True, reactions=True, edits=True, typing=False, max_bytes=8_000, rooms=True
)


class ShowcaseStage:
    """A room with a mailbox that is emptied at once, over lives of the part."""

    def __init__(self) -> None:
        self.room = Room()
        self.outbox = MemoryOutbox(self.room)
        self.placards = MemoryPlacards(self.room)
        self.house = MemoryHouse()
        self.state = State("all is well", (("fleet", "2 working"),))
        self.told: list[str] = []
        self.tenure = MemoryTenure()
        self.away = False
        self.failing = False
        self.looks = 0

    @asynccontextmanager
    async def showing(self, rhythm: Rhythm = QUICK) -> AsyncIterator[None]:
        part = Showcase(
            self.placards,
            Mailbox(self.outbox, lambda _kind: HTML),
            self._state,
            wanted=self._wanted,
            pins=lambda _kind: None if self.away else self.house,
            tell=self.told.append,
            tenure=self.tenure,
            rhythm=rhythm,
        )
        tasks = [
            asyncio.create_task(part.run(lambda _detail: None)),
            asyncio.create_task(self._deliver()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def rest(self) -> None:
        """Let the part look a few times."""
        enough = self.looks + 4
        await until(lambda: self.looks >= enough, what="some looks")

    def _wanted(self) -> tuple[Address, ...]:
        self.looks += 1
        return (OPS,)

    async def _state(self) -> State:
        return self.state

    async def _deliver(self) -> None:
        while True:
            for one in await self.outbox.claim(["memory"], "host 1", timedelta(hours=1)):
                state = ReceiptState.FAILED if self.failing else ReceiptState.ACCEPTED
                receipt = Receipt(one.outbound.message_id, state, one.outbound.part, reason="x")
                event_id = None if self.failing else f"$event{one.id}"
                await self.outbox.settle(one, receipt, event_id)
            await asyncio.sleep(0.001)

    def said(self) -> list[str]:
        """Return what stands as messages of their own, oldest first."""
        firsts = [m for m in self.room.messages.values() if m.replaces is None]
        return [message.id for message in firsts]

    def edits(self) -> int:
        return sum(m.replaces is not None for m in self.room.messages.values())

    async def is_shown(self, headline: str) -> bool:
        placard = await self.placards.find(OPS)
        return placard is not None and placard.shown.startswith(headline)

    async def shown(self, headline: str) -> None:
        await until(lambda: self.is_shown(headline), what=headline)

    async def pinned(self, pin: PinState) -> None:
        async def fact() -> bool:
            placard = await self.placards.find(OPS)
            return placard is not None and placard.pin is pin

        await until(fact, what=pin)
