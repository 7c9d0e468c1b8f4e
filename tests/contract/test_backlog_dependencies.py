"""The port Dependencies, for every implementation."""

from bot.backlog.cards import CardStatus
from tests.stages.backlog import ANN, CODER, MINUTE, BacklogStage, refusal


async def test_a_linked_card_waits_and_an_unlinked_one_does_not(backlog: BacklogStage) -> None:
    await backlog.make("A", "B")
    linked = await backlog.dependencies.link("A", "B", CODER)
    assert (linked.depends_on, linked.unmet_deps) == (("B",), 1)
    assert (await backlog.take()).id == "B"
    assert await backlog.claims.claim("w", MINUTE, None, ANN) is None
    free = await backlog.dependencies.unlink("A", "B", ANN)
    assert (free.depends_on, free.unmet_deps) == ((), 0)
    assert (await backlog.take()).id == "A"
    event = (await backlog.shelf.show("A"))[1][1]
    assert (event.actor, event.action) == (CODER.principal.id, "link")
    assert event.detail == {"depends_on": {"from": [], "to": ["B"]}}


async def test_a_link_to_a_done_card_holds_nothing_back(backlog: BacklogStage) -> None:
    await backlog.make("A", "B")
    await backlog.claims.complete("B", None, ANN)
    assert (await backlog.dependencies.link("A", "B", ANN)).unmet_deps == 0
    assert (await backlog.take()).id == "A"


async def test_what_is_already_so_leaves_no_trace(backlog: BacklogStage) -> None:
    await backlog.make("A", "B")
    linked = await backlog.dependencies.link("A", "B", ANN)
    assert await backlog.dependencies.link("A", "B", ANN) == linked
    free = await backlog.dependencies.unlink("A", "B", ANN)
    assert await backlog.dependencies.unlink("A", "B", ANN) == free
    assert await backlog.actions("A") == ["create", "link", "unlink"]


async def test_a_self_link_is_refused(backlog: BacklogStage) -> None:
    await backlog.make("A")
    assert (await refusal(backlog.dependencies.link("A", "A", ANN))).code == "self_link"


async def test_unknown_ids_are_refused(backlog: BacklogStage) -> None:
    await backlog.make("A")
    for asked in (
        backlog.dependencies.link("A", "no", ANN),
        backlog.dependencies.link("no", "A", ANN),
        backlog.dependencies.unlink("A", "no", ANN),
        backlog.dependencies.unlink("no", "A", ANN),
        backlog.dependencies.block("no", None, ANN),
        backlog.dependencies.unblock("no", ANN),
    ):
        error = await refusal(asked)
        assert error.code == "unknown_card"
        assert "'no'" in error.message
    assert (await backlog.card("A")).depends_on == ()


async def test_a_cycle_is_refused_and_nothing_changes(backlog: BacklogStage) -> None:
    await backlog.make("A")
    await backlog.make("B1", "B2", needs=("A",))
    await backlog.make("C", needs=("B1", "B2"))
    assert (await refusal(backlog.dependencies.link("A", "C", ANN))).code == "cycle"
    assert (await refusal(backlog.dependencies.link("A", "B2", ANN))).code == "cycle"
    assert (await backlog.card("A")).depends_on == ()
    await backlog.dependencies.unlink("C", "B1", ANN)
    await backlog.dependencies.unlink("C", "B2", ANN)
    assert (await backlog.dependencies.link("A", "C", ANN)).unmet_deps == 1


async def test_a_card_in_work_can_get_a_dependency(backlog: BacklogStage) -> None:
    await backlog.make("A", "B")
    card = await backlog.take("A")
    linked = await backlog.dependencies.link("A", "B", ANN)
    assert (linked.status, linked.unmet_deps) == (CardStatus.CLAIMED, 1)
    released = await backlog.claims.release("A", card.claim_token or "", ANN)
    assert released.unmet_deps == 1
    assert (await backlog.take()).id == "B"


async def test_a_blocked_card_is_not_claimable_and_says_why(backlog: BacklogStage) -> None:
    await backlog.make("A")
    blocked = await backlog.dependencies.block("A", "no licence", ANN)
    assert (blocked.status, blocked.block_reason) == (CardStatus.BLOCKED, "no licence")
    assert await backlog.claims.claim("w", MINUTE, None, ANN) is None
    assert await backlog.claims.claim("w", MINUTE, "A", ANN) is None
    free = await backlog.dependencies.unblock("A", ANN, "bought one")
    assert (free.status, free.block_reason) == (CardStatus.READY, None)
    assert (await backlog.shelf.show("A"))[1][-1].detail == {
        "status": {"from": "blocked", "to": "ready"},
        "block_reason": {"from": "no licence", "to": None},
        "reason": "bought one",
    }
    assert (await backlog.take()).id == "A"


async def test_blocking_ends_a_claim(backlog: BacklogStage) -> None:
    await backlog.make("A")
    late = (await backlog.take()).claim_token or ""
    blocked = await backlog.dependencies.block("A", None, ANN)
    assert (blocked.claim_owner, blocked.claim_token, blocked.claimed_at) == (None, None, None)
    assert (await refusal(backlog.claims.complete("A", late, CODER))).code == "stale_token"
    assert await backlog.claims.reclaim("A", ANN) == []


async def test_blocking_again_changes_the_reason_only(backlog: BacklogStage) -> None:
    await backlog.make("A")
    await backlog.dependencies.block("A", "one", ANN)
    assert (await backlog.dependencies.block("A", None, ANN)).block_reason == "one"
    assert (await backlog.dependencies.block("A", "two", ANN)).block_reason == "two"
    assert await backlog.actions("A") == ["create", "block", "block"]


async def test_a_block_says_what_it_cannot_do(backlog: BacklogStage) -> None:
    await backlog.make("A", "B", "C")
    await backlog.claims.complete("A", None, ANN)
    await backlog.take("B")
    for asked in (
        backlog.dependencies.block("A", None, ANN),
        backlog.dependencies.unblock("A", ANN),
        backlog.dependencies.unblock("B", ANN),
    ):
        assert (await refusal(asked)).code == "wrong_status"
    assert (await backlog.dependencies.unblock("C", ANN)).status is CardStatus.READY
    assert await backlog.actions("C") == ["create"]


async def test_a_blocked_dependency_still_holds_back(backlog: BacklogStage) -> None:
    await backlog.make("A")
    await backlog.make("B", needs=("A",))
    await backlog.dependencies.block("A", None, ANN)
    assert (await backlog.card("B")).unmet_deps == 1
    await backlog.claims.complete("A", None, ANN)
    assert (await backlog.card("B")).unmet_deps == 0
