"""Migrations run once, in order, and never against a database that they do not fit."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.errors import SetupError
from storage.database import Database
from storage.migrate import Migration, migrate, migrations
from tests.stages.postgres import Tier

ONE = Migration(1, "one", "CREATE TABLE one (id integer)")
TWO = Migration(2, "two", "CREATE TABLE two (id integer)")


@pytest.fixture
async def blank(tier: Tier) -> AsyncIterator[Database]:
    async with tier.empty() as target:
        database = Database()
        await database.open(target)
        yield database
        await database.close()


async def test_all_migrations_run_once(blank: Database) -> None:
    assert await migrate(blank) == len(migrations())
    assert await migrate(blank) == 0


async def test_only_what_is_missing_runs(blank: Database) -> None:
    await migrate(blank, [ONE])
    assert await migrate(blank, [ONE, TWO]) == 1


async def test_two_that_start_together_migrate_once(blank: Database) -> None:
    assert sorted(await asyncio.gather(*(migrate(blank) for _ in range(3)))) == [
        0,
        0,
        len(migrations()),
    ]


async def test_a_newer_database_is_refused(blank: Database) -> None:
    await migrate(blank, [ONE, TWO])
    with pytest.raises(SetupError, match=r"newer than this program: it has migration 0002 \(two\)"):
        await migrate(blank, [ONE])


async def test_a_changed_migration_is_refused(blank: Database) -> None:
    await migrate(blank, [ONE])
    with pytest.raises(SetupError, match=r"0001 \(one\) ran in this database in another form"):
        await migrate(blank, [Migration(1, "one", ONE.sql + " -- changed")])


async def test_a_migration_that_fails_leaves_nothing_behind(blank: Database) -> None:
    broken = Migration(2, "broken", "CREATE TABLE two (id integer); SELECT 1/0")
    with pytest.raises(Exception, match="division by zero"):
        await migrate(blank, [ONE, broken])
    assert await migrate(blank, [ONE, TWO]) == 2
