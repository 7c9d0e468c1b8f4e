"""The ports Workers, Demands, Dispatches, Ticks and Leadership, for every implementation."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.backlog.cards import CardStatus
from bot.model import Message, MessageKind, Principal, Receipt, ReceiptState, agent_address
from bot.reply import Text
from bot.supervision.pause import SUPERVISOR
from bot.supervision.ports import Demand, Outcome, TickRecord, Verdict
from tests.stages.backlog import ANN, CODER
from tests.stages.supervision import GRACE, TTL, SupervisionStage, sighting

HOUR = timedelta(hours=1)


async def given_to(stage: SupervisionStage, name: str, host: str = "here") -> str | None:
    worker = await stage.worker(name, host)
    given = await stage.dispatches.assign(worker, TTL, GRACE)
    return None if given is None else given.dispatch.card_id


async def status(stage: SupervisionStage, card_id: str) -> CardStatus:
    return (await stage.backlog.shelf.show(card_id))[0].status


# -- the register --------------------------------------------------------------------------------------


async def test_a_host_says_how_its_agents_are_and_forgets_those_that_are_gone(
    supervision: SupervisionStage,
) -> None:
    await supervision.seen(sighting("ann"), sighting("ben", readiness="working"))
    await supervision.seen(sighting("eve", host="there"), host="there")
    before = await supervision.worker("ben")
    await supervision.seen(sighting("ben"))
    workers = {one.place: one for one in await supervision.workers.all()}
    assert sorted(workers) == ["here/ben", "there/eve"]
    assert workers["here/ben"].sighting.readiness == "available"
    assert workers["here/ben"].since > before.since


async def test_readiness_has_lasted_since_it_began(supervision: SupervisionStage) -> None:
    await supervision.seen(sighting("ann"))
    since = (await supervision.worker("ann")).since
    await supervision.seen(replace(sighting("ann"), evidence="something else"))
    again = await supervision.worker("ann")
    assert (again.since, again.sighting.evidence) == (since, "something else")


# -- what cards ask for --------------------------------------------------------------------------------


async def test_demands_name_each_sort_of_claimable_card_once(supervision: SupervisionStage) -> None:
    assert list(await supervision.demands.all()) == []
    await supervision.create("A1", agent_class="code")
    await supervision.create("A2", agent_class="code")
    await supervision.create("A3", agent="ann", host="here")
    await supervision.create("A4")
    await supervision.create("A5", agent_class="review", depends_on=("A4",))
    assert set(await supervision.demands.all()) == {
        Demand("code", None, None),
        Demand(None, "ann", "here"),
        Demand(None, None, None),
    }


async def test_every_completion_has_a_name_of_its_own(supervision: SupervisionStage) -> None:
    assert await supervision.demands.last_completion() == ""
    await supervision.create("A1")
    await supervision.create("A2")
    await supervision.backlog.claims.complete("A1", None, ANN)
    first = await supervision.demands.last_completion()
    await supervision.create("A3")
    assert await supervision.demands.last_completion() == first != ""
    await supervision.backlog.claims.complete("A2", None, ANN)
    assert await supervision.demands.last_completion() != first


# -- who gets which ------------------------------------------------------------------------------------


async def test_the_best_card_that_is_for_an_agent_is_given(supervision: SupervisionStage) -> None:
    await supervision.seen(sighting("ann"))
    await supervision.create("other", agent_class="review", priority=9)
    await supervision.create("named", agent="ben", priority=8)
    await supervision.create("away", host="there", priority=7)
    await supervision.create("low", agent_class="code", priority=1)
    await supervision.create("anybody", priority=2)
    progress = await supervision.give("ann")
    assert progress.dispatch.card_id == "anybody"
    assert progress.card is not None
    assert progress.card.claim_owner == "agent:here/ann"
    assert progress.card.claim_token == progress.dispatch.claim_token
    assert progress.card.attempts == 1
    actors = [one.actor for one in (await supervision.backlog.shelf.show("anybody"))[1]]
    assert actors[-1] == SUPERVISOR.id


async def test_a_class_that_takes_no_cards_gets_only_those_that_name_it(
    supervision: SupervisionStage,
) -> None:
    await supervision.seen(sighting("lead", "orchestrator", takes=False))
    await supervision.create("A1")
    assert await given_to(supervision, "lead") is None
    await supervision.create("A2", agent="lead")
    assert await given_to(supervision, "lead") == "A2"


async def test_an_agent_has_one_card_at_a_time(supervision: SupervisionStage) -> None:
    await supervision.seen(sighting("ann"), sighting("ben"))
    for card in ("A1", "A2", "A3"):
        await supervision.create(card)
    assert await given_to(supervision, "ann") == "A1"
    assert await given_to(supervision, "ann") is None
    assert await given_to(supervision, "ben") == "A2"


async def test_a_class_has_as_many_cards_as_it_has_slots(supervision: SupervisionStage) -> None:
    names = ("ann", "ben", "eve")
    await supervision.seen(*map(sighting, names))
    for card in ("A1", "A2", "A3"):
        await supervision.create(card)
    await supervision.workers.limit({"code": 2})
    assert not (await supervision.worker("eve")).class_is_full
    assert [await given_to(supervision, name) for name in names] == ["A1", "A2", None]
    assert (await supervision.worker("eve")).class_is_full
    first = (await supervision.dispatches.open())[0].dispatch
    assert await supervision.dispatches.end(first, Outcome.COMPLETED, None)
    assert not (await supervision.worker("eve")).class_is_full
    assert await given_to(supervision, "eve") == "A3"
    await supervision.workers.limit({})
    await supervision.create("A4")
    assert await given_to(supervision, "ann") == "A4"


async def test_nothing_is_given_while_a_pause_stands(supervision: SupervisionStage) -> None:
    ann = Principal("local:1000", "ann")
    await supervision.seen(sighting("ann"))
    await supervision.create("A1")
    await supervision.pauses.pause(ann, "deploy", freeze=False)
    assert await given_to(supervision, "ann") is None
    assert await status(supervision, "A1") is CardStatus.READY
    await supervision.pauses.resume(ann)
    assert await given_to(supervision, "ann") == "A1"


async def test_a_claim_that_nobody_starts_ends_with_its_grace(
    supervision: SupervisionStage,
) -> None:
    await supervision.seen(sighting("ann"))
    await supervision.create("A1")
    await supervision.give("ann")
    await supervision.advance(GRACE + timedelta(seconds=1))
    assert list(await supervision.backlog.claims.reclaim(None, ANN)) == ["A1"]


# -- how far it came -----------------------------------------------------------------------------------


async def test_progress_holds_the_newest_word_on_both_messages(
    supervision: SupervisionStage,
) -> None:
    await supervision.seen(sighting("ann"))
    await supervision.create("A1")
    dispatch = (await supervision.give("ann")).dispatch
    (progress,) = await supervision.dispatches.open()
    assert (progress.dispatch, progress.prompt, progress.ask) == (dispatch, None, None)
    mail = Message(
        id=dispatch.message_id,
        to=agent_address("here", "ann"),
        kind=MessageKind.MAIL,
        blocks=(Text("do it"),),
        author=SUPERVISOR.id,
    )
    await supervision.mailbox.post([mail])
    await supervision.receive(
        Receipt(mail.id, ReceiptState.WAITING, reason="a draft stands in its prompt")
    )
    (progress,) = await supervision.dispatches.open()
    assert progress.prompt is not None
    assert (progress.prompt.state, progress.prompt.reason) == (
        ReceiptState.WAITING,
        "a draft stands in its prompt",
    )
    assert progress.prompt_at is not None
    assert progress.ask_at is None


# -- the end -------------------------------------------------------------------------------------------


async def test_a_completed_one_ends_once_and_leaves_the_card_done(
    supervision: SupervisionStage,
) -> None:
    await supervision.seen(sighting("ann", resets=True))
    await supervision.create("A1")
    dispatch = (await supervision.give("ann")).dispatch
    await supervision.backlog.claims.complete("A1", dispatch.claim_token, CODER)
    assert await supervision.dispatches.end(dispatch, Outcome.COMPLETED, None)
    assert not await supervision.dispatches.end(dispatch, Outcome.LOST, "late")
    assert list(await supervision.dispatches.open()) == []
    assert await status(supervision, "A1") is CardStatus.DONE
    worker = await supervision.worker("ann")
    assert (worker.failures, worker.rests_until, worker.needs_reset) == (0, None, True)
    await supervision.workers.was_reset("here/ann")
    assert not (await supervision.worker("ann")).needs_reset
    (past,) = await supervision.dispatches.history("card:A1", 5)
    assert (past.outcome, past.place) == (Outcome.COMPLETED, "here/ann")


async def test_a_failed_one_gives_the_card_to_somebody_else_and_lets_the_agent_rest(
    supervision: SupervisionStage,
) -> None:
    await supervision.seen(sighting("ann"), sighting("ben"))
    await supervision.create("A1")
    dispatch = (await supervision.give("ann")).dispatch
    assert await supervision.dispatches.end(dispatch, Outcome.FORGOTTEN, "its turn ended")
    card, events = await supervision.backlog.shelf.show("A1")
    assert (card.status, card.claim_token, card.attempts) == (CardStatus.READY, None, 1)
    assert (events[-1].action, events[-1].detail["reason"]) == ("release", "its turn ended")
    worker = await supervision.worker("ann")
    assert worker.failures == 1
    assert worker.rests_until is not None
    assert await given_to(supervision, "ann") is None, "it gave it back"
    assert await given_to(supervision, "ben") == "A1"


async def test_a_card_that_comes_back_again_rests_longer(supervision: SupervisionStage) -> None:
    names = ("ann", "ben", "eve")
    await supervision.seen(*map(sighting, names))
    await supervision.create("A1")
    for name in names[:2]:
        dispatch = (await supervision.give(name)).dispatch
        await supervision.dispatches.end(dispatch, Outcome.REFUSED, "a draft stands")
    assert list(await supervision.demands.all()) == []
    assert await given_to(supervision, "eve") is None
    await supervision.advance(timedelta(seconds=16))
    assert await given_to(supervision, "eve") == "A1"


async def test_after_an_hour_an_agent_may_try_a_card_again(supervision: SupervisionStage) -> None:
    await supervision.seen(sighting("ann"))
    await supervision.create("A1")
    dispatch = (await supervision.give("ann")).dispatch
    await supervision.dispatches.end(dispatch, Outcome.FAILED, "error: no route")
    await supervision.advance(HOUR + timedelta(minutes=1))
    assert await given_to(supervision, "ann") == "A1"


async def test_a_card_that_names_its_agent_comes_back_to_it(supervision: SupervisionStage) -> None:
    await supervision.seen(sighting("ann"))
    await supervision.create("A1", agent="ann")
    dispatch = (await supervision.give("ann")).dispatch
    await supervision.dispatches.end(dispatch, Outcome.REFUSED, "a draft stands")
    assert await given_to(supervision, "ann") == "A1"


async def test_a_card_that_its_agent_gave_back_is_given_again_once_that_attempt_is_ended(
    supervision: SupervisionStage,
) -> None:
    await supervision.seen(sighting("ann"), sighting("ben"), sighting("eve"))
    await supervision.create("A1", priority=2)
    dispatch = (await supervision.give("ann")).dispatch
    await supervision.backlog.claims.release("A1", dispatch.claim_token, CODER)
    assert list(await supervision.demands.all()) == []
    await supervision.create("A2")
    assert await given_to(supervision, "ben") == "A2", "the one before it holds nobody up"
    assert await supervision.dispatches.end(dispatch, Outcome.LOST, "it was given back")
    assert await given_to(supervision, "eve") == "A1"


async def test_a_limit_costs_no_attempt(supervision: SupervisionStage) -> None:
    await supervision.seen(sighting("ann"))
    await supervision.create("A1")
    dispatch = (await supervision.give("ann")).dispatch
    await supervision.dispatches.end(dispatch, Outcome.LIMITED, "limit: until 15:00")
    assert (await supervision.backlog.shelf.show("A1"))[0].attempts == 0


async def test_the_end_of_an_attempt_leaves_a_later_one_alone(
    supervision: SupervisionStage,
) -> None:
    await supervision.seen(sighting("ann"))
    await supervision.create("A1")
    dispatch = (await supervision.give("ann")).dispatch
    await supervision.backlog.claims.reclaim("A1", ANN)
    later = await supervision.backlog.claims.claim("somebody", TTL, "A1", ANN)
    assert later is not None
    assert await supervision.dispatches.end(dispatch, Outcome.LOST, "somebody has it")
    card, _ = await supervision.backlog.shelf.show("A1")
    assert (card.status, card.claim_token) == (CardStatus.CLAIMED, later.claim_token)


# -- the record and the lead ---------------------------------------------------------------------------


def ticked(begun_at: datetime, trigger: str = "schedule") -> TickRecord:
    return TickRecord("here", trigger, begun_at, 5.0, 3.0, 0, 1, 0, 1, 2, 0.5)


async def test_ticks_and_what_they_decided_are_kept(supervision: SupervisionStage) -> None:
    now = datetime.now(UTC)
    first = Verdict("agent:here/ann", "working", "ann is working", now)
    await supervision.ticks.record(ticked(now), [first])
    second = Verdict("agent:here/ann", "free", "ann is available", now)
    await supervision.ticks.record(ticked(now, "a card is ready"), [second])
    await supervision.ticks.record(ticked(now), [])
    assert [one.trigger for one in await supervision.ticks.recent(2)] == [
        "schedule",
        "a card is ready",
    ]
    assert list(await supervision.ticks.verdicts("agent:here/ann", 5)) == [second, first]
    assert await supervision.ticks.standing() == {"agent:here/ann": second}


async def test_old_ticks_are_forgotten_but_for_what_still_stands(
    supervision: SupervisionStage,
) -> None:
    old = datetime(2029, 1, 1, tzinfo=UTC) - timedelta(days=30 * 365)
    stands = Verdict("fleet", "empty", "The backlog is empty", old)
    await supervision.ticks.record(ticked(old), [stands])
    await supervision.ticks.record(ticked(old), [])
    assert await supervision.ticks.prune(timedelta(days=14)) == 1
    assert list(await supervision.ticks.verdicts("fleet", 5)) == [stands]


async def test_one_leads_and_the_next_when_it_is_over(supervision: SupervisionStage) -> None:
    async with supervision.leadership.lead("here") as lead:
        assert lead is not None
        assert await lead.holds()
        async with supervision.leadership.lead("there") as other:
            assert other is None
    async with supervision.leadership.lead("there") as lead:
        assert lead is not None
    leader = await supervision.leadership.leader()
    assert leader is not None
    assert leader[0] == "there"
