"""One thread a card, wherever the daemon dies: every step of a card's thread is cut short once, before it and after it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.backlog.cards import CardDraft, CardStatus
from bot.backlog.kept_threads import ThreadLook
from bot.mail.mailbox import Mailbox
from bot.model import Address, Receipt, ReceiptState
from bot.rooms.caretaker import Caretaker, Rhythm
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.keeping import MemoryKeeping
from tests.fakes.kept_threads import MemoryCardThreads, MemoryThreadBook
from tests.fakes.mailroom import MemoryOutbox, Room
from tests.fakes.threads import MemoryThreads
from tests.stages.backlog import ANN, MINUTE

CARDS = Address("memory", "cards")


class Death(BaseException):
    """The process is gone."""


class Mortal:
    """Stands before a port and ends the process at the call that a counter says."""

    def __init__(self, port: Any, life: "Life") -> None:
        self._port = port
        self._life = life

    def __getattr__(self, name: str) -> Any:
        step = getattr(self._port, name)
        if not asyncio.iscoroutinefunction(step):
            return step

        async def mortal(*args: Any, **more: Any) -> Any:
            return await self._life.survive(lambda: step(*args, **more))

        return mortal


class Life:
    """Counts calls of ports; at number ``last`` it ends, ``before`` the call is made or right after."""

    def __init__(self, last: int | None, *, before: bool) -> None:
        self.calls = 0
        self._last, self._before = last, before

    @property
    def is_over(self) -> bool:
        """Whether it died."""
        return self._last is not None and self.calls >= self._last

    async def survive(self, step: Callable[[], Awaitable[Any]]) -> Any:
        self.calls += 1
        if self.calls == self._last and self._before:
            raise Death
        answer = await step()
        if self.calls == self._last:
            raise Death
        return answer


class World:
    """What outlives the daemon: the database and the platform."""

    def __init__(self) -> None:
        self.room = Room()
        self.backlog = MemoryBacklog()
        self.keeping = MemoryKeeping(self.backlog)
        self.threads = MemoryThreads(self.backlog)
        self.book = MemoryThreadBook(self.backlog, self.threads)
        self.outbox = MemoryOutbox(self.room)
        self.platform = MemoryCardThreads(CARDS)

    async def deliver(self) -> None:
        """Show what waits, as the worker does: a message's transaction id makes it one event."""
        for delivery in await self.outbox.claim(["memory"], "box 1", timedelta(hours=1)):
            outbound = delivery.outbound
            event_id = f"${outbound.transaction_id}"
            if outbound.replaces is None:
                self.platform.openings.add(event_id)
                self.threads.shown[outbound.message_id] = event_id
            receipt = Receipt(outbound.message_id, ReceiptState.ACCEPTED)
            await self.outbox.settle(delivery, receipt, event_id)

    async def live(self, life: Life) -> bool:
        """Let a daemon look until nothing is left to do; false when it died."""
        part = Caretaker(
            Mortal(self.book, life),
            Mortal(self.threads, life),
            Mailbox(Mortal(self.outbox, life), lambda _kind: None),
            lambda: (Mortal(self.platform, life),),
            at_creation=True,
            tell=lambda _: None,
            rhythm=Rhythm(look=timedelta()),
            clock=self.backlog.look,
        )
        with contextlib.suppress(Death):
            for _ in range(6):
                await part.look_once()
                await self.deliver()
                self.backlog.advance(MINUTE)
            return True
        return False

    async def story(self, life: Life) -> None:
        """A card is made, renamed, completed and taken up again; a daemon that died is followed by a sound one."""
        await self.book.open("memory")
        await self.backlog.create(CardDraft("A1", title="paint"), ANN)
        await self.lives(life)
        await self.backlog.edit(CardDraft("A1", title="paint it red"), ANN)
        await self.lives(life)
        await self.backlog.complete("A1", None, ANN)
        await self.lives(life)
        assert self.look() == ThreadLook("A1: paint it red", CardStatus.DONE, archived=True)
        await self.keeping.undo("A1", ANN)
        await self.lives(life)

    async def lives(self, life: Life) -> None:
        """Let a daemon live; one that died is followed by a sound one."""
        if life.is_over or not await self.live(life):
            await self.live(Life(None, before=True))

    def look(self) -> ThreadLook:
        (look,) = self.platform.threads.values()
        return look


async def calls_of_a_whole_life() -> int:
    life = Life(None, before=True)
    await World().story(life)
    return life.calls


@pytest.mark.parametrize("before", [True, False], ids=["before a step", "after a step"])
async def test_a_card_has_one_thread_that_is_as_the_card_is_wherever_the_daemon_dies(
    before: bool,
) -> None:
    steps = await calls_of_a_whole_life()
    assert steps > 40
    for last in range(1, steps + 1):
        world = World()
        await world.story(Life(last, before=before))
        openings = [one for one in world.room.messages.values() if one.replaces is None]
        edits = [one for one in world.room.messages.values() if one.replaces is not None]
        where = f"died at step {last} of {steps}"
        assert len(openings) == 1, where
        assert sum(world.platform.begun.values()) == 1, where
        (thread,) = await world.threads.find("A1")
        assert thread.thread in world.platform.threads, where
        assert world.look() == ThreadLook("A1: paint it red", CardStatus.READY, archived=False)
        last_words = edits[-1] if edits else openings[0]
        assert "paint it red" in str(last_words.blocks), where
        assert "('status', 'ready')" in str(last_words.blocks), where
