"""A tick in a large fleet: it does a bounded part, and begins with what frees agents."""

from datetime import timedelta

from bot.cards import CardStatus
from bot.dispatch_rules import Patience
from bot.model import Receipt, ReceiptState
from bot.supervision import Outcome
from bot.tick import MOST_AT_ONCE, Result, Tick
from tests.stages.backlog import CODER
from tests.stages.supervision import SupervisionStage, memory_supervision, sighting

AGENTS = MOST_AT_ONCE + 20


async def take(stage: SupervisionStage) -> Result:
    now = (await stage.workers.all())[0].host_seen_at
    tick = Tick(stage.seams, Patience(), lambda: None, lambda: now)
    return await tick.run(await tick.look())


async def test_what_is_more_than_a_tick_does_is_done_by_the_next_and_ends_come_first() -> None:
    stage = memory_supervision()
    names = [f"agent{number}" for number in range(AGENTS)]
    for number in range(AGENTS):
        await stage.create(f"A{number}")
    await stage.seen(*map(sighting, names))
    assert (await take(stage)).dispatched == MOST_AT_ONCE
    assert (await take(stage)).dispatched == AGENTS - MOST_AT_ONCE
    found = await stage.dispatches.open()
    await stage.receive(*(Receipt(one.dispatch.message_id, ReceiptState.ACCEPTED) for one in found))
    # All work and have young claims, which are to be renewed; the last one is done.
    await stage.seen(*(sighting(name, readiness="working") for name in names))
    last = found[-1].dispatch
    await stage.backlog.claims.complete(last.card_id, last.claim_token, CODER)
    assert (await take(stage)).ended == 1
    (past,) = await stage.dispatches.history(f"card:{last.card_id}", 1)
    assert past.outcome is Outcome.COMPLETED
    assert await _renewed(stage) == MOST_AT_ONCE - 1
    await take(stage)
    assert await _renewed(stage) == AGENTS - 1


async def _renewed(stage: SupervisionStage) -> int:
    cards = [one.card for one in await stage.dispatches.open()]
    return sum(
        card is not None
        and card.status is CardStatus.CLAIMED
        and card.claim_expires_at is not None
        and card.claimed_at is not None
        and card.claim_expires_at - card.claimed_at > timedelta(minutes=10)
        for card in cards
    )
