"""What only the real store promises: named cycles, limits that the database states, an index that is used."""

from collections.abc import Awaitable

import asyncpg
import pytest

from bot.backlog.cards import CardDraft
from storage.database import Database
from storage.queries import Queries
from tests.stages.backlog import ANN, MINUTE, BacklogStage, clear, postgres_stage, refusal

pytestmark = pytest.mark.parametrize(
    "backlog_tier", ["embedded", "server"], indirect=True, scope="module"
)


@pytest.fixture
async def database(backlog_database: Database) -> Database:
    """The module's database, with an empty backlog."""
    await clear(backlog_database)
    return backlog_database


@pytest.fixture
def stage(database: Database) -> BacklogStage:
    return postgres_stage(database)


async def test_a_cycle_is_named_by_its_shortest_way(stage: BacklogStage) -> None:
    await stage.make("A")
    await stage.make("B", "X", needs=("A",))
    await stage.make("C", needs=("B", "X"))
    await stage.make("D", needs=("C",))
    error = await refusal(stage.dependencies.link("A", "D", ANN))
    assert "A → D → C → B → A" in error.message
    await stage.make("N")
    error = await refusal(stage.shelf.edit(CardDraft("A", depends_on=("N", "D", "B")), ANN))
    assert "A → B → A" in error.message


async def test_a_deep_web_of_diamonds_is_walked_once(stage: BacklogStage) -> None:
    # 2^24 ways lead from the top to the bottom: whoever walks them one by one never comes back.
    await stage.make("L0a", "L0b")
    for level in range(1, 25):
        below = (f"L{level - 1}a", f"L{level - 1}b")
        await stage.make(f"L{level}a", f"L{level}b", needs=below)
    assert (await refusal(stage.dependencies.link("L0a", "L24a", ANN))).code == "cycle"


@pytest.mark.parametrize(
    ("draft", "field", "allowed"),
    [
        (CardDraft("A", title="a", body="b" * 400_001), "body", "at most 400000 bytes"),
        (CardDraft("A", title="a", phase="p" * 101), "phase", "1 to 100 characters"),
        (CardDraft("A", title="a", agent_class="c" * 101), "agent_class", "1 to 100 characters"),
        (CardDraft("A", title="a", agent="c" * 101), "agent", "1 to 100 characters"),
        (CardDraft("A", title="a", host="h" * 256), "host", "1 to 255 characters"),
        (CardDraft("A", title="a", idempotency_key=""), "idempotency_key", "1 to 200 characters"),
        (CardDraft("A/B", title="a"), "id", "a letter or digit"),
        (CardDraft("A", title="t" * 301), "title", "1 to 300 characters"),
    ],
)
async def test_the_database_refuses_what_is_out_of_bounds(
    stage: BacklogStage, draft: CardDraft, field: str, allowed: str
) -> None:
    error = await refusal(stage.shelf.create(draft, ANN))
    assert error.message.startswith(f"{field}: ")
    assert allowed in error.message
    assert len(error.message) < 300
    assert (await stage.shelf.stats()).total == 0


async def test_limits_hold_for_owners_and_reasons_too(stage: BacklogStage) -> None:
    await stage.make("A")
    asked: list[tuple[str, Awaitable[object]]] = [
        ("claim_owner", stage.claims.claim("", MINUTE, None, ANN)),
        ("claim_owner", stage.claims.claim("o" * 256, MINUTE, None, ANN)),
        ("block_reason", stage.dependencies.block("A", "r" * 2001, ANN)),
    ]
    for field, call in asked:
        assert (await refusal(call)).message.startswith(f"{field}: ")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE card SET status = 'claimed'",
        "UPDATE card SET claim_owner = 'w'",
        "UPDATE card SET unmet_deps = -1",
        "UPDATE card SET status = 'lost'",
        "INSERT INTO card_edge (card_id, needs_id) VALUES ('A', 'A')",
    ],
)
async def test_half_a_claim_and_other_nonsense_cannot_be_stored(
    stage: BacklogStage, database: Database, change: str
) -> None:
    await stage.make("A")
    async with database.connection() as connection:
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(change)


async def test_a_card_that_others_wait_for_cannot_be_deleted(
    stage: BacklogStage, database: Database
) -> None:
    await stage.make("A")
    await stage.make("B", needs=("A",))
    async with database.connection() as connection:
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await connection.execute("DELETE FROM card WHERE id = 'A'")


async def test_claims_and_pages_of_claimable_cards_walk_the_partial_index(
    database: Database,
) -> None:
    claims, cards = Queries.load("claims"), Queries.load("cards")
    asked = {
        claims.claim_card: "NULL, 'w', 't', 60, NULL, 'a', 'b', '{}', true",
        claims.find_claimable: "true",
        cards.list_claimable: "NULL, NULL, NULL, NULL, 50",
        cards.list_claimable_after: "NULL, NULL, NULL, NULL, 5, now(), 'C7', 50",
    }
    async with database.transaction() as connection:
        await connection.execute(
            "INSERT INTO card (id, title, priority, status)"
            " SELECT 'C' || n, 't', n % 10, CASE WHEN n % 3 = 0 THEN 'ready' ELSE 'done' END"
            " FROM generate_series(1, 3000) AS n"
        )
        await connection.execute("ANALYZE card")
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        for query, arguments in asked.items():
            await connection.execute(f"PREPARE {query.name} AS {query.sql}")
            rows = await connection.fetch(f"EXPLAIN EXECUTE {query.name}({arguments})")
            plan = "\n".join(row[0] for row in rows)
            assert "using card_claimable" in plan, plan
            assert "Seq Scan on card" not in plan, plan
            await connection.execute(f"DEALLOCATE {query.name}")
