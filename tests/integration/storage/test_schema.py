"""The schema that people read is the one that the migrations make, and it refuses what cannot be true."""

import asyncpg
import pytest

from bot.model import Decision, Principal, Via
from storage.audit import PostgresAudit
from storage.database import Database
from storage.mail.outbox import PostgresOutbox
from storage.migrate import migrate
from storage.schema import SCHEMA, dump
from storage.server.binaries import find_binaries
from tests.stages.mailroom import letter
from tests.stages.postgres import Tier


async def test_migrations_from_nothing_equal_the_schema_file(embedded: Tier) -> None:
    async with embedded.empty() as target:
        database = Database()
        await database.open(target)
        await migrate(database)
        await database.close()
        found = dump(target, find_binaries())
    assert found == SCHEMA.read_text("utf-8"), "run: python -m storage.schema"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE receipt SET state = 'accepted'",
        "DELETE FROM receipt",
        "TRUNCATE receipt",
        "UPDATE audit SET allowed = true",
        "DELETE FROM audit",
        "TRUNCATE audit",
    ],
)
async def test_what_only_grows_refuses_change(database: Database, change: str) -> None:
    await PostgresOutbox(database).store([letter("m")])
    decision = Decision(allowed=False, rule="default", reason="nobody")
    await PostgresAudit(database).note(Principal("a:b", "b"), "x", "y", Via.CLI, decision)
    with pytest.raises(asyncpg.RestrictViolationError, match="only grows"):
        async with database.connection() as connection:
            await connection.execute(change)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("lease_owner = 'me'", "delivery_lease_whole"),
        ("state = 'done'", "delivery_ended"),
        ("state = 'dead', ended_at = now()", "delivery_dead_says_why"),
        ("attempts = 1", "delivery_tried"),
        ("state = 'lost', ended_at = now()", "delivery_state_check"),
    ],
)
async def test_a_delivery_cannot_be_in_an_impossible_state(
    database: Database, change: str, constraint: str
) -> None:
    await PostgresOutbox(database).store([letter("m")])
    with pytest.raises(asyncpg.CheckViolationError, match=constraint):
        async with database.connection() as connection:
            await connection.execute(f"UPDATE delivery SET {change}")  # noqa: S608 - the test's own
