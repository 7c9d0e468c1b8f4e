"""Two daemons on one database: whatever falls due is said once, also when one of them dies in the middle."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from bot.clock.schedule import Schedule
from bot.command.interpreter import Interpreter
from bot.errors import TransientError
from bot.mail.mailbox import Mailbox
from bot.model import Address, Message, MessageKind, Principal
from bot.news.digest import Digest
from bot.news.outcry import Outcry
from bot.news.reminders import Request
from bot.news.reminding import Reminding
from bot.reply import Text
from storage.database import Database
from storage.mail.outbox import PostgresOutbox
from storage.mail.reminders import PostgresReminders
from storage.supervision.concerns import PostgresConcerns
from tests.stages.postgres import Tier
from tests.waiting import until

OPS = Address("memory", "ops")
ANN = Principal("matrix:@ann:example.org", "Ann")
DAEMONS = 3
NOTHING = timedelta(0)


class Daemon:
    """What one daemon of several has of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.mailbox = Mailbox(PostgresOutbox(database), lambda _kind: None)
        self.concerns = PostgresConcerns(database)
        self.reminders = PostgresReminders(database)
        self.schedule = Schedule([])
        nobody = cast("Interpreter", None)  # no reminder here is a command
        self.reminding = Reminding(self.reminders, self.mailbox, nobody, self.schedule.at)
        self.digest = Digest(self.concerns, self.mailbox, lambda: OPS, gather=NOTHING)


@pytest.fixture
async def daemons(tier: Tier) -> AsyncIterator[list[Daemon]]:
    """Three daemons, each with a pool of its own, on one database."""
    async with tier.database() as first:
        others = [Database() for _ in range(DAEMONS - 1)]
        async with first.connection() as connection:
            name = await connection.fetchval("SELECT current_database()")
        for other in others:
            await other.open(tier.target(name))
        try:
            yield [Daemon(database) for database in (first, *others)]
        finally:
            for other in others:
                await other.close()


async def said(daemon: Daemon) -> list[str]:
    """Return the texts of all messages, each as often as it was stored."""
    async with daemon.database.connection() as connection:
        rows = await connection.fetch("SELECT blocks FROM message ORDER BY stored_at, id")
    return [row["blocks"][0]["text"] for row in rows]


async def work_off(outcry: Outcry) -> None:
    """Let an outcry say what was put in."""
    task = asyncio.create_task(outcry.run(lambda _detail: None))
    await until(lambda: not outcry._waiting)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_concerns_are_said_once_by_several_daemons(daemons: list[Daemon]) -> None:
    raises = (
        daemon.concerns.raise_("stuck card", f"A{number}", "no word")
        for number in range(10)
        for daemon in daemons
    )
    began = await asyncio.gather(*raises)
    assert sum(began) == 10

    async def look(daemon: Daemon) -> None:
        for _ in range(5):
            await daemon.digest.look()

    await asyncio.gather(*map(look, daemons))
    told = "".join(await said(daemons[0]))
    assert [told.count(f"• A{number} since") for number in range(10)] == [1] * 10
    assert await daemons[0].concerns.untold() == []


async def test_an_outcry_is_heard_once_though_a_restarted_daemon_sees_the_same(
    daemons: list[Daemon],
) -> None:
    for daemon in daemons:
        outcry = Outcry(daemon.concerns, daemon.mailbox, lambda: OPS)
        outcry.cry("dialog", "box:a", "Allow bash?", Text("a waits"))
        outcry.cry("dialog", f"box:{id(daemon)}", "x", Text("the end"))
        await work_off(outcry)
    assert sorted(await said(daemons[0])) == ["a waits", *["the end"] * DAEMONS]


async def test_a_reminder_is_said_once_by_several_daemons_in_time(daemons: list[Daemon]) -> None:
    running = [asyncio.create_task(one.schedule.run(lambda _detail: None)) for one in daemons]
    due_at = datetime.now(UTC) + timedelta(milliseconds=300)
    for number in range(20):
        await daemons[0].reminders.add(Request(ANN, str(number), OPS, due_at))
    again = Request(ANN, "again", OPS, due_at, rule="day at 09:00")
    await daemons[0].reminders.add(again)
    try:
        for daemon in daemons:
            daemon.reminding.expect(due_at)

        async def all_said() -> bool:
            return len(await said(daemons[0])) >= 21

        await until(all_said)
        assert datetime.now(UTC) >= due_at
        await asyncio.gather(*(daemon.reminding.look() for daemon in daemons))
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    texts = [text.rpartition(": ")[2] for text in await said(daemons[0])]
    assert sorted(texts) == sorted([*map(str, range(20)), "again"])
    (left,) = await daemons[0].reminders.waiting(None)
    assert (left.request.text, left.due_at > due_at) == ("again", True)


async def test_a_daemon_that_dies_while_it_fires_leaves_the_reminder_to_the_others(
    daemons: list[Daemon],
) -> None:
    due_at = datetime.now(UTC)
    kept = await daemons[0].reminders.add(Request(ANN, "tea", OPS, due_at))
    message = Message("m" * 32, OPS, kind=MessageKind.NOTICE, blocks=(Text("lost"),))
    dying, other = daemons[0], daemons[1]
    async with other.database.transaction() as holder:
        await holder.execute("SELECT FROM reminder FOR UPDATE")
        fire = dying.reminders.fire(kept, None, dying.mailbox.seal([message]))
        task = asyncio.create_task(fire)

        async def waits() -> bool:
            found = await holder.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database()"
            )
            return bool(found)

        await until(waits)
        await dying.database.close()
        with pytest.raises(TransientError):
            await task
    await other.reminding.look()
    assert [text.rpartition(": ")[2] for text in await said(other)] == ["tea"]
