"""Handing a card out reads the index in order, whatever the statistics say of dispatches and rests."""

from datetime import timedelta

from storage.database import Database
from storage.queries import Queries
from tests.stages.supervision import TTL, postgres_supervision, sighting

_AGENTS = 100
_CARDS = """
INSERT INTO card (id, title, agent_class, priority)
SELECT 'C' || n, 't', 'code', n % 10 FROM generate_series(1, 20000) AS n
"""
_ARGUMENTS = {
    "place": "here/a0",
    "name": "a0",
    "host": "here",
    "agent_class": "code",
    "takes_cards": True,
    "id": "d",
    "token": "t",
    "message_id": "m",
    "ask_id": "q",
    "ttl_seconds": 900,
    "grace_seconds": 120,
    "actor": "schedule:supervisor",
    "via": "schedule",
}


async def test_no_statistics_make_it_read_all_cards_of_a_class(database: Database) -> None:
    stage = postgres_supervision(database)
    async with database.connection() as connection:
        await connection.execute(_CARDS)
    names = [f"a{number}" for number in range(_AGENTS)]
    await stage.seen(*map(sighting, names))
    given = [await stage.dispatches.assign(one, TTL, TTL) for one in await stage.workers.all()]
    assert None not in given
    async with database.connection() as connection:
        await connection.execute("INSERT INTO card_rest SELECT id, 1, now() FROM card LIMIT 100")
        await connection.execute("ANALYZE")
    await stage.advance(timedelta(hours=2))
    query = Queries.load("dispatches").assign_card
    values = [_ARGUMENTS[name] for name in query.arguments]
    async with database.connection() as connection:
        rows = await connection.fetch(f"EXPLAIN {query.sql}", *values)
    plan = "\n".join(row[0] for row in rows)
    assert "card_for" in plan
    assert "Anti Join" not in plan, plan
