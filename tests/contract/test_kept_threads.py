"""What the port ThreadBook promises: which cards want a thread, and which threads are to be looked at."""

from dataclasses import replace
from datetime import timedelta

from bot.backlog.cards import CardDraft, CardStatus
from bot.backlog.kept_threads import KeptThread, ThreadBook, ThreadLook, look_of
from bot.backlog.shipment import Entry
from bot.model import Address
from tests.stages.backlog import ANN, MINUTE, BacklogStage

KIND = "memory"
CARDS = Address(KIND, "cards")
HOUR = timedelta(hours=1)


async def wanted(backlog: BacklogStage, *, most: int = 10, at_creation: bool = True) -> list[str]:
    found = await backlog.book.wanted(KIND, at_creation=at_creation, most=most)
    return [card.id for card in found]


async def due(book: ThreadBook) -> list[str]:
    return [kept.message_id for kept, _ in await book.due(KIND, 100)]


async def begun(backlog: BacklogStage, card_id: str, message_id: str) -> KeptThread:
    """Begin a thread that is to be looked at when its card changes."""
    card = await backlog.card(card_id)
    await backlog.book.begin(card, CARDS, message_id)
    kept = next(k for k, _ in await backlog.book.due(KIND, 100) if k.message_id == message_id)
    kept = replace(kept, place=replace(CARDS, thread=f"${message_id}"))
    await backlog.book.keep(kept, card, None)
    return kept


async def test_cards_created_since_the_first_look_want_a_thread_and_claimed_ones_first(
    backlog: BacklogStage,
) -> None:
    await backlog.make("OLD", "HELD", "DONE")
    for _ in range(2):
        await backlog.book.open(KIND)
    await backlog.take("HELD")
    await backlog.claims.complete("DONE", None, ANN)
    assert await wanted(backlog) == ["HELD"]
    await backlog.make("A")
    await backlog.book.open(KIND)
    await backlog.make("B", priority=5)
    await backlog.shipments.bring(
        [Entry(line=1, draft=CardDraft("FILE", title="file"))], ANN, update=False, dry_run=False
    )
    assert await wanted(backlog) == ["HELD", "B", "A"]
    assert await wanted(backlog, at_creation=False) == ["HELD"]
    await backlog.threads.bind("B", Address(KIND, "elsewhere", "$1"))
    assert await wanted(backlog) == ["HELD", "A"]
    await backlog.claims.complete("A", None, ANN)
    assert await wanted(backlog) == ["HELD"]


async def test_only_so_many_are_begun_at_once_and_one_that_does_not_come_makes_room(
    backlog: BacklogStage,
) -> None:
    await backlog.book.open(KIND)
    await backlog.make("A", "B", "C")
    await backlog.book.begin(await backlog.card("A"), CARDS, "a")
    assert await wanted(backlog, most=2) == ["B"]
    await backlog.book.begin(await backlog.card("B"), CARDS, "b")
    assert await wanted(backlog, most=2) == []
    await backlog.age(2 * HOUR)
    assert await wanted(backlog, most=2) == ["C"]


async def test_a_card_has_one_thread_in_the_making_whoever_begins_it(backlog: BacklogStage) -> None:
    await backlog.make("A")
    card = await backlog.card("A")
    for message_id in ("a", "a", "other"):
        await backlog.book.begin(card, CARDS, message_id)
    ((kept, found),) = await backlog.book.due(KIND, 100)
    assert (kept.card_id, kept.place, kept.message_id, kept.look) == ("A", CARDS, "a", None)
    assert found == card
    assert await backlog.book.due("other", 100) == []


async def test_what_was_written_down_is_found_again(backlog: BacklogStage) -> None:
    await backlog.make("A")
    kept = await begun(backlog, "A", "a")
    card = await backlog.card("A")
    look = ThreadLook("A: title", CardStatus.BLOCKED, archived=True)
    kept = replace(kept, wording="w", edited_at=card.created_at, look=look)
    await backlog.book.keep(kept, card, timedelta())
    ((found, _),) = await backlog.book.due(KIND, 100)
    assert found == kept


async def test_a_thread_is_due_when_its_card_changed_or_when_it_was_to_be_looked_at_again(
    backlog: BacklogStage,
) -> None:
    await backlog.book.open(KIND)
    await backlog.make("A", "B")
    kept = await begun(backlog, "A", "a")
    await begun(backlog, "B", "b")
    assert await due(backlog.book) == []
    await backlog.take("A")
    assert await due(backlog.book) == ["a"]
    await backlog.book.keep(kept, await backlog.card("A"), HOUR)
    assert await due(backlog.book) == []
    await backlog.shelf.edit(CardDraft("A", title="another"), ANN)
    assert await due(backlog.book) == ["a"]
    await backlog.book.keep(kept, await backlog.card("A"), -MINUTE)
    assert await due(backlog.book) == ["a"]
    await backlog.book.forget("a")
    assert await due(backlog.book) == []


async def test_the_thread_of_a_deleted_card_is_due_and_a_later_card_of_that_id_wants_its_own(
    backlog: BacklogStage,
) -> None:
    await backlog.book.open(KIND)
    await backlog.make("A")
    kept = await begun(backlog, "A", "a")
    await backlog.keeping.delete("A", ANN)
    assert [(k.message_id, card) for k, card in await backlog.book.due(KIND, 100)] == [("a", None)]
    await backlog.book.keep(kept, None, HOUR)
    assert await due(backlog.book) == []
    await backlog.make("A")
    assert await wanted(backlog) == ["A"]
    await backlog.book.begin(await backlog.card("A"), CARDS, "a2")
    assert await due(backlog.book) == ["a2"]


async def test_a_position_that_moves_on_forgets_no_card_that_still_wants_a_thread(
    backlog: BacklogStage,
) -> None:
    await backlog.book.open(KIND)
    await backlog.make("A", "B")
    await begun(backlog, "A", "a")
    await backlog.age(10 * MINUTE)
    await backlog.book.settle(KIND, at_creation=True)
    assert await wanted(backlog) == ["B"]
    await begun(backlog, "B", "b")
    await backlog.book.settle(KIND, at_creation=True)
    await backlog.make("C")
    assert await wanted(backlog) == ["C"]
    await backlog.take("A")
    assert await due(backlog.book) == ["a"]


async def test_a_done_card_s_thread_is_put_away(backlog: BacklogStage) -> None:
    await backlog.make("A")
    assert not look_of(await backlog.card("A")).archived
    await backlog.claims.complete("A", None, ANN)
    assert look_of(await backlog.card("A")) == ThreadLook("A: a", CardStatus.DONE, archived=True)
