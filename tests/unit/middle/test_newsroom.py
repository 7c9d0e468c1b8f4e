"""News of cards go to their threads once, whatever dies in between; and commands know their thread."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from bot.command.catalog import Catalog
from bot.command.declare import Call
from bot.command.words import split_line
from bot.connector import Capabilities
from bot.errors import TransientError, UsageError, UserError
from bot.mail.mailbox import Mailbox
from bot.model import Address, Inbound, MessageKind
from bot.news.newsroom import Newsroom
from bot.reply import Fields, Reply, Text
from commands.backlog import BacklogCommands
from commands.threads import ThreadCommands
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.mailroom import MemoryOutbox, Room
from tests.fakes.threads import MemoryThreads
from tests.stages.backlog import ANN, MINUTE
from tests.waiting import until

THREADED = Capabilities(
    threads=True, html=False, reactions=True, edits=False, typing=False, max_bytes=8_000
)
ROOM = Address("matrix", "!ops:e.org")
ROOT = Address("matrix", "!ops:e.org", "$1")


class Stage:
    """Backlog, threads and mailbox in memory."""

    def __init__(self) -> None:
        self.room = Room()
        self.backlog = MemoryBacklog()
        self.threads = MemoryThreads(self.backlog)
        self.mailbox = Mailbox(MemoryOutbox(self.room), lambda _kind: THREADED)
        commands = BacklogCommands(self.backlog, self.backlog, self.backlog, self.threads)
        self.catalog = Catalog([commands, ThreadCommands(self.threads)])

    async def ask(self, line: str, thread: Address | None = ROOT) -> Reply:
        command, arguments = self.catalog.find_line(line, split_line(line))
        return await self.catalog.run(command, Call(ANN, ROOM, "c1", thread), arguments)

    @asynccontextmanager
    async def newsroom(self) -> AsyncIterator["asyncio.Task[None]"]:
        part = Newsroom(self.threads, self.mailbox, look=timedelta(milliseconds=5))
        task = asyncio.create_task(part.run(lambda _detail: None))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def told(self) -> list[str]:
        texts = [m.blocks[0] for m in self.room.messages.values()]
        return [text.text for text in texts if isinstance(text, Text)]


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_news_are_said_once_in_the_cards_thread_also_after_a_restart(stage: Stage) -> None:
    await stage.ask("backlog create --id A1 --title schema")
    await stage.backlog.claim("w1", MINUTE, "A1", ANN)
    async with stage.newsroom():
        await until(stage.told)
        await stage.backlog.complete("A1", None, ANN)
        await until(lambda: len(stage.told()) == 2)
    async with stage.newsroom():
        await stage.ask("backlog create --id A2 --title more", Address("matrix", "!x", "$2"))
        await stage.backlog.claim("w2", MINUTE, "A2", ANN)
        await until(lambda: len(stage.told()) == 3)
    assert [text.partition(" by ")[0] for text in stage.told()] == [
        "A1 is claimed",
        "A1 was completed",
        "A2 is claimed",
    ]
    first = next(iter(stage.room.messages.values()))
    assert (first.to, first.kind, first.reply_to) == (ROOT, MessageKind.NOTICE, None)


async def test_more_news_than_a_page_holds_are_all_said(stage: Stage) -> None:
    await stage.ask("backlog create --id A1 --title schema")
    for _ in range(150):
        await stage.backlog.block("A1", None, ANN)
        await stage.backlog.unblock("A1", ANN)
    async with stage.newsroom():
        await until(lambda: len(stage.told()) == 300)


async def test_a_database_that_is_away_loses_no_news(stage: Stage) -> None:
    await stage.ask("backlog create --id A1 --title schema")
    await stage.backlog.block("A1", None, ANN)
    stage.room.away = TransientError("away")
    async with stage.newsroom() as task:
        with pytest.raises(TransientError):
            await task
    stage.room.away = None
    async with stage.newsroom():
        await until(lambda: len(stage.told()) == 1)


def test_the_thread_of_an_event_is_its_own_or_begins_with_it(stage: Stage) -> None:
    asked = Inbound("$1", ROOM, ANN.principal, "!x", datetime.now(UTC))
    assert stage.mailbox.thread_of(asked) == ROOT
    inside = Inbound("$2", ROOT, ANN.principal, "!x", datetime.now(UTC))
    assert stage.mailbox.thread_of(inside) == ROOT
    plain = Mailbox(MemoryOutbox(stage.room), lambda _kind: None)
    assert plain.thread_of(asked) == ROOM, "a platform without threads has its rooms"


async def test_in_its_thread_a_card_is_shown_without_its_id(stage: Stage) -> None:
    await stage.ask("backlog create --id A1 --title schema")
    shown = await stage.ask("backlog show")
    assert (shown.data["id"], shown.data["threads"]) == ("A1", ["matrix:!ops:e.org#$1"])
    assert shown.blocks[-1] == Fields((("thread", "matrix:!ops:e.org#$1"),))
    for thread in (Address("matrix", "!ops:e.org", "$9"), ROOM, None):
        with pytest.raises(UsageError, match="ID is missing"):
            await stage.ask("backlog show", thread)
    assert (await stage.ask("backlog show A1", None)).data["id"] == "A1"


async def test_a_thread_can_be_given_to_a_card_that_has_none(stage: Stage) -> None:
    await stage.ask("backlog create --id A1 --title schema", None)
    await stage.ask("backlog create --id A2 --title more", None)
    bound = await stage.ask("backlog bind A1")
    assert bound.data == {"id": "A1", "thread": "matrix:!ops:e.org#$1"}
    with pytest.raises(UserError, match="this thread is card A1's"):
        await stage.ask("backlog bind A2")
    with pytest.raises(UserError, match="A1 has a thread here already"):
        await stage.ask("backlog bind A1", Address("matrix", "!ops:e.org", "$9"))
    with pytest.raises(UserError, match="there is no thread here"):
        await stage.ask("backlog bind A2", None)
