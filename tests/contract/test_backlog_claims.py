"""The port Claims, for every implementation."""

from datetime import timedelta

from bot.backlog.cards import Card, CardStatus
from bot.model import Caller, Via
from bot.supervision.pause import SUPERVISOR
from tests.stages.backlog import ANN, CODER, MINUTE, BacklogStage, refusal

UNCLAIMED = (None, None, None, None)


def claim_of(card: Card) -> tuple[object, ...]:
    return (card.claim_owner, card.claim_token, card.claim_ttl_seconds, card.claimed_at)


async def test_a_claim_takes_the_highest_priority_then_the_oldest(backlog: BacklogStage) -> None:
    await backlog.make("low", priority=1)
    await backlog.make("high2", "high1", priority=9)
    taken = [(await backlog.take()).id for _ in range(3)]
    assert taken == ["high2", "high1", "low"]
    assert await backlog.claims.claim("w", MINUTE, None, ANN) is None


async def test_a_claimed_card_says_who_holds_it_and_how_often_it_was_tried(
    backlog: BacklogStage,
) -> None:
    await backlog.make("A")
    card = await backlog.take(owner="w1")
    assert (card.status, card.claim_owner, card.claim_ttl_seconds) == (CardStatus.CLAIMED, "w1", 60)
    assert card.claim_token
    assert card.claimed_at is not None
    assert card.attempts == 1
    assert await backlog.card("A") == card
    event = (await backlog.shelf.show("A"))[1][-1]
    assert (event.actor, event.via, event.action) == (ANN.principal.id, "chat", "claim")
    assert event.detail["claim_owner"] == {"from": None, "to": "w1"}
    assert event.detail["status"] == {"from": "ready", "to": "claimed"}


async def test_a_claim_that_nobody_starts_ends_with_its_grace(backlog: BacklogStage) -> None:
    await backlog.make("A")
    card = await backlog.claims.claim("w1", 10 * MINUTE, None, ANN, grace=MINUTE)
    assert card is not None
    assert card.claimed_at is not None
    assert card.claim_expires_at == card.claimed_at + MINUTE
    assert card.claim_ttl_seconds == 600
    await backlog.age(MINUTE / 2)
    assert await backlog.claims.reclaim(None, ANN) == []
    await backlog.age(MINUTE / 2)
    assert await backlog.claims.reclaim(None, ANN) == ["A"]


async def test_a_renewal_is_a_sign_of_life_that_ends_the_grace(backlog: BacklogStage) -> None:
    await backlog.make("A")
    card = await backlog.claims.claim("w1", 10 * MINUTE, None, ANN, grace=MINUTE)
    assert card is not None
    started = await backlog.claims.renew("A", card.claim_token or "", None, CODER)
    assert started.claimed_at is not None
    assert started.claim_expires_at == started.claimed_at + 10 * MINUTE
    await backlog.age(5 * MINUTE)
    assert await backlog.claims.reclaim(None, ANN) == []


async def test_a_grace_is_never_longer_than_the_claim(backlog: BacklogStage) -> None:
    await backlog.make("A")
    card = await backlog.claims.claim("w1", MINUTE, None, ANN, grace=10 * MINUTE)
    assert card is not None
    assert card.claimed_at is not None
    assert card.claim_expires_at == card.claimed_at + MINUTE


async def test_no_token_is_ever_in_a_history(backlog: BacklogStage) -> None:
    await backlog.make("A")
    card = await backlog.take()
    await backlog.claims.renew("A", card.claim_token or "", None, ANN)
    await backlog.claims.release("A", card.claim_token or "", ANN)
    assert str(card.claim_token) not in repr(await backlog.shelf.show("A"))


async def test_a_named_card_is_claimed_or_nothing_is(backlog: BacklogStage) -> None:
    await backlog.make("A", priority=9)
    await backlog.make("B")
    await backlog.make("C", needs=("A",))
    assert (await backlog.take("B")).id == "B"
    assert await backlog.claims.claim("w", MINUTE, "B", ANN) is None
    assert await backlog.claims.claim("w", MINUTE, "C", ANN) is None
    assert (await refusal(backlog.claims.claim("w", MINUTE, "no", ANN))).code == "unknown_card"


async def test_a_card_waits_for_its_dependencies(backlog: BacklogStage) -> None:
    await backlog.make("A")
    await backlog.make("B", needs=("A",), priority=9)
    first = await backlog.take()
    assert first.id == "A"
    assert await backlog.claims.claim("w", MINUTE, None, ANN) is None
    await backlog.claims.complete("A", first.claim_token, ANN)
    assert (await backlog.take()).id == "B"


