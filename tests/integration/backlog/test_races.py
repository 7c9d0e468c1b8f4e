"""Many at once on one backlog: nothing is claimed twice, nothing is stranded, nothing deadlocks.

A deadlock would be a TransientError here, and fail the test that met it.
"""

import asyncio
import itertools
import random
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from bot.backlog.cards import CardDraft, CardFilter, CardStatus
from bot.errors import UserError
from storage.database import Database
from tests.stages.backlog import ANN, CODER, MINUTE, BacklogStage, clear, postgres_stage, refusal
from tests.waiting import until

pytestmark = pytest.mark.parametrize("backlog_tier", ["embedded"], indirect=True, scope="module")


@pytest.fixture
async def database(backlog_database: Database) -> Database:
    """The module's database, with an empty backlog."""
    await clear(backlog_database)
    return backlog_database


@pytest.fixture
def stage(database: Database) -> BacklogStage:
    return postgres_stage(database)


async def drifted(database: Database) -> list[str]:
    """Return cards whose count of unmet dependencies is wrong."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT id FROM card WHERE unmet_deps <> (SELECT count(*) FROM card_edge"
            " JOIN card AS needed ON needed.id = needs_id"
            " WHERE card_id = card.id AND needed.status <> 'done')"
        )
    return [row["id"] for row in rows]


async def code_of(asked: Awaitable[object]) -> str:
    """Return how a call ended: ``ok``, or the refusal's code."""
    try:
        await asked
    except UserError as error:
        return error.code
    return "ok"


async def test_eight_claimers_take_fifty_cards_once_each(stage: BacklogStage) -> None:
    await stage.make(*(f"C{number}" for number in range(50)))

    async def work(owner: str) -> list[str]:
        taken = []
        while (card := await stage.claims.claim(owner, MINUTE, None, ANN)) is not None:
            taken.append(card.id)
        return taken

    taken = await asyncio.gather(*(work(f"w{number}") for number in range(8)))
    everything = list(itertools.chain.from_iterable(taken))
    assert len(everything) == 50
    assert len(set(everything)) == 50
    assert (await stage.shelf.stats()).counts["claimed"] == 50


async def test_as_many_claimers_as_cards_all_get_one(stage: BacklogStage) -> None:
    for round_number in range(5):
        await stage.make(*(f"R{round_number}.{number}" for number in range(8)))
        claims = (stage.claims.claim(f"w{number}", MINUTE, None, ANN) for number in range(8))
        cards = await asyncio.gather(*claims)
        assert len({card.id for card in cards if card is not None}) == 8


async def test_one_named_card_has_one_winner(stage: BacklogStage) -> None:
    for number in range(10):
        await stage.make(f"C{number}")
        claims = (stage.claims.claim(f"w{n}", MINUTE, f"C{number}", ANN) for n in range(8))
        assert sum(card is not None for card in await asyncio.gather(*claims)) == 1


async def test_a_card_that_somebody_just_looks_at_is_waited_for(
    stage: BacklogStage, database: Database
) -> None:
    await stage.make("A")
    async with database.transaction() as holding:
        await holding.execute("SELECT FROM card WHERE id = 'A' FOR UPDATE")
        claim = asyncio.create_task(stage.claims.claim("w", MINUTE, None, ANN))

        async def waiting() -> bool:
            async with database.connection() as connection:
                found: bool = await connection.fetchval(
                    "SELECT EXISTS (SELECT FROM pg_stat_activity"
                    " WHERE wait_event_type = 'Lock' AND datname = current_database())"
                )
            return found

        await until(waiting, what="the claim waits for the row")
    card = await claim
    assert card is not None
    assert card.id == "A"


async def test_completing_and_linking_never_strand_a_card(
    stage: BacklogStage, database: Database
) -> None:
    numbers = range(60)
    await stage.make(*(f"N{number}" for number in numbers), *(f"D{number}" for number in numbers))
    pairs = [(f"D{number}", f"N{number}") for number in numbers]
    racing = [stage.dependencies.link(waits, needed, ANN) for waits, needed in pairs]
    racing += [stage.claims.complete(needed, None, ANN) for _, needed in pairs]
    random.Random(7).shuffle(racing)
    await asyncio.gather(*racing)
    assert await drifted(database) == []
    assert len(await stage.shelf.list(CardFilter(ready_only=True))) == 60


async def test_a_card_that_waits_for_many_is_freed_by_the_last(stage: BacklogStage) -> None:
    for round_number in range(4):
        needs = tuple(f"N{round_number}.{number}" for number in range(16))
        await stage.make(*needs)
        await stage.make(f"F{round_number}", f"G{round_number}", needs=needs)
        await asyncio.gather(*(stage.claims.complete(needed, None, ANN) for needed in needs))
        assert (await stage.card(f"F{round_number}")).unmet_deps == 0
        assert {(await stage.take()).id for _ in "FG"} == {f"F{round_number}", f"G{round_number}"}


