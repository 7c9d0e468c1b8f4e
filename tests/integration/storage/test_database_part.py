"""The database part: its users see short trouble at most, whatever happens to the server."""

import asyncio
import os
import time
from pathlib import Path

import asyncpg
import pytest

from bot.errors import SetupError, TransientError
from bot.model import agent_address
from storage.database import Database
from storage.mail.outbox import PostgresOutbox
from storage.part import DatabasePart
from tests.stages.mailroom import letter
from tests.stages.postgres import Running, Tier, is_running, names_in
from tests.waiting import until


async def test_a_killed_server_is_noticed_at_once_and_comes_back(running: Running) -> None:
    await running.value("CREATE TABLE kept AS SELECT 42 AS answer")
    killed_at = time.monotonic()
    os.kill(running.postmaster, 9)
    await until(lambda: not running.database.is_open, what="the loss is noticed")
    assert time.monotonic() - killed_at < 1  # 0.2 s on a machine of its own
    with pytest.raises(TransientError):
        await running.value("SELECT 1")
    await running.said_again(1)
    assert await running.value("SELECT answer FROM kept") == 42


async def test_a_statement_under_way_gets_a_transient_error(running: Running) -> None:
    statement = asyncio.create_task(running.value("SELECT pg_sleep(60)"))
    await until(
        lambda: running.value(
            "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        )
    )
    os.kill(running.postmaster, 9)
    with pytest.raises(TransientError, match="the database is away"):
        await statement
    await running.said_again(1)


async def test_a_killed_backend_makes_no_lasting_trouble(running: Running) -> None:
    backend = await running.value("SELECT pg_backend_pid()")
    postmaster = running.postmaster
    os.kill(backend, 9)  # the server then throws all sessions out and recovers
    await running.said_again(1)
    assert await running.value("SELECT 1") == 1
    assert running.postmaster == postmaster


async def test_hints_reach_their_listeners_after_a_crash(running: Running) -> None:
    heard: list[str] = []
    async with running.database.listen("outbox", heard.append):
        await running.value("SELECT pg_notify('outbox', 'one')")
        await until(lambda: heard == ["one"])
        os.kill(running.postmaster, 9)
        await running.said_again(1)
        await running.value("SELECT pg_notify('outbox', 'two')")
        await until(lambda: heard == ["one", "two"])


async def test_ending_the_part_leaves_nothing(running: Running) -> None:
    postmaster = running.postmaster
    running.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running.task
    assert not is_running(postmaster)
    assert names_in(running.data) == ["cluster", "server.log"]
    assert not running.database.is_open


async def test_a_server_by_url_is_used_and_its_loss_is_told(server: Tier, data: Path) -> None:
    async with server.empty() as target:
        database, said = Database(), list[str]()
        part = DatabasePart(database, data, target.url)
        task = asyncio.create_task(part.run(said.append))
        await until(lambda: said or task.done(), what="it is ready")
        assert said[0].startswith("PostgreSQL 1")
        other = await asyncpg.connect(**target.arguments())
        others = (
            "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
        await other.fetch(f"SELECT pg_terminate_backend(pid) {others}")
        await other.close()
        with pytest.raises(TransientError, match="connection to the database was lost"):
            await task
    assert not database.is_open


async def test_mail_that_another_host_stored_is_heard_of_at_once(server: Tier, data: Path) -> None:
    heard: list[str] = []
    async with server.empty() as target:
        said = list[str]()
        part = DatabasePart(Database(), data, target.url, hints={"outbox": heard.append})
        task = asyncio.create_task(part.run(said.append))
        await until(lambda: said or task.done(), what="it is ready")
        other = Database()
        await other.open(target)
        await PostgresOutbox(other).store([letter("m", agent_address("there", "coder0"))])
        await until(lambda: heard == ["agent:there"])
        await other.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_wrong_password_is_a_setup_error_without_the_password(
    server: Tier, data: Path
) -> None:
    url = server.target("postgres").url
    assert url is not None
    scheme, _, rest = url.partition("://mosaic:")
    part = DatabasePart(Database(), data, f"{scheme}://mosaic:secret-word@{rest.partition('@')[2]}")
    with pytest.raises(
        SetupError, match="the database refuses us: password authentication"
    ) as told:
        await part.run(print)
    assert "secret-word" not in f"{told.value} {told.value.hint}"


async def test_a_server_that_is_away_is_a_transient_error(data: Path) -> None:
    part = DatabasePart(Database(), data, "postgresql://mosaic:secret-word@127.0.0.1:1/mosaic")
    with pytest.raises(TransientError, match="the database is away") as told:
        await part.run(print)
    assert "secret-word" not in str(told.value)


@pytest.mark.parametrize("url", ["mysql://x", "postgresql://ann:word/secret@h/x", "no url"])
async def test_an_address_that_is_none_is_a_setup_error(data: Path, url: str) -> None:
    with pytest.raises(SetupError, match="the database's address cannot be read") as told:
        await DatabasePart(Database(), data, url).run(print)
    assert told.value.__cause__ is None
    assert "DATABASE_URL" in str(told.value.hint)
