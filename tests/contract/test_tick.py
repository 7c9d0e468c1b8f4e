"""A tick over every implementation of its seams: cards go out, are followed, asked about, and come back with a reason."""

from datetime import timedelta

import pytest

from bot.backlog.cards import CardStatus
from bot.model import Principal, Receipt, ReceiptState
from bot.supervision.concerns import ConcernKind
from bot.supervision.dispatch_rules import Patience
from bot.supervision.escalation import Bounds, Escalation
from bot.supervision.explanation import explain_agent, explain_card
from bot.supervision.ports import OpenDispatch, Outcome
from bot.supervision.tick import Result, Tick
from tests.stages.backlog import ANN, CODER
from tests.stages.supervision import ORCHESTRATOR, SupervisionStage, sighting

SECOND = timedelta(seconds=1)


def tick_of(stage: SupervisionStage) -> Tick:
    return Tick(stage.seams, Patience(), lambda: ORCHESTRATOR, stage.now)


async def tick(stage: SupervisionStage) -> Result:
    one = tick_of(stage)
    return await one.run(await one.look())


async def only(stage: SupervisionStage) -> OpenDispatch:
    (progress,) = await stage.dispatches.open()
    return progress


async def card_status(stage: SupervisionStage, card_id: str) -> CardStatus:
    return (await stage.backlog.shelf.show(card_id))[0].status


async def say(stage: SupervisionStage, *states: ReceiptState, ask: bool = False) -> None:
    dispatch = (await only(stage)).dispatch
    message_id = dispatch.ask_id if ask else dispatch.message_id
    for state in states:
        await stage.receive(Receipt(message_id, state, by="submitted"))


async def codes(stage: SupervisionStage) -> dict[str, str]:
    return {one.subject: one.code for one in (await tick(stage)).verdicts}


async def test_a_free_agent_is_given_a_card_and_told_of_it_once(
    supervision: SupervisionStage,
) -> None:
    await supervision.seen(sighting("ann"))
    await supervision.create("A1", body="all of it")
    assert (await tick_of(supervision).look()).idle
    result = await tick(supervision)
    assert result.dispatched == 1
    progress = await only(supervision)
    assert progress.prompt is not None
    assert progress.prompt.state is ReceiptState.STORED
    again = await tick(supervision)
    assert (again.dispatched, again.over) == (0, [])


async def test_a_card_comes_with_the_files_in_its_folder(supervision: SupervisionStage) -> None:
    await supervision.seen(sighting("reader"))
    await supervision.create("A1")
    await supervision.bring("A1", "plan.txt")
    await supervision.bring("B1", "other.txt")
    await tick(supervision)
    claimed = await supervision.outbox.claim(["agent:here"], "here one", SECOND)
    (mail,) = [one.outbound for one in claimed if one.outbound.to.place == "here/reader"]
    (file,) = mail.files
    assert (file.name, file.card, file.content) == ("plan.txt", "A1", "plan.txt")


async def test_a_daemon_that_died_before_it_spoke_is_made_up_for(
    supervision: SupervisionStage,
) -> None:
    await supervision.seen(sighting("ann"))
    await supervision.create("A1")
    await supervision.give("ann")
    sight = await tick_of(supervision).look()
    assert tick_of(supervision).needs(sight) == "a dispatch moved on"
    await tick(supervision)
    assert (await only(supervision)).prompt is not None


async def test_a_completed_card_frees_its_agent_for_the_next(supervision: SupervisionStage) -> None:
    await supervision.seen(sighting("ann"))
    await supervision.create("A1")
    await supervision.create("A2")
    await tick(supervision)
    await say(supervision, ReceiptState.TYPED, ReceiptState.ACCEPTED)
    token = (await only(supervision)).dispatch.claim_token
    await supervision.backlog.claims.complete("A1", token, CODER)
    result = await tick(supervision)
    assert [outcome for _, outcome in result.over] == [Outcome.COMPLETED]
    assert (await only(supervision)).dispatch.card_id == "A2"


async def test_who_ends_a_turn_with_the_card_open_is_asked_once_and_then_loses_it(
    supervision: SupervisionStage,
) -> None:
    await supervision.seen(sighting("ann"))
    await supervision.create("A1")
    await tick(supervision)
    await say(supervision, ReceiptState.TYPED, ReceiptState.ACCEPTED, ReceiptState.ANSWERED)
    await tick(supervision)
    assert (await only(supervision)).ask is not None
    assert (await tick(supervision)).over == []
    await say(
        supervision, ReceiptState.TYPED, ReceiptState.ACCEPTED, ReceiptState.ANSWERED, ask=True
    )
    result = await tick(supervision)
    assert [outcome for _, outcome in result.over] == [Outcome.FORGOTTEN]
    assert await card_status(supervision, "A1") is CardStatus.READY
    assert (await codes(supervision))["agent:here/ann"] == "rests"


async def test_a_prompt_that_nobody_takes_is_taken_back_and_the_card_goes_to_another(
    supervision: SupervisionStage,
) -> None:
    await supervision.seen(sighting("ann"))
    await supervision.create("A1")
    await tick(supervision)
    first = (await only(supervision)).dispatch
    patience = Patience(accept=timedelta(0))
    hasty = Tick(supervision.seams, patience, lambda: ORCHESTRATOR, supervision.now)
    await supervision.seen(sighting("ann"), sighting("ben"))
    result = await hasty.run(await hasty.look())
    assert [outcome for _, outcome in result.over] == [Outcome.REFUSED]
    assert (await only(supervision)).dispatch.place == "here/ben"
    with pytest.raises(Exception, match="taken back"):
        await supervision.receive(Receipt(first.message_id, ReceiptState.TYPED))