async def test_completions_that_share_rows_in_both_orders_do_not_deadlock(
    stage: BacklogStage, database: Database
) -> None:
    # X frees A and B, and A waits for B: whoever completes B early locks B, then A; X locks A, then B.
    numbers = range(20)
    for number in numbers:
        await stage.make(f"X{number}", f"B{number}")
        await stage.dependencies.link(f"B{number}", f"X{number}", ANN)
        await stage.make(f"A{number}", needs=(f"X{number}", f"B{number}"))
    racing = [stage.claims.complete(f"{kind}{n}", None, ANN) for n in numbers for kind in "XBA"]
    random.Random(3).shuffle(racing)
    await asyncio.gather(*racing)
    assert (await stage.shelf.stats()).counts["done"] == 60
    assert await drifted(database) == []


async def test_a_late_completion_and_a_reclaim_have_one_winner(stage: BacklogStage) -> None:
    await stage.make(*(f"C{number}" for number in range(30)))
    taken = [await stage.take() for _ in range(30)]
    await stage.age(2 * MINUTE)
    completions = [code_of(stage.claims.complete(c.id, c.claim_token, CODER)) for c in taken]
    reclaims = [stage.claims.reclaim(None, ANN) for _ in range(4)]
    ended = await asyncio.gather(*completions, *reclaims)
    done = {card.id for card, code in zip(taken, ended, strict=False) if code == "ok"}
    reclaimed = list(itertools.chain.from_iterable(ended[30:]))
    assert len(reclaimed) == len(set(reclaimed))
    assert done | set(reclaimed) == {card.id for card in taken}
    assert not done & set(reclaimed)
    for card in taken:
        wanted = CardStatus.DONE if card.id in done else CardStatus.READY
        assert (await stage.card(card.id)).status is wanted


async def test_opposite_links_never_close_a_cycle(stage: BacklogStage) -> None:
    for number in range(15):
        a, b, c = f"A{number}", f"B{number}", f"C{number}"
        await stage.make(a, b, c)
        links = ((a, b), (b, c), (c, a))
        codes = await asyncio.gather(
            *(code_of(stage.dependencies.link(waits, needed, ANN)) for waits, needed in links)
        )
        assert sorted(codes) == ["cycle", "ok", "ok"]


async def test_one_key_makes_one_card(stage: BacklogStage) -> None:
    drafts = [CardDraft(f"A{n}", title="a", idempotency_key="k") for n in range(8)]
    cards = await asyncio.gather(*(stage.shelf.create(draft, ANN) for draft in drafts))
    assert len({card.id for card in cards}) == 1
    assert (await stage.shelf.stats()).total == 1


async def test_one_id_makes_one_card(stage: BacklogStage) -> None:
    creates = (code_of(stage.shelf.create(CardDraft("A", title=f"{n}"), ANN)) for n in range(8))
    assert sorted(await asyncio.gather(*creates)) == ["card_exists"] * 7 + ["ok"]


async def test_a_storm_of_everything_leaves_every_count_right(
    stage: BacklogStage, database: Database
) -> None:
    ids = [f"C{number}" for number in range(12)]
    await stage.make(*ids)

    async def storm(seed: int) -> None:
        chance = random.Random(seed)
        for step in range(40):
            await code_of(one_step(stage, chance, ids, f"S{seed}.{step}"))

    await asyncio.gather(*(storm(seed) for seed in range(8)))
    assert await drifted(database) == []


def one_step(
    stage: BacklogStage, chance: random.Random, ids: list[str], new: str
) -> Awaitable[object]:
    a, b, c = chance.sample(ids, 3)
    second = timedelta(seconds=1)
    steps = (
        lambda: stage.shelf.create(CardDraft(new, title="n", depends_on=(a, b)), ANN),
        lambda: stage.shelf.edit(CardDraft(a, priority=chance.randrange(9)), ANN),
        lambda: stage.shelf.edit(CardDraft(a, depends_on=(b, c)), ANN),
        lambda: stage.dependencies.link(a, b, ANN),
        lambda: stage.dependencies.unlink(a, b, ANN),
        lambda: stage.dependencies.block(a, None, ANN),
        lambda: stage.dependencies.unblock(a, ANN),
        lambda: stage.claims.claim("w", second, None, ANN),
        lambda: stage.claims.claim("w", second, a, ANN),
        lambda: stage.claims.reclaim(a, ANN),
        lambda: stage.claims.reclaim(None, ANN),
        lambda: stage.claims.complete(a if chance.random() < 0.3 else new, None, ANN),
    )
    return chance.choice(steps)()


async def test_a_refused_change_keeps_nobody_waiting(stage: BacklogStage) -> None:
    await stage.make("A", "B")
    await stage.dependencies.link("A", "B", ANN)
    assert (await refusal(stage.dependencies.link("B", "A", ANN))).code == "cycle"
    async with asyncio.timeout(5):
        await stage.claims.complete("B", None, ANN)