async def test_a_renewed_claim_runs_anew(backlog: BacklogStage) -> None:
    await backlog.make("A")
    card = await backlog.take()
    await backlog.age(timedelta(seconds=50))
    renewed = await backlog.claims.renew("A", card.claim_token or "", None, ANN)
    assert (renewed.claim_token, renewed.claim_ttl_seconds) == (card.claim_token, 60)
    await backlog.age(timedelta(seconds=50))
    assert await backlog.claims.reclaim(None, ANN) == []
    longer = await backlog.claims.renew("A", card.claim_token or "", 5 * MINUTE, ANN)
    assert longer.claim_ttl_seconds == 300
    await backlog.age(2 * MINUTE)
    assert await backlog.claims.reclaim(None, ANN) == []


async def test_a_stale_token_is_refused_with_who_holds_the_card_now(backlog: BacklogStage) -> None:
    await backlog.make("A")
    late = (await backlog.take(owner="late")).claim_token or ""
    await backlog.claims.reclaim("A", ANN)
    now = await backlog.take(owner="prompt")
    for asked in (
        backlog.claims.renew("A", late, None, CODER),
        backlog.claims.release("A", late, CODER),
        backlog.claims.complete("A", late, CODER),
        backlog.claims.complete("A", late, ANN),
    ):
        error = await refusal(asked)
        assert error.code == "stale_token"
        assert "prompt" in error.message
        assert late not in error.message
    assert await backlog.card("A") == now


async def test_a_released_card_is_ready_without_a_trace_of_the_claim(backlog: BacklogStage) -> None:
    await backlog.make("A")
    card = await backlog.take()
    released = await backlog.claims.release("A", card.claim_token or "", ANN)
    assert released.status is CardStatus.READY
    assert claim_of(released) == UNCLAIMED
    assert released.attempts == 1
    assert (await backlog.take()).attempts == 2


async def test_every_attempt_has_its_own_token(backlog: BacklogStage) -> None:
    await backlog.make("A")
    first = await backlog.take()
    await backlog.claims.release("A", first.claim_token or "", ANN)
    assert (await backlog.take()).claim_token != first.claim_token


async def test_expired_claims_are_reclaimed_and_fresh_ones_are_not(backlog: BacklogStage) -> None:
    await backlog.make("B", "A", "C")
    await backlog.take("B")
    await backlog.take("A")
    await backlog.age(2 * MINUTE)
    await backlog.take("C")
    assert (await backlog.shelf.stats()).expired_claim_count == 2
    assert await backlog.claims.reclaim(None, ANN) == ["A", "B"]
    card = await backlog.card("A")
    assert (card.status, claim_of(card)) == (CardStatus.READY, UNCLAIMED)
    assert (await backlog.card("C")).status is CardStatus.CLAIMED
    event = (await backlog.shelf.show("A"))[1][-1]
    assert event.action == "reclaim"
    assert event.detail == {
        "status": {"from": "claimed", "to": "ready"},
        "claim_owner": {"from": "w1", "to": None},
        "claim_ttl_seconds": {"from": 60, "to": None},
    }


async def test_one_claim_can_be_ended_whatever_its_time(backlog: BacklogStage) -> None:
    await backlog.make("A", "B")
    await backlog.take("A")
    assert await backlog.claims.reclaim("A", ANN) == ["A"]
    assert await backlog.claims.reclaim("A", ANN) == []
    assert await backlog.claims.reclaim("B", ANN) == []
    assert (await refusal(backlog.claims.reclaim("no", ANN))).code == "unknown_card"


async def test_a_claim_takes_over_what_has_expired_when_nothing_else_is_there(
    backlog: BacklogStage,
) -> None:
    await backlog.make("A", "B")
    late = await backlog.take("A", owner="late")
    await backlog.age(2 * MINUTE)
    assert (await backlog.take()).id == "B", "what is ready comes first"
    again = await backlog.take(owner="prompt")
    assert (again.id, again.claim_owner, again.attempts) == ("A", "prompt", 2)
    assert again.claim_token != late.claim_token
    await backlog.age(2 * MINUTE)
    assert (await backlog.take("B")).attempts == 2
    assert await backlog.actions("A") == ["create", "claim", "reclaim", "claim", "reclaim"]


async def test_an_expired_claim_is_its_holders_until_somebody_takes_it(
    backlog: BacklogStage,
) -> None:
    await backlog.make("A", "B")
    first, second = await backlog.take("A"), await backlog.take("B")
    await backlog.age(2 * MINUTE)
    done = await backlog.claims.complete("A", first.claim_token, CODER)
    assert done.status is CardStatus.DONE
    await backlog.claims.renew("B", second.claim_token or "", None, CODER)
    assert await backlog.claims.reclaim(None, ANN) == []


async def test_completing_ends_the_claim_and_frees_the_dependents(backlog: BacklogStage) -> None:
    await backlog.make("A", "B")
    await backlog.make("C", needs=("A", "B"))
    card = await backlog.take("A")
    done = await backlog.claims.complete("A", card.claim_token, CODER)
    assert (done.status, claim_of(done)) == (CardStatus.DONE, UNCLAIMED)
    assert (await backlog.card("C")).unmet_deps == 1
    await backlog.claims.complete("B", None, ANN)
    assert (await backlog.card("C")).unmet_deps == 0
    assert await backlog.actions("A") == ["create", "claim", "complete"]


