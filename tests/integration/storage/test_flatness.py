"""What the mailbox asks at every turn costs the same, however much was done before."""

import re
from datetime import timedelta
from typing import Any

import pytest

from storage.database import Database
from storage.queries import Queries

_HISTORY = """
WITH said AS (
    INSERT INTO message (id, kind, to_kind, to_place, blocks, author, tag)
    SELECT 'm' || n, 'mail', 'agent', 'here/' || n % 50, '[]', 'mosaic', 'chat'
    FROM generate_series(1, 20000) AS n RETURNING id, to_place
), sent AS (
    INSERT INTO delivery (
        message_id, part, lane, carrier, transaction_id, kind, to_kind, to_place, body, author, tag,
        state, ended_at
    )
    SELECT id, 0, 'agent:' || to_place, 'agent:here', id, 'mail', 'agent', to_place, '', 'mosaic',
        'chat', 'done', now()
    FROM said
), stated AS (
    INSERT INTO receipt (message_id, part, state, evidence)
    SELECT id, 0, 'stored', '{}' FROM said
)
INSERT INTO inbound (
    id, event_id, kind, source_kind, source_place, sender_id, sender_name, body, sent_at, recovered,
    state, ended_at
)
SELECT id, id, 'text', 'matrix', 'room', 'a', 'a', '', now(), false, 'done', now() FROM said
"""
_CALLS: list[tuple[str, str, list[Any]]] = [
    ("mailbox", "claim_heads", [["agent:here", "memory"], "host 1", timedelta(minutes=1), "s"]),
    ("mailbox", "permit_typing", ["m5", 0, "typed", None, {}, None, None, "s"]),
    ("mailbox", "hold_mail", ["m5"]),
    ("mailbox", "withdraw_mail", ["m5", "no"]),
    ("journal", "pending_events", [100]),
    ("journal", "interrupted_events", ["life 1"]),
    ("journal", "begin_event", ["m5", "life 1", "x"]),
    ("journal", "find_revisions", ["matrix", "room", "m5"]),
    ("journal", "find_known", ["matrix", ["m5"]]),
    ("mailbox", "store_letters", [[], "m5", "done"]),
    ("correspondence", "find_messages", ["m77"]),
    ("correspondence", "list_receipts", ["m5"]),
    ("correspondence", "list_dead", [10]),
    ("correspondence", "list_unanswered", ["agent:here"]),
    ("audit", "last_of_principal", ["a", 10]),
]


@pytest.fixture
async def old(database: Database) -> Database:
    """A database with 20,000 of everything behind it."""
    async with database.connection() as connection:
        await connection.execute(_HISTORY)
        await connection.execute("VACUUM ANALYZE")
    return database


async def test_no_frequent_query_reads_a_whole_table(old: Database) -> None:
    for topic, name, arguments in _CALLS:
        query = getattr(Queries.load(topic), name)
        async with old.connection() as connection:
            rows = await connection.fetch(f"EXPLAIN {query.sql}", *arguments)
        plan = "\n".join(row[0] for row in rows)
        scans = re.findall(r"Seq Scan on (inbound|message|delivery|receipt)", plan)
        assert not scans, f"{topic}.{name}:\n{plan}"


async def test_claiming_after_a_long_history_touches_few_pages(old: Database) -> None:
    query = Queries.load("mailbox").claim_heads
    arguments = _CALLS[0][2]
    async with old.connection() as connection:
        rows = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {query.sql}", *arguments)
    pages = [int(count) for count in re.findall(r"shared hit=(\d+)", rows[0][0] + rows[1][0])]
    assert sum(pages) < 50, "\n".join(row[0] for row in rows)