async def test_while_paused_nothing_is_given_asked_or_late(supervision: SupervisionStage) -> None:
    ann = Principal("local:1000", "ann")
    await supervision.seen(sighting("ann"), sighting("ben"))
    await supervision.create("A1")
    await tick(supervision)
    await say(supervision, ReceiptState.TYPED, ReceiptState.ACCEPTED, ReceiptState.ANSWERED)
    await supervision.pauses.pause(ann, "deploy", freeze=False)
    await supervision.create("A2")
    result = await tick(supervision)
    assert (result.dispatched, result.over) == (0, [])
    assert (await only(supervision)).ask is None
    said = {one.subject: one for one in result.verdicts}
    assert said["fleet"].code == "paused"
    assert "deploy" in said["agent:here/ben"].sentence
    await supervision.pauses.resume(ann)
    assert (await tick(supervision)).dispatched == 1


async def test_what_is_said_of_everybody(supervision: SupervisionStage) -> None:
    await supervision.seen(
        sighting("ann", readiness="working"),
        sighting("ben", "review"),
        sighting("lead", "orchestrator", takes=False),
        sighting("eve", readiness="stuck"),
    )
    await supervision.create("A1", agent_class="painter")
    assert await codes(supervision) == {
        "agent:here/ann": "working",
        "agent:here/ben": "not-for-it",
        "agent:here/eve": "stuck",
        "agent:here/lead": "not-for-it",
        "fleet": "unserved",
    }


async def test_why_nothing_happens_is_said_in_a_sentence_each(
    supervision: SupervisionStage,
) -> None:
    await supervision.seen(sighting("ann", readiness="working"), sighting("ben", "review"))
    await supervision.create("A1", agent_class="code")
    await supervision.create("A2", agent_class="painter")
    sight = await tick_of(supervision).look()
    inquiry = supervision.backlog.inquiry
    said = explain_card(sight, await inquiry.situation("A1"), ())
    assert "Who could take it is not free: ann is working: its prompt is empty." in said
    assert any(
        "asks for class painter" in one
        for one in explain_card(sight, await inquiry.situation("A2"), ())
    )
    about = explain_agent(sight, await supervision.worker("ben"), (), ())
    assert about == ("ben is available.", "The ready cards ask for class code; class painter.")


# -- what people hear of -------------------------------------------------------------------------------


async def escalated(
    stage: SupervisionStage, escalation: Escalation, result: Result
) -> set[tuple[str, str]]:
    await escalation.look(result)
    return {(one.kind, one.subject) for one in await stage.concerns.open()}


def escalation_of(stage: SupervisionStage, attempts: int | None = None) -> Escalation:
    return Escalation(
        stage.concerns, stage.dispatches, stage.backlog, Bounds(attempts, timedelta(minutes=30))
    )


async def come_back(stage: SupervisionStage, name: str) -> Result:
    """Give a card to an agent that does not finish it."""
    await stage.seen(sighting(name))
    await stage.advance(timedelta(minutes=16))
    await stage.seen(sighting(name))
    await tick(stage)
    await stage.seen(sighting(name, readiness="dead"))
    return await tick(stage)


async def test_a_card_that_comes_back_again_and_again_is_a_concern_and_then_blocked(
    supervision: SupervisionStage,
) -> None:
    escalation = escalation_of(supervision, attempts=4)
    await supervision.create("A1")
    for number, name in enumerate(("a", "b", "c", "d"), start=1):
        result = await come_back(supervision, name)
        assert [outcome for _, outcome in result.over] == [Outcome.LOST], name
        concerns = await escalated(supervision, escalation, result)
        assert ((ConcernKind.STUCK_CARD, "A1") in concerns) is (number >= 3)
    card, _ = await supervision.backlog.shelf.show("A1")
    assert card.status is CardStatus.BLOCKED
    assert "came back 4 times" in str(card.block_reason)


async def test_cards_that_nobody_can_take_are_a_concern_until_somebody_can(
    supervision: SupervisionStage,
) -> None:
    escalation = escalation_of(supervision)
    await supervision.seen(sighting("ann"))
    await supervision.create("A1", agent_class="painter")
    concerns = await escalated(supervision, escalation, await tick(supervision))
    assert concerns == {(ConcernKind.NO_PROGRESS, "class painter")}
    await supervision.seen(sighting("ann"), sighting("pam", "painter"))
    assert await escalated(supervision, escalation, await tick(supervision)) == set()


async def test_a_claim_that_ran_out_is_a_concern_until_the_card_is_taken_up(
    supervision: SupervisionStage,
) -> None:
    escalation = escalation_of(supervision)
    await supervision.create("A1")
    await supervision.backlog.claims.claim("somebody", SECOND, "A1", ANN)
    await supervision.advance(2 * SECOND)
    concerns = await escalated(supervision, escalation, await tick(supervision))
    assert concerns == {(ConcernKind.EXPIRED_CLAIM, "A1")}
    await supervision.backlog.claims.complete("A1", None, ANN)
    assert await escalated(supervision, escalation, await tick(supervision)) == set()