async def test_a_person_completes_from_every_status_without_a_token(backlog: BacklogStage) -> None:
    await backlog.make("ready", "claimed", "blocked")
    await backlog.make("waiting", needs=("ready",))
    await backlog.take("claimed")
    await backlog.dependencies.block("blocked", "why", ANN)
    for card_id in ("waiting", "ready", "claimed", "blocked", "ready"):
        done = await backlog.claims.complete(card_id, None, ANN)
        assert (done.status, done.block_reason) == (CardStatus.DONE, None)
        assert claim_of(done) == UNCLAIMED
    assert await backlog.actions("ready") == ["create", "complete"], "the second changed nothing"
    assert (await backlog.card("waiting")).unmet_deps == 0


async def test_an_agent_completes_with_its_token_only(backlog: BacklogStage) -> None:
    await backlog.make("A", "B")
    card = await backlog.take("A")
    for card_id in ("A", "B"):
        assert (await refusal(backlog.claims.complete(card_id, None, CODER))).code == (
            "token_required"
        )
    wrong = await refusal(backlog.claims.complete("B", card.claim_token, CODER))
    assert wrong.code == "stale_token"
    assert (await backlog.claims.complete("A", card.claim_token, CODER)).status is CardStatus.DONE
    late = await refusal(backlog.claims.complete("A", card.claim_token, CODER))
    assert late.code == "stale_token"


async def test_a_claim_lasts_a_second_to_a_week(backlog: BacklogStage) -> None:
    await backlog.make("A")
    for seconds in (0, -5, 604_801):
        asked = backlog.claims.claim("w", timedelta(seconds=seconds), None, ANN)
        error = await refusal(asked)
        assert error.code == "invalid"
        assert str(seconds) in error.message
    card = await backlog.claims.claim("w", timedelta(days=7), None, ANN)
    assert card is not None
    wrong = backlog.claims.renew("A", card.claim_token or "", timedelta(days=8), ANN)
    assert (await refusal(wrong)).code == "invalid"


async def test_unknown_ids_are_refused(backlog: BacklogStage) -> None:
    for asked in (
        backlog.claims.renew("no", "t", None, ANN),
        backlog.claims.release("no", "t", ANN),
        backlog.claims.complete("no", "t", ANN),
        backlog.claims.complete("no", None, ANN),
    ):
        assert (await refusal(asked)).code == "unknown_card"


async def test_a_pause_gives_agents_nothing_and_lets_people_go_on(backlog: BacklogStage) -> None:
    await backlog.make("A", "B", "C")
    supervisor = Caller(SUPERVISOR, Via.SCHEDULE)
    await backlog.pauses.pause(ANN.principal, "deploy", freeze=False)
    for caller in (CODER, supervisor):
        assert await backlog.claims.claim("w", MINUTE, None, caller) is None
        assert await backlog.claims.claim("w", MINUTE, "A", caller) is None
    assert await backlog.claims.claim("w", MINUTE, "A", ANN) is not None
    assert await backlog.claims.claim("w", MINUTE, None, ANN) is not None
    await backlog.pauses.resume(ANN.principal)
    assert await backlog.claims.claim("w", MINUTE, None, CODER) is not None


async def test_a_claim_that_began_before_a_pause_goes_on_to_its_end(backlog: BacklogStage) -> None:
    await backlog.make("A")
    card = await backlog.claims.claim("w", MINUTE, None, CODER)
    assert card is not None
    await backlog.pauses.pause(ANN.principal, None, freeze=True)
    token = card.claim_token or ""
    await backlog.claims.renew("A", token, None, CODER)
    done = await backlog.claims.complete("A", token, CODER)
    assert done.status is CardStatus.DONE


async def test_a_freeze_refuses_people_and_says_who_made_it(backlog: BacklogStage) -> None:
    await backlog.make("A")
    await backlog.pauses.pause(ANN.principal, "leak", freeze=True)
    for card_id in (None, "A"):
        error = await refusal(backlog.claims.claim("w", MINUTE, card_id, ANN))
        assert error.code == "paused"
        assert "paused by Ann since" in error.message
        assert await backlog.claims.claim("w", MINUTE, card_id, CODER) is None
    await backlog.pauses.resume(ANN.principal)
    assert await backlog.claims.claim("w", MINUTE, None, ANN) is not None


async def test_a_pause_takes_no_expired_claim_over(backlog: BacklogStage) -> None:
    await backlog.make("A")
    await backlog.take("A")
    await backlog.age(2 * MINUTE)
    await backlog.pauses.pause(ANN.principal, None, freeze=False)
    assert await backlog.claims.claim("w2", MINUTE, None, CODER) is None
    assert (await backlog.card("A")).claim_owner != "w2"
