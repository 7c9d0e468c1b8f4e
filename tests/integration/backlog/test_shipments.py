"""Many cards at once on a real server: in seconds, beside claims, once."""

import asyncio
import time
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.backlog.cards import Card, CardDraft, CardFilter
from bot.backlog.shipment import Entry
from bot.errors import UserError
from commands.card_file import read_cards, write_cards
from storage.database import Database
from tests.integration.backlog.test_races import code_of, drifted
from tests.shipments import cards
from tests.stages.backlog import ANN, MINUTE, BacklogStage, clear, postgres_stage

pytestmark = pytest.mark.parametrize("backlog_tier", ["embedded"], indirect=True, scope="module")


@pytest.fixture
async def database(backlog_database: Database) -> Database:
    await clear(backlog_database)
    return backlog_database


@pytest.fixture
def stage(database: Database) -> BacklogStage:
    return postgres_stage(database)


def shipment(count: int, prefix: str = "C") -> list[Entry]:
    """Return cards of which each waits for up to two earlier ones."""
    entries = []
    for number in range(count):
        needs = {f"{prefix}{n}" for n in (number // 2, number - 7) if 0 <= n < number}
        draft = CardDraft(
            f"{prefix}{number}",
            title=f"card {number}",
            body="x" * 200,
            priority=number % 10,
            depends_on=tuple(sorted(needs)),
            idempotency_key=f"{prefix}-{number}",
        )
        entries.append(Entry(draft, line=number))
    return entries


async def bring(stage: BacklogStage, entries: list[Entry]) -> int:
    landing = await stage.shipments.bring(entries, ANN, update=False, dry_run=False)
    assert landing.faults == ()
    return len(landing.created)


async def test_ten_thousand_cards_come_in_within_seconds(
    stage: BacklogStage, database: Database
) -> None:
    begun = time.monotonic()
    assert await bring(stage, shipment(10_000)) == 10_000
    assert time.monotonic() - begun < 20, "a usual machine needs two"
    assert await drifted(database) == []
    assert await bring(stage, shipment(10_000)) == 0
    claimable = await stage.shelf.list(CardFilter(ready_only=True))
    assert [card.id for card in claimable] == ["C0"]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(made=cards(), form=st.sampled_from(["yaml", "json"]))
async def test_an_export_brought_into_an_empty_backlog_exports_the_same(
    stage: BacklogStage, database: Database, made: list[Card], form: Literal["yaml", "json"]
) -> None:
    await clear(database)
    await bring(stage, read_cards(write_cards(made, form), "made"))
    text = write_cards(await stage.shipments.export(), form)
    assert await bring(stage, read_cards(text, "again")) == 0
    await clear(database)
    assert await bring(stage, read_cards(text, "empty")) == len(made)
    assert write_cards(await stage.shipments.export(), form) == text
    assert await drifted(database) == []


async def test_the_same_file_from_eight_sides_makes_every_card_once(
    stage: BacklogStage, database: Database
) -> None:
    for turn in range(5):
        brought = (bring(stage, shipment(20, f"T{turn}.")) for _ in range(8))
        assert sum(await asyncio.gather(*brought)) == 20
    assert await drifted(database) == []


async def test_imports_creates_links_completions_and_claims_do_not_deadlock(
    stage: BacklogStage, database: Database
) -> None:
    for turn in range(10):
        entries = shipment(12, f"R{turn}.")

        async def create(number: int, entries: list[Entry] = entries) -> str:
            return await code_of(stage.shelf.create(entries[number].draft, ANN))

        async def work(number: int, turn: int = turn) -> None:
            try:
                await stage.claims.claim(f"w{number}", MINUTE, None, ANN)
                await stage.claims.complete(f"R{turn}.{number}", None, ANN)
            except UserError as error:
                assert error.code == "unknown_card"  # noqa: PT017 - it may not be there yet

        async def ship(entries: list[Entry] = entries) -> None:
            landing = await stage.shipments.bring(entries, ANN, update=True, dry_run=False)
            assert landing.faults == ()

        creates = (create(number) for number in (0, 1, 2))
        outcomes = await asyncio.gather(ship(), *creates, *(work(n) for n in range(4)), ship())
        assert set(outcomes[1:4]) <= {"ok", "unknown_card"}
    assert await drifted(database) == []
