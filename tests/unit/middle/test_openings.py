"""A card that an agent of a project takes gets its thread in the project's room, once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.backlog.cards import CardDraft
from bot.mail.mailbox import Mailbox
from bot.model import Address
from bot.rooms.openings import Openings
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.mailroom import MemoryOutbox, Room
from tests.fakes.threads import MemoryThreads
from tests.stages.backlog import ANN, MINUTE
from tests.waiting import until

WEB = Address("matrix", "!web:e.org")


class Stage:
    """A backlog and a mailbox in memory; only coder0 works for the project."""

    def __init__(self) -> None:
        self.room = Room()
        self.backlog = MemoryBacklog()
        self.threads = MemoryThreads(self.backlog)
        self.mailbox = Mailbox(MemoryOutbox(self.room), lambda _kind: None)

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        part = Openings(
            self.backlog,
            self.threads,
            self.mailbox,
            lambda owner: WEB if owner == "box/coder0" else None,
            look=timedelta(milliseconds=2),
        )
        task = asyncio.create_task(part.run(lambda _detail: None))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def claimed(self, card_id: str, owner: str) -> None:
        await self.backlog.create(CardDraft(id=card_id, title=f"title of {card_id}"), ANN)
        await self.backlog.claim(owner, MINUTE, card_id, ANN)


async def test_the_thread_begins_with_one_message_and_is_the_card_s_when_it_is_shown() -> None:
    stage = Stage()
    await stage.claimed("A1", "box/coder0")
    async with stage.looking():
        await until(lambda: stage.room.messages, what="the opening")
    async with stage.looking():  # another life says it again, and it is the same message
        (message,) = stage.room.messages.values()
        stage.threads.shown[message.id] = "$opening"

        async def bound() -> bool:
            return list(await stage.threads.find("A1")) == [
                Address("matrix", WEB.place, "$opening")
            ]

        await until(bound, what="the card's thread")
    assert len(stage.room.messages) == 1
    assert message.to == WEB
    assert "A1: title of A1" in str(message.blocks)


async def test_a_card_with_a_thread_and_one_of_nobody_s_project_are_left_alone() -> None:
    stage = Stage()
    await stage.claimed("A1", "box/coder0")
    await stage.threads.bind("A1", Address("matrix", "!ops:e.org", "$1"))
    await stage.claimed("A2", "ann")
    async with stage.looking():
        await stage.claimed("A3", "box/coder0")
        await until(lambda: stage.room.messages, what="the opening of A3")
    (message,) = stage.room.messages.values()
    assert "A3" in str(message.blocks)
