"""The ports Inquiry and Checklists, for every implementation."""

from datetime import timedelta

import pytest

from bot.backlog.cards import CardDraft, CardStatus
from bot.backlog.inquiry import reasons
from tests.stages.backlog import ANN, MINUTE, BacklogStage, refusal


async def why(backlog: BacklogStage, card_id: str) -> str:
    return "\n".join(reasons(await backlog.inquiry.situation(card_id)))


async def test_a_card_that_waits_names_its_dependencies_and_where_the_work_is(
    backlog: BacklogStage,
) -> None:
    await backlog.make("ROOT", "HELD")
    await backlog.make("MID", needs=("ROOT",))
    await backlog.make("TOP", needs=("MID", "HELD"))
    await backlog.take("HELD", owner="w7")
    await backlog.dependencies.block("ROOT", "no key", ANN)
    situation = await backlog.inquiry.situation("TOP")
    assert [card.id for card in situation.waits_for] == ["MID", "HELD"]
    assert [card.id for card in situation.roots] == ["HELD", "ROOT"]
    assert reasons(situation) == (
        "TOP is not ready: 2 of its dependencies are open.",
        "It waits for MID (waits for 1 itself).",
        "It waits for HELD (claimed by w7).",
        "In the end all of that waits for ROOT (blocked: no key).",
    )


async def test_a_ready_card_says_how_many_go_before_it(backlog: BacklogStage) -> None:
    await backlog.make("A", "B")
    await backlog.make("URGENT", priority=5)
    assert await why(backlog, "B") == "B is ready, and 2 others go before it."
    assert await why(backlog, "URGENT") == "URGENT is ready, and nothing goes before it."
    await backlog.shelf.edit(CardDraft("B", agent_class="code", agent="coder0", host="east"), ANN)
    said = await why(backlog, "B")
    assert "Only class code is given it." in said
    assert "Only agent coder0 is given it." in said
    assert "Only host east is given it." in said


async def test_blocked_claimed_and_done_cards_say_since_when_and_by_whom(
    backlog: BacklogStage,
) -> None:
    await backlog.make("A", "B", "C")
    await backlog.dependencies.block("A", "no key", ANN)
    card = await backlog.take("B", owner="w1")
    await backlog.claims.complete("C", None, ANN)
    blocked = (await backlog.inquiry.situation("A")).since
    assert blocked is not None
    said = await why(backlog, "A")
    assert (
        said == f"A is blocked since {blocked:%Y-%m-%d %H:%M:%S} UTC by {ANN.principal.id}: no key."
    )
    until = f"{card.claim_expires_at:%Y-%m-%d %H:%M:%S} UTC"
    assert await why(backlog, "B") == f"B is claimed by w1 until {until}."
    assert (await why(backlog, "C")).startswith("C is done since ")
    await backlog.keeping.archive("C", ANN)
    assert (await why(backlog, "C")).endswith(", and archived.")
    assert (await refusal(backlog.inquiry.situation("NO"))).code == "unknown_card"


async def test_search_finds_every_word_in_any_case_and_ranks_ids_first(
    backlog: BacklogStage,
) -> None:
    for draft in (
        CardDraft("X1", title="Paint the Schema", body="blue 50% _done_ Grün"),
        CardDraft("schema", title="other"),
        CardDraft("SCHEMA-2", title="more"),
        CardDraft("X2", title="none", body="a schema in the body"),
    ):
        await backlog.shelf.create(draft, ANN)

    async def found(text: str, limit: int = 10) -> list[str]:
        return [card.id for card in await backlog.inquiry.search(text, limit)]

    assert await found("Schema") == ["schema", "SCHEMA-2", "X1", "X2"]
    assert await found("schema", 2) == ["schema", "SCHEMA-2"]
    assert await found("blue schema") == ["X1"]
    assert await found("50%") == ["X1"]
    assert await found("_done_ grün") == ["X1"]
    assert await found("%") == ["X1"]
    assert await found("' OR 1=1 --") == []


async def test_stats_name_the_oldest_ready_card_and_what_stands_behind_blocked_ones(
    backlog: BacklogStage,
) -> None:
    await backlog.make("B1", "B2", "OLD")
    await backlog.make("M1", needs=("B1",))
    await backlog.make("M2", needs=("M1", "B2"))
    await backlog.make("NEW", priority=9)
    for card_id in ("B1", "B2"):
        await backlog.dependencies.block(card_id, None, ANN)
    stats = await backlog.shelf.stats()
    assert stats.oldest_ready_id == "OLD"
    assert stats.blocked_chains == (("B1", 2), ("B2", 1))
    await backlog.claims.complete("M1", None, ANN)
    assert (await backlog.shelf.stats()).blocked_chains == (("B1", 1), ("B2", 1))


# -- checklists ----------------------------------------------------------------------------------------


async def test_items_are_met_one_by_one(backlog: BacklogStage) -> None:
    await backlog.shelf.create(CardDraft("A", title="a", acceptance=["tests", "docs"]), ANN)
    card = await backlog.checklists.tick("A", 2, ANN, done=True)
    assert card.acceptance == [
        {"text": "tests", "done": False},
        {"text": "docs", "done": True},
    ]
    assert await backlog.checklists.tick("A", 2, ANN, done=True) == card
    card = await backlog.checklists.tick("A", 2, ANN, done=False)
    assert card.acceptance[1]["done"] is False
    assert await backlog.actions("A") == ["create", "check", "check"]
    assert (await backlog.keeping.undo("A", ANN)).acceptance[1]["done"] is True


async def test_completion_can_be_asked_to_require_the_checklist(backlog: BacklogStage) -> None:
    await backlog.shelf.create(CardDraft("A", title="a", acceptance=["tests", "docs"]), ANN)
    await backlog.make("B")
    await backlog.checklists.tick("A", 1, ANN, done=True)
    error = await refusal(backlog.claims.complete("A", None, ANN, checked=True))
    assert (error.code, "2. docs" in error.message) == ("not_accepted", True)
    assert "1. tests" not in error.message
    assert (await backlog.card("A")).status is CardStatus.READY
    await backlog.checklists.tick("A", 2, ANN, done=True)
    assert (await backlog.claims.complete("A", None, ANN, checked=True)).status is CardStatus.DONE
    assert (await backlog.claims.complete("B", None, ANN, checked=True)).status is CardStatus.DONE


@pytest.mark.parametrize("acceptance", [None, {"y": 1}, [], "text", [1], [{"text": "a", "x": 1}]])
async def test_what_is_no_checklist_cannot_be_ticked(
    backlog: BacklogStage, acceptance: object
) -> None:
    await backlog.shelf.create(CardDraft("A", title="a", acceptance=acceptance), ANN)
    error = await refusal(backlog.checklists.tick("A", 1, ANN, done=True))
    assert "A has no checklist" in error.message


async def test_an_item_that_is_not_there_is_refused_with_the_allowed_numbers(
    backlog: BacklogStage,
) -> None:
    await backlog.shelf.create(CardDraft("A", title="a", acceptance=["one"]), ANN)
    assert "1 to 1" in (await refusal(backlog.checklists.tick("A", 2, ANN, done=True))).message
    await backlog.claims.claim("w", 2 * MINUTE + timedelta(seconds=1), "A", ANN)
