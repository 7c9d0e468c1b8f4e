"""The ports Keeping and Housekeeping, for every implementation."""

from datetime import timedelta

from bot.backlog.cards import Card, CardDraft, CardFilter, CardStatus
from tests.stages.backlog import ANN, CODER, MINUTE, BacklogStage, refusal

DAY = timedelta(days=1)


async def done(backlog: BacklogStage, *ids: str) -> None:
    await backlog.make(*ids)
    for card_id in ids:
        await backlog.claims.complete(card_id, None, ANN)


async def shown(backlog: BacklogStage, *, archived: bool = False) -> list[str]:
    return [card.id for card in await backlog.shelf.list(CardFilter(archived=archived))]


async def undo(backlog: BacklogStage, card_id: str) -> Card:
    return await backlog.keeping.undo(card_id, ANN)


# -- archive -------------------------------------------------------------------------------------------


async def test_an_archived_card_is_known_and_out_of_sight(backlog: BacklogStage) -> None:
    await done(backlog, "A", "B")
    card = await backlog.keeping.archive("A", ANN)
    assert card.archived
    assert await shown(backlog) == ["B"]
    assert await shown(backlog, archived=True) == ["A"]
    assert (await backlog.card("A")).status is CardStatus.DONE
    stats = await backlog.shelf.stats()
    assert (stats.counts["done"], stats.total) == (1, 1)
    assert (await backlog.actions("A"))[-1] == "archive"


async def test_archiving_twice_changes_nothing(backlog: BacklogStage) -> None:
    await done(backlog, "A")
    first = await backlog.keeping.archive("A", ANN)
    assert await backlog.keeping.archive("A", ANN) == first
    assert (await backlog.actions("A")).count("archive") == 1


async def test_only_done_cards_are_archived(backlog: BacklogStage) -> None:
    await backlog.make("A")
    error = await refusal(backlog.keeping.archive("A", ANN))
    assert error.code == "wrong_status"
    assert (await refusal(backlog.keeping.archive("NO", ANN))).code == "unknown_card"


async def test_what_waits_for_an_archived_card_may_go_on(backlog: BacklogStage) -> None:
    await done(backlog, "A")
    await backlog.keeping.archive("A", ANN)
    await backlog.make("B", needs=("A",))
    assert (await backlog.card("B")).unmet_deps == 0
    assert (await backlog.take()).id == "B"


# -- delete --------------------------------------------------------------------------------------------


async def test_a_deleted_card_is_gone_with_its_edges_and_its_key(backlog: BacklogStage) -> None:
    await backlog.make("A")
    await backlog.shelf.create(
        CardDraft("B", title="b", depends_on=("A",), idempotency_key="k"), ANN
    )
    await backlog.keeping.delete("B", ANN)
    assert (await refusal(backlog.shelf.show("B"))).code == "unknown_card"
    await backlog.keeping.delete("A", ANN)
    again = await backlog.shelf.create(CardDraft("B", title="new", idempotency_key="k"), ANN)
    assert (again.title, again.depends_on) == ("new", ())
    assert (await backlog.actions("B")) == ["create", "delete", "create"]


async def test_what_others_depend_on_is_not_deleted(backlog: BacklogStage) -> None:
    await done(backlog, "A")
    await backlog.make("C", "B", needs=("A",))
    error = await refusal(backlog.keeping.delete("A", ANN))
    assert error.code == "in_use"
    assert "B, C depend on it" in error.message


async def test_what_somebody_holds_is_not_deleted(backlog: BacklogStage) -> None:
    await backlog.make("A")
    await backlog.take("A")
    assert (await refusal(backlog.keeping.delete("A", ANN))).code == "wrong_status"


# -- undo ----------------------------------------------------------------------------------------------


async def test_an_edit_is_undone_and_done_again(backlog: BacklogStage) -> None:
    await backlog.make("A", "X")
    before = await backlog.card("A")
    draft = CardDraft("A", title="new", phase="p", priority=3, acceptance=[1], depends_on=("X",))
    await backlog.shelf.edit(draft, ANN)
    card = await undo(backlog, "A")
    assert (card.title, card.phase, card.priority) == (before.title, None, 0)
    assert (card.acceptance, card.depends_on, card.unmet_deps) == (None, (), 0)
    card = await undo(backlog, "A")
    assert (card.title, card.depends_on, card.unmet_deps) == ("new", ("X",), 1)
    events = (await backlog.shelf.show("A"))[1]
    assert events[-1].action == "undo"
    assert events[-1].detail["reason"] == "undoes undo"


async def test_a_completion_is_undone_while_nobody_went_on(backlog: BacklogStage) -> None:
    await backlog.make("A")
    await backlog.make("B", needs=("A",))
    await backlog.take("A")
    await backlog.claims.complete("A", None, ANN)
    assert (await backlog.card("B")).unmet_deps == 0
    assert (await undo(backlog, "A")).status is CardStatus.READY
    assert (await backlog.card("B")).unmet_deps == 1
    assert (await undo(backlog, "A")).status is CardStatus.DONE
    await backlog.take("B")
    error = await refusal(undo(backlog, "A"))
    assert (error.code, "B went on" in error.message) == ("not_undoable", True)


async def test_block_and_unblock_are_undone_with_their_reason(backlog: BacklogStage) -> None:
    await backlog.make("A")
    await backlog.dependencies.block("A", "no key", ANN)
    await backlog.dependencies.unblock("A", ANN)
    card = await undo(backlog, "A")
    assert (card.status, card.block_reason) == (CardStatus.BLOCKED, "no key")


async def test_an_undone_claim_is_ready_and_its_token_is_worth_nothing(
    backlog: BacklogStage,
) -> None:
    await backlog.make("A")
    claimed = await backlog.take("A")
    assert (await undo(backlog, "A")).claim_owner is None
    error = await refusal(backlog.claims.complete("A", claimed.claim_token, CODER))
    assert error.code == "stale_token"


async def test_archiving_is_undone(backlog: BacklogStage) -> None:
    await done(backlog, "A")
    await backlog.keeping.archive("A", ANN)
    assert not (await undo(backlog, "A")).archived
    assert await shown(backlog) == ["A"]


async def test_what_cannot_be_had_back_says_so(backlog: BacklogStage) -> None:
    await backlog.make("A")
    assert "made the card" in (await refusal(undo(backlog, "A"))).message
    card = await backlog.take("A")
    await backlog.claims.release("A", card.claim_token or "", ANN)
    assert "ended a claim" in (await refusal(undo(backlog, "A"))).message


async def test_a_renewal_is_no_change_to_undo(backlog: BacklogStage) -> None:
    await backlog.make("A")
    card = await backlog.take("A")
    await backlog.claims.renew("A", card.claim_token or "", 5 * MINUTE, ANN)
    assert (await undo(backlog, "A")).status is CardStatus.READY


# -- housekeeping --------------------------------------------------------------------------------------


async def test_cards_that_are_done_for_long_are_archived(backlog: BacklogStage) -> None:
    await done(backlog, "OLD")
    await backlog.make("OPEN")
    await backlog.age(2 * DAY)
    await done(backlog, "NEW")
    assert await backlog.housekeeping.archive_finished(DAY, ANN) == 1
    assert await shown(backlog) == ["OPEN", "NEW"]
    assert (await backlog.actions("OLD"))[-1] == "archive"
    assert await backlog.housekeeping.archive_finished(DAY, ANN) == 0


async def test_a_right_backlog_has_no_drift(backlog: BacklogStage) -> None:
    await backlog.make("A")
    await backlog.make("B", needs=("A",))
    assert await backlog.recount.recount(ANN) == []
