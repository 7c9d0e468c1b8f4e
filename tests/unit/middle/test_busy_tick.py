"""A tick in a large fleet: it does a bounded part, and begins with what frees agents."""

from datetime import timedelta

from bot.backlog.cards import CardStatus
from bot.model import Receipt, ReceiptState
from bot.supervision.dispatch_rules import Patience
from bot.supervision.ports import Outcome
from bot.supervision.tick import MOST_AT_ONCE, Result, Tick
from tests.stages.backlog import CODER
from tests.stages.supervision import SupervisionStage, memory_supervision, sighting

AGENTS = MOST_AT_ONCE + 20


def a_tick(stage: SupervisionStage) -> Tick:
    memory = stage.dispatches._memory  # type: ignore[attr-defined]
    return Tick(stage.seams, Patience(), lambda: None, memory.now)


async def take(stage: SupervisionStage) -> Result:
    tick = a_tick(stage)
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


async def test_who_has_no_slot_left_calls_for_no_tick_and_holds_nobody_up() -> None:
    stage = memory_supervision()
    await stage.workers.limit({"code": 1})
    for card in ("A1", "A2", "A3"):
        await stage.create(card, agent_class="code")
    names = [f"agent{number}" for number in range(AGENTS)]
    await stage.seen(*map(sighting, names))
    tick, result = a_tick(stage), await take(stage)
    assert result.dispatched == 1
    assert tick.needs(await tick.look()) is None
    await stage.create("A4", agent_class="review")
    await stage.seen(*map(sighting, names), sighting("late", "review"))
    result = await tick.run(await tick.look())
    said = {one.subject: one.code for one in result.verdicts}
    assert said["agent:here/late"] == "dispatched"
    assert list(said.values()).count("class-full") == AGENTS - 1


async def test_who_found_no_card_is_tried_again_later_or_when_other_cards_are_there() -> None:
    stage = memory_supervision()
    await stage.seen(sighting("ann"))
    await stage.create("A1")
    dispatch = (await stage.give("ann")).dispatch
    await stage.dispatches.end(dispatch, Outcome.LOST, "it was given back")
    await stage.advance(timedelta(minutes=1))
    await stage.seen(sighting("ann"))
    tick = a_tick(stage)
    assert tick.needs(await tick.look()) == "a card is ready"
    assert (await tick.run(await tick.look())).dispatched == 0, "it gave that one back"
    assert tick.needs(await tick.look()) is None
    await stage.create("A2", agent_class="code")
    assert tick.needs(await tick.look()) == "a card is ready"
    await stage.advance(timedelta(seconds=3))
    assert (await tick.run(await tick.look())).dispatched == 1


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
