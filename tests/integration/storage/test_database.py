"""The pool: what its users may rely on, on both servers."""

import asyncio
from datetime import timedelta

import pytest

from bot.errors import SetupError, TransientError
from storage.database import Database
from tests.stages.postgres import Tier
from tests.waiting import until


async def test_a_closed_database_is_a_transient_error() -> None:
    with pytest.raises(TransientError, match="not open"):
        async with Database().transaction():
            pass


async def test_an_error_rolls_a_transaction_back(database: Database) -> None:
    async def work() -> None:
        async with database.transaction() as connection:
            await connection.execute("CREATE TABLE half (id integer)")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await work()
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT to_regclass('half')") is None


async def test_a_cancelled_transaction_is_rolled_back(database: Database) -> None:
    async def work() -> None:
        async with database.transaction() as connection:
            await connection.execute("CREATE TABLE half (id integer)")
            await connection.execute("SELECT pg_sleep(60)")

    async def sleeps() -> object:
        async with database.connection() as connection:
            return await connection.fetchval(
                "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            )

    task = asyncio.create_task(work())
    await until(sleeps, what="the statement runs")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT to_regclass('half')") is None


@pytest.mark.parametrize(
    "value",
    [None, {"a": [1, 2.5, None, "é\U0001f600"]}, [], "text", "\\u0000", {"\\u0000": "\\\\"}],
)
async def test_json_comes_back_as_it_was(database: Database, value: object) -> None:
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT $1::jsonb", value) == value


async def test_json_may_hold_what_postgres_cannot(database: Database) -> None:
    async with database.connection() as connection:
        found = await connection.fetchval("SELECT $1::jsonb", {"\x00": "\ud800 \\u0000 \x00"})
    assert found == {"\ufffd": "\ufffd \\u0000 \ufffd"}


async def test_a_statement_that_takes_too_long_is_ended(tier: Tier) -> None:
    database = Database(statement_timeout=timedelta(milliseconds=50))
    async with tier.empty() as target:
        await database.open(target)
        with pytest.raises(TransientError, match="statement timeout"):
            async with database.connection() as connection:
                await connection.execute("SELECT pg_sleep(60)")
        await database.close()


async def test_a_transaction_that_does_nothing_is_ended(tier: Tier) -> None:
    database = Database(idle_timeout=timedelta(milliseconds=50))
    async with tier.empty() as target:
        await database.open(target)
        with pytest.raises(TransientError, match="the database is away"):
            await _idle(database)
        await database.close()


async def _idle(database: Database) -> None:
    async with database.transaction() as connection:
        await until(connection.is_closed, what="the server ends the session")
        await connection.execute("SELECT 1")


async def test_a_broken_connection_is_replaced(database: Database) -> None:
    with pytest.raises(TransientError, match="the database is away"):
        async with database.connection() as connection:
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_waiting_for_a_connection_has_an_end(tier: Tier) -> None:
    database = Database(size=1, statement_timeout=timedelta(milliseconds=100))
    async with tier.empty() as target:
        await database.open(target)
        async with database.connection():
            with pytest.raises(TransientError):
                async with database.connection():
                    pass
        await database.close()


async def test_a_missing_database_is_a_setup_error(tier: Tier) -> None:
    with pytest.raises(SetupError, match="the database refuses us"):
        await Database().open(tier.target("nowhere"))


async def test_many_transactions_share_few_connections(database: Database) -> None:
    async def count(number: int) -> int:
        async with database.transaction() as connection:
            return int(await connection.fetchval("SELECT $1::integer", number))

    assert await asyncio.gather(*(count(number) for number in range(40))) == list(range(40))
