"""Cards that an argument may name, over every implementation of the backlog."""

from bot.backlog.cards import CardDraft
from bot.backlog.suggested_cards import SuggestedCards
from tests.stages.backlog import ANN, BacklogStage


async def suggested(backlog: BacklogStage, command: str, begun: str = "") -> list[str]:
    found = await SuggestedCards(backlog.shelf, backlog.inquiry)(command, begun)
    return [one.value for one in found]


async def test_a_command_is_suggested_the_cards_that_it_can_do_something_with(
    backlog: BacklogStage,
) -> None:
    await backlog.make("READY", "HELD", "STUCK", "DONE", "AWAY")
    await backlog.make("WAITS", needs=("READY",))
    await backlog.take("HELD")
    await backlog.dependencies.block("STUCK", None, ANN)
    for card_id in ("DONE", "AWAY"):
        await backlog.claims.complete(card_id, None, ANN)
    await backlog.keeping.archive("AWAY", ANN)
    assert await suggested(backlog, "backlog claim") == ["READY"]
    assert await suggested(backlog, "backlog renew") == ["HELD"]
    assert await suggested(backlog, "backlog complete") == ["HELD", "READY", "WAITS", "STUCK"]
    assert await suggested(backlog, "backlog block") == ["READY", "WAITS", "HELD"]
    assert await suggested(backlog, "backlog unblock") == ["STUCK"]
    assert await suggested(backlog, "backlog archive") == ["DONE"]
    assert set(await suggested(backlog, "backlog show")) == {
        "READY", "HELD", "STUCK", "DONE", "WAITS",
    }  # fmt: skip


async def test_what_is_written_so_far_finds_ids_and_titles_in_any_case(
    backlog: BacklogStage,
) -> None:
    for draft in (
        CardDraft("login-2", title="Another page"),
        CardDraft("X1", title="Fix the Login page"),
        CardDraft("X2", title="other"),
    ):
        await backlog.shelf.create(draft, ANN)
    assert await suggested(backlog, "backlog show", "LOGIN") == ["login-2", "X1"]
    assert await suggested(backlog, "backlog show", "page fix") == ["X1"]
    assert await suggested(backlog, "backlog show", "nothing like it") == []


async def test_a_claim_is_suggested_no_card_that_waits_whatever_is_written(
    backlog: BacklogStage,
) -> None:
    await backlog.make("FIRST")
    await backlog.make("FIRST-THEN", needs=("FIRST",))
    assert await suggested(backlog, "backlog claim", "first") == ["FIRST"]
    assert await suggested(backlog, "backlog show", "first") == ["FIRST", "FIRST-THEN"]


async def test_no_more_are_suggested_than_are_looked_through(backlog: BacklogStage) -> None:
    await backlog.make(*(f"C{number}" for number in range(30)))
    assert len(await suggested(backlog, "backlog show")) == 25
    assert len(await suggested(backlog, "backlog show", "c")) == 25


async def test_people_read_how_a_card_stands_and_what_it_is_about(backlog: BacklogStage) -> None:
    await backlog.shelf.create(CardDraft("A", title="Fix it"), ANN)
    (found,) = await SuggestedCards(backlog.shelf, backlog.inquiry)("backlog show", "")
    assert (found.value, found.label) == ("A", "A · Fix it (ready)")
