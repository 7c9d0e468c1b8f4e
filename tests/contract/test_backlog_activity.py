"""What the port Activity counts."""

from datetime import UTC, datetime, timedelta

from bot.backlog.cards import CardDraft, CardStatus
from bot.backlog.shipment import Entry
from tests.stages.backlog import ANN, BacklogStage

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def numbers(backlog: BacklogStage, since: datetime = LONG_AGO) -> tuple[int, int]:
    tally = await backlog.activity.since(since)
    return tally.created, tally.completed


async def test_an_empty_backlog_has_numbers_too(backlog: BacklogStage) -> None:
    assert await numbers(backlog) == (0, 0)
    assert (await backlog.activity.since(LONG_AGO)).began_at > LONG_AGO


async def test_cards_that_were_made_and_completed_are_counted_once(backlog: BacklogStage) -> None:
    await backlog.make("A", "B", "C")
    for card_id in ("A", "B"):
        await backlog.claims.complete(card_id, None, ANN)
    await backlog.keeping.undo("A", ANN)
    await backlog.claims.complete("A", None, ANN)
    await backlog.dependencies.block("C", None, ANN)
    assert await numbers(backlog) == (3, 2)
    await backlog.keeping.delete("B", ANN)
    assert await numbers(backlog) == (3, 2), "what was deleted was done all the same"
    brought = Entry(CardDraft("D", title="d"), status=CardStatus.DONE)
    await backlog.shipments.bring([brought], ANN, update=False, dry_run=False)
    assert await numbers(backlog) == (4, 2), "what came in done was not done here"


async def test_what_is_older_is_not_counted(backlog: BacklogStage) -> None:
    await backlog.make("A")
    await backlog.claims.complete("A", None, ANN)
    (_, history) = await backlog.shelf.show("A")
    assert await numbers(backlog, history[-1].at) == (0, 1)
    assert await numbers(backlog, history[-1].at + timedelta(microseconds=1)) == (0, 0)
