"""The ports Journal and Positions, for every implementation."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.model import Address, Inbound, InboundBatch, InboundKind, Principal
from tests.stages.mailroom import ROOM, Mailroom, letter

ANN = Principal("matrix:@ann:example.org", "Ann")
SENT_AT = datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)


def event(name: str, text: str = "!help", place: str = "room") -> Inbound:
    return Inbound(name, Address("matrix", place), ANN, text, SENT_AT)


def batch(*events: Inbound, position: str | None = None) -> InboundBatch:
    return InboundBatch("matrix", events, position)


async def test_events_come_back_in_order_and_unchanged(mailroom: Mailroom) -> None:
    edit = Inbound(
        "$2",
        Address("matrix", "room", "$1"),
        ANN,
        "* x\n",
        SENT_AT,
        InboundKind.EDIT,
        recovered=True,
    )
    given = [event("$3"), edit, event("$1", "z" * 200_000)]
    assert list(await mailroom.journal.accept(batch(*given))) == given
    assert list(await mailroom.journal.pending(10)) == given
    assert list(await mailroom.journal.pending(1)) == given[:1]


async def test_a_mark_keeps_what_it_stands_on(mailroom: Mailroom) -> None:
    given = replace(event("$2", "👍"), kind=InboundKind.REACTION, stands_on="$1")
    assert list(await mailroom.journal.accept(batch(given))) == [given]
    assert list(await mailroom.journal.pending(1)) == [given]
    assert await mailroom.journal.begin(given, "one")
    assert list(await mailroom.journal.interrupted("two")) == [given]


async def test_an_event_is_stored_once(mailroom: Mailroom) -> None:
    await mailroom.journal.accept(batch(event("$1")))
    again = batch(event("$1", "other"), event("$2"), event("$2"))
    assert list(await mailroom.journal.accept(again)) == [event("$2")]
    assert list(await mailroom.journal.pending(10)) == [event("$1"), event("$2")]


async def test_two_platforms_may_use_the_same_event_id(mailroom: Mailroom) -> None:
    elsewhere = Inbound("$1", Address("memory", "room"), ANN, "!help", SENT_AT)
    assert len(await mailroom.journal.accept(batch(event("$1"), elsewhere))) == 2


async def test_the_position_moves_with_the_events(mailroom: Mailroom) -> None:
    assert await mailroom.positions.position("matrix") is None
    await mailroom.journal.accept(batch(event("$1"), position="s1"))
    await mailroom.journal.accept(batch(event("$2")))
    assert await mailroom.positions.position("matrix") == "s1"
    await mailroom.journal.accept(batch(position="s2"))
    assert await mailroom.positions.position("matrix") == "s2"
    assert await mailroom.positions.position("memory") is None


async def test_what_is_said_of_a_batch_is_stored_with_it(mailroom: Mailroom) -> None:
    await mailroom.journal.accept(batch(position="s1"), [letter("recovered")])
    assert await mailroom.correspondence.message("recovered") is not None


async def test_a_batch_that_cannot_be_answered_is_not_stored(mailroom: Mailroom) -> None:
    with pytest.raises(ValueError, match="no parts"):
        await mailroom.journal.accept(batch(event("$1"), position="s1"), [letter("m", parts=0)])


async def test_characters_that_a_database_cannot_hold_stop_nothing(mailroom: Mailroom) -> None:
    hostile = event("$\x00", "a\x00b\ud800\\u0000", place="r\x00")
    stored = event("$\ufffd", "a\ufffdb\ufffd\\u0000", place="r\ufffd")
    assert list(await mailroom.journal.accept(batch(hostile))) == [stored]
    (pending,) = await mailroom.journal.pending(10)
    assert pending == stored
    assert await mailroom.journal.begin(pending, "life 1")


async def test_an_event_is_begun_by_one(mailroom: Mailroom) -> None:
    await mailroom.journal.accept(batch(event("$1")))
    tries = [mailroom.journal.begin(event("$1"), f"life {number}") for number in range(8)]
    assert sorted(await asyncio.gather(*tries)) == [False] * 7 + [True]
    assert list(await mailroom.journal.pending(10)) == []


async def test_beginning_may_be_asked_again_with_the_same_token(mailroom: Mailroom) -> None:
    await mailroom.journal.accept(batch(event("$1")))
    assert await mailroom.journal.begin(event("$1"), "life 1")
    assert await mailroom.journal.begin(event("$1"), "life 1")
    assert not await mailroom.journal.begin(event("$1"), "life 2")


async def test_an_event_that_ended_or_never_was_is_not_begun(mailroom: Mailroom) -> None:
    await mailroom.journal.accept(batch(event("$1")))
    await mailroom.journal.begin(event("$1"), "life 1")
    await mailroom.journal.finish(event("$1"), [], "done")
    assert not await mailroom.journal.begin(event("$1"), "life 1")
    assert not await mailroom.journal.begin(event("$2"), "life 1")


async def test_finishing_stores_the_answer_once(mailroom: Mailroom) -> None:
    await mailroom.journal.accept(batch(event("$1")))
    await mailroom.journal.begin(event("$1"), "life 1")
    for _ in range(2):
        await mailroom.journal.finish(event("$1"), [letter("reply", parts=2)], "done")
    assert len(await mailroom.correspondence.receipts("reply")) == 1
    assert list(await mailroom.journal.interrupted("life 2")) == []


async def test_an_end_is_kept_and_nothing_is_said_after_it(mailroom: Mailroom) -> None:
    await mailroom.journal.accept(batch(event("$1")))
    await mailroom.journal.finish(event("$1"), [letter("first")], "interrupted")
    await mailroom.journal.finish(event("$1"), [letter("late")], "done")
    assert await mailroom.correspondence.message("late") is None


async def test_an_event_may_end_without_being_begun(mailroom: Mailroom) -> None:
    await mailroom.journal.accept(batch(event("$1")))
    await mailroom.journal.finish(event("$1"), [], "ignored")
    assert list(await mailroom.journal.pending(10)) == []


async def test_finishing_what_never_came_is_a_bug(mailroom: Mailroom) -> None:
    with pytest.raises(LookupError, match="never accepted"):
        await mailroom.journal.finish(event("$1"), [], "done")


async def test_what_another_life_began_is_interrupted(mailroom: Mailroom) -> None:
    events = [event("$1"), event("$2"), event("$3")]
    await mailroom.journal.accept(batch(*events))
    for one in events:
        await mailroom.journal.begin(one, "life 1")
    await mailroom.journal.finish(events[1], [], "done")
    assert list(await mailroom.journal.interrupted("life 1")) == []
    assert list(await mailroom.journal.interrupted("life 2")) == [events[0], events[2]]


def revision(name: str, of: str, kind: InboundKind, text: str = "") -> Inbound:
    return replace(event(name, text), kind=kind, stands_on=of)


async def test_what_was_run_is_what_is_named_after_a_crash(mailroom: Mailroom) -> None:
    await mailroom.journal.accept(batch(event("$1", "!one")))
    assert await mailroom.journal.begin(event("$1", "!two"), "life 1")
    assert list(await mailroom.journal.interrupted("life 2")) == [event("$1", "!two")]


async def test_revisions_of_an_event_come_in_order_without_those_taken_back(
    mailroom: Mailroom,
) -> None:
    place = event("$1").source
    assert list(await mailroom.revisions.of(place, "$1")) == []
    first, second = (revision(name, "$1", InboundKind.EDIT, name) for name in ("$2", "$3"))
    gone = revision("$4", "$3", InboundKind.REDACTION)
    mark = revision("$5", "$1", InboundKind.REACTION, "👍")
    elsewhere = replace(revision("$6", "$1", InboundKind.EDIT), source=Address("matrix", "other"))
    await mailroom.journal.accept(batch(first, event("$1"), second, gone, mark, elsewhere))
    assert list(await mailroom.revisions.of(place, "$1")) == [first]
    taken = revision("$7", "$1", InboundKind.REDACTION)
    await mailroom.journal.accept(batch(taken))
    await mailroom.journal.finish(first, [], "done")
    assert list(await mailroom.revisions.of(place, "$1")) == [first, taken]


async def test_an_event_may_end_as_withdrawn(mailroom: Mailroom) -> None:
    await mailroom.journal.accept(batch(event("$1")))
    await mailroom.journal.finish(event("$1"), [], "withdrawn")
    assert list(await mailroom.journal.pending(10)) == []


async def test_known_events_are_told_from_unknown_ones(mailroom: Mailroom) -> None:
    await mailroom.journal.accept(batch(event("$1"), event("$2")))
    assert await mailroom.positions.known("matrix", ["$0", "$2", "$1"]) == {"$1", "$2"}
    assert await mailroom.positions.known("memory", ["$1"]) == frozenset()


async def test_the_first_word_on_who_took_over_counts(mailroom: Mailroom) -> None:
    assert await mailroom.successions.known("matrix") == {}
    old = Address("matrix", "!old")
    for new in ("!new", "!other"):
        await mailroom.successions.note(old, Address("matrix", new))
    await mailroom.successions.note(ROOM, Address("memory", "elsewhere"))
    assert await mailroom.successions.known("matrix") == {"!old": "!new"}
