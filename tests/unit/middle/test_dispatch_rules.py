"""What an open dispatch needs next, for everything that can be known of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.agents.failure import FailureKind, TurnFailure, receipt_of
from bot.backlog.cards import Card, CardStatus
from bot.model import Receipt, ReceiptState
from bot.supervision.dispatch_rules import Ask, End, Patience, Renew, Send, Step, Wait, next_step
from bot.supervision.ports import Dispatch, OpenDispatch, Outcome, Sighting, Worker

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
PATIENCE = Patience()
SECOND = timedelta(seconds=1)


def card(**said: Any) -> Card:
    values: dict[str, Any] = dict.fromkeys(Card.__dataclass_fields__)
    values |= {
        "id": "A1",
        "title": "a card",
        "body": "",
        "priority": 0,
        "status": CardStatus.CLAIMED,
        "depends_on": (),
        "unmet_deps": 0,
        "claim_owner": "agent:here/ann",
        "claim_token": "token",
        "claim_ttl_seconds": 900,
        "claim_expires_at": NOW + timedelta(seconds=800),
        "attempts": 1,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Card(**values | said)


def worker(readiness: str = "working", **said: Any) -> Worker:
    seen = Sighting("here/ann", "code", True, False, readiness, "as it says")
    values = {"since": NOW - timedelta(hours=1), "host_seen_at": NOW}
    return Worker(seen, **values | said)


def progress(
    prompt: Receipt | None = None,
    ask: Receipt | None = None,
    *,
    of: Card | None = None,
    age: timedelta = 10 * SECOND,
) -> OpenDispatch:
    dispatch = Dispatch("d", "A1", "here/ann", "token", "prompt", "ask", NOW - age)
    stored = NOW - age
    return OpenDispatch(
        dispatch,
        of or card(),
        prompt,
        None if prompt is None else stored,
        ask,
        None if ask is None else stored,
    )


def said(state: ReceiptState, reason: str | None = None, *, by: str | None = None) -> Receipt:
    return Receipt("prompt", state, by=by, reason=reason, at=NOW - 10 * SECOND)


def failed(kind: FailureKind, detail: str = "") -> Receipt:
    return receipt_of("prompt", TurnFailure(kind, detail))


def step(one: OpenDispatch, who: Worker | None = None, *, paused: bool = False) -> Step:
    return next_step(one, who or worker(), NOW, PATIENCE, paused=paused)


def test_what_is_not_sent_is_sent_but_not_while_paused() -> None:
    assert step(progress()) == Send()
    assert isinstance(step(progress(), paused=True), Wait)


def test_a_done_card_ends_it_well() -> None:
    assert step(progress(said(ReceiptState.ACCEPTED), of=card(status=CardStatus.DONE))) == End(
        Outcome.COMPLETED, None
    )


@pytest.mark.parametrize(
    ("other", "word"),
    [
        ({"status": CardStatus.READY, "claim_token": None}, "claim ended"),
        (
            {"status": CardStatus.BLOCKED, "claim_token": None, "block_reason": "no key"},
            "blocked: no key",
        ),
        ({"claim_token": "other", "claim_owner": "ben"}, "ben has the card"),
        ({"claim_expires_at": NOW}, "no evidence of work"),
    ],
)
def test_a_claim_that_ended_otherwise_is_lost(other: dict[str, Any], word: str) -> None:
    found = step(progress(said(ReceiptState.ACCEPTED), of=card(**other)))
    assert isinstance(found, End)
    assert found.outcome is Outcome.LOST
    assert word in str(found.reason)


def test_a_prompt_that_may_still_be_typed_is_taken_back_first() -> None:
    gone = card(status=CardStatus.READY, claim_token=None)
    found = step(progress(said(ReceiptState.WAITING, "a draft"), of=gone))
    assert isinstance(found, End)
    assert found.withdraw == "prompt"
    typed = step(progress(said(ReceiptState.TYPED), of=gone))
    assert isinstance(typed, End)
    assert typed.withdraw is None


def test_a_prompt_that_is_not_taken_in_time_goes_back_but_not_while_paused() -> None:
    waits = progress(said(ReceiptState.WAITING, "a draft stands"), age=61 * SECOND)
    assert step(waits) == End(
        Outcome.REFUSED, "the prompt was not accepted in time: a draft stands", "prompt"
    )
    assert isinstance(step(waits, paused=True), Wait)
    assert isinstance(step(progress(said(ReceiptState.WAITING, "a draft stands"))), Wait)


@pytest.mark.parametrize(
    ("receipt", "outcome"),
    [
        (said(ReceiptState.FAILED, "it is not running"), Outcome.REFUSED),
        (said(ReceiptState.FAILED, "limit: a name that somebody gave"), Outcome.REFUSED),
        (failed(FailureKind.LIMIT, "until 15:00"), Outcome.LIMITED),
        (failed(FailureKind.ERROR, "no route"), Outcome.FAILED),
        (failed(FailureKind.INTERRUPTED), Outcome.FAILED),
    ],
)
def test_a_failure_says_whose_it_is(receipt: Receipt, outcome: Outcome) -> None:
    assert step(progress(receipt)) == End(outcome, receipt.reason)


def test_a_turn_that_ended_with_the_card_open_is_asked_about_once() -> None:
    answered = said(ReceiptState.ANSWERED)
    assert step(progress(answered), worker("available")) == Ask()
    assert isinstance(step(progress(answered), paused=True), Wait)
    found = step(progress(answered, said(ReceiptState.ANSWERED)), worker("available"))
    assert isinstance(found, End)
    assert found.outcome is Outcome.FORGOTTEN


def test_one_that_stands_at_its_prompt_for_long_has_ended_its_turn() -> None:
    taken = Receipt("prompt", ReceiptState.ACCEPTED, at=NOW - 40 * SECOND)
    assert step(progress(taken), worker("available", since=NOW - 31 * SECOND)) == Ask()
    assert isinstance(step(progress(taken), worker("available", since=NOW - SECOND)), Wait)
    fresh = Receipt("prompt", ReceiptState.ACCEPTED, at=NOW - SECOND)
    assert isinstance(step(progress(fresh), worker("available")), Wait), "not seen at work yet"


def test_a_claim_is_renewed_on_evidence_of_work_and_never_on_hope() -> None:
    taken = said(ReceiptState.ACCEPTED)
    due = card(claim_expires_at=NOW + timedelta(seconds=400))
    assert isinstance(step(progress(taken, of=due)), Renew)
    for readiness in ("stuck", "stale", "unknown", "available"):
        found = step(progress(taken, of=due), worker(readiness, since=NOW))
        assert isinstance(found, Wait), readiness
    assert isinstance(step(progress(taken)), Wait), "there is time left"
    silent = worker(host_seen_at=NOW - timedelta(minutes=1))
    assert isinstance(step(progress(taken, of=due), silent), Wait)


def test_an_agent_that_is_dead_or_gone_loses_its_card_at_once() -> None:
    taken = progress(said(ReceiptState.ACCEPTED))
    dead = step(taken, worker("dead"))
    assert isinstance(dead, End)
    assert dead.outcome is Outcome.LOST
    gone = next_step(taken, None, NOW, PATIENCE, paused=False)
    assert isinstance(gone, End)


RECEIPTS = st.one_of(
    st.none(),
    st.builds(
        Receipt,
        st.just("prompt"),
        st.sampled_from(list(ReceiptState)),
        by=st.sampled_from([None, "submitted"]),
        reason=st.sampled_from([None, "limit: now", "a draft"]),
        at=st.datetimes(NOW.replace(tzinfo=None) - timedelta(days=1), NOW.replace(tzinfo=None)).map(
            lambda at: at.replace(tzinfo=UTC)
        ),
    ),
)


@given(
    RECEIPTS,
    RECEIPTS,
    st.sampled_from(["dead", "unknown", "stale", "stuck", "working", "available"]),
    st.booleans(),
    st.integers(0, 4000),
)
def test_whatever_is_known_there_is_a_step_and_nothing_is_said_while_paused(
    prompt: Receipt | None, ask: Receipt | None, readiness: str, paused: bool, age: int
) -> None:
    one = progress(prompt, ask, age=age * SECOND)
    found = step(one, worker(readiness), paused=paused)
    if paused:
        assert not isinstance(found, Send | Ask)
    if isinstance(found, End) and found.withdraw is not None:
        assert found.withdraw in {"prompt", "ask"}
