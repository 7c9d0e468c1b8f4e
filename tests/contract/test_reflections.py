"""The ports Overheard and Reflections, for every implementation."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.enclosure import Enclosure
from bot.model import Address, InboundKind, Letter, MessageKind, Principal, agent_address
from bot.people.reflections import TAG, Marking, Utterance
from bot.reply import Offer, Text
from tests.stages.backlog import MINUTE
from tests.stages.mailroom import letter
from tests.stages.postgres import Tier
from tests.stages.reflections import (
    ReflectionsStage,
    memory_reflections,
    postgres_reflections,
)

ANN = Principal("left:ann", "Ann")
BEN = Principal("right:ben", "Ben")
LEFT, RIGHT = Address("left", "room", "root"), Address("right", "hall", "top")
ROOM = Address("left", "room")


@pytest.fixture
async def stage(mailroom_tier: Tier | None) -> AsyncIterator[ReflectionsStage]:
    if mailroom_tier is None:
        yield memory_reflections()
        return
    async with mailroom_tier.database() as database:
        yield postgres_reflections(database)


def said(name: str, to: Address = LEFT, *, cause: str | None = "cause", **more: object) -> Letter:
    """Return a letter that has a cause."""
    made = letter(name, to, **more)  # type: ignore[arg-type]
    return Letter(replace(made.message, cause=cause), made.parts)


def tagged(made: Letter, tag: str) -> Letter:
    """Return a letter with a tag."""
    parts = tuple(replace(part, tag=tag) for part in made.parts)
    return Letter(replace(made.message, tag=tag), parts)


def shows(made: Letter, cause: str) -> Letter:
    """Return a letter of the mirror's, which shows something."""
    return tagged(Letter(replace(made.message, cause=cause), made.parts), TAG)


async def heard(stage: ReflectionsStage) -> list[tuple[str, tuple[Address, ...]]]:
    reading = await stage.overheard.reading()
    found = await stage.overheard.heard(reading.heard, 100)
    return [(one.event.event_id, one.others) for one in found]


async def spoken(stage: ReflectionsStage) -> list[tuple[str, tuple[Address, ...]]]:
    reading = await stage.overheard.reading()
    return [(one.message.id, one.others) for one in await stage.overheard.said(reading.said, 100)]


async def test_words_in_a_thread_are_heard_with_the_card_s_threads_elsewhere(
    stage: ReflectionsStage,
) -> None:
    await stage.bind("A", LEFT, RIGHT)
    await stage.bind("B", Address("left", "room", "other"), Address("tmux", "console"))
    await stage.hear("in", LEFT, ANN)
    await stage.hear("root", ROOM, ANN)
    await stage.hear("room", ROOM, ANN)
    await stage.hear("alone", Address("left", "room", "other"), ANN)
    await stage.hear("back", RIGHT, BEN)
    assert await heard(stage) == [("in", (RIGHT,)), ("root", (RIGHT,)), ("back", (LEFT,))]
    everything = await stage.overheard.heard(0, 100)
    assert list(await stage.overheard.heard(everything[0].position, 1)) == [everything[1]]
    assert everything[0].at <= everything[1].at


async def test_what_was_said_before_both_threads_were_bound_is_history(
    stage: ReflectionsStage,
) -> None:
    await stage.bind("A", LEFT)
    await stage.hear("early", LEFT, ANN)
    await stage.say(said("early"))
    assert await stage.threads.bind("A", RIGHT)
    await stage.hear("late", LEFT, ANN)
    await stage.say(said("late"))
    assert await heard(stage) == [("late", (RIGHT,))]
    assert await spoken(stage) == [("late", (RIGHT,))]


async def test_marks_and_revisions_are_heard_wherever_in_such_places(
    stage: ReflectionsStage,
) -> None:
    await stage.bind("A", LEFT, RIGHT)
    await stage.hear("edit", ROOM, ANN, "new", kind=InboundKind.EDIT, stands_on="x")
    await stage.hear("mark", ROOM, ANN, "👍", kind=InboundKind.REACTION, stands_on="x")
    await stage.hear("gone", ROOM, ANN, "", kind=InboundKind.REDACTION, stands_on="x")
    await stage.hear(
        "far", Address("left", "elsewhere"), ANN, "👍", kind=InboundKind.REACTION, stands_on="x"
    )
    assert await heard(stage) == [("edit", ()), ("mark", ()), ("gone", ())]


async def test_of_ours_it_is_known_whose_words_it_answers(stage: ReflectionsStage) -> None:
    await stage.bind("A", LEFT, RIGHT)
    asked = await stage.hear("ask", LEFT, ANN)
    await stage.say(said("reply", cause=asked.id))
    await stage.say(said("answer", cause="some mail"))
    found = await stage.overheard.said((await stage.overheard.reading()).said, 100)
    assert [one.asked_by for one in found] == [ANN, None]


async def test_of_ours_what_has_a_cause_is_heard_but_marks_mail_and_the_mirror(
    stage: ReflectionsStage,
) -> None:
    await stage.bind("A", LEFT, RIGHT)
    for kind in (MessageKind.REPLY, MessageKind.NOTICE, MessageKind.ANSWER, MessageKind.PROGRESS):
        await stage.say(said(kind.value, kind=kind, parts=2))
    await stage.say(said("news", cause=None))
    await stage.say(said("mark", kind=MessageKind.REACTION, reply_to="x"))
    await stage.say(shows(said("shown"), "cause"))
    await stage.say(tagged(said("secret"), "private"))
    await stage.say(said("room", ROOM))
    assert [name for name, _ in await spoken(stage)] == ["reply", "notice", "answer", "progress"]


async def test_mail_is_heard_for_the_files_that_a_person_sent_from_the_thread(
    stage: ReflectionsStage,
) -> None:
    await stage.bind("A", LEFT, RIGHT)
    plan = Enclosure("plan.md", "text/markdown", 6, "content")
    for name, author, origin, files in (
        ("plain", ANN.id, LEFT, ()),
        ("agents", "agent:box/coder0", LEFT, (plan,)),
        ("elsewhere", ANN.id, ROOM, (plan,)),
        ("sent", ANN.id, LEFT, (plan,)),
    ):
        made = said(name, agent_address("box", "coder0"), kind=MessageKind.MAIL, author=author)
        message = replace(made.message, origin=origin, files=files)
        await stage.say(Letter(message, made.parts))
    (one,) = await stage.overheard.said(0, 10)
    assert (one.message.id, one.message.files, one.others) == ("sent", (plan,), (RIGHT,))


async def test_what_a_message_offers_is_heard_with_it(stage: ReflectionsStage) -> None:
    await stage.bind("A", LEFT, RIGHT)
    offers = (
        Offer("❌", "cancel 1", "leave it", MINUTE, ANN.id),
        Offer("👍", "confirm 1", "go on", MINUTE),
    )
    await stage.say(said("asked", offers=offers, blocks=(Text("sure?"),)))
    (one,) = await stage.overheard.said(0, 10)
    assert set(one.message.offers) == set(offers)
    assert one.message.blocks == (Text("sure?"),)


async def test_the_reading_follows_only_past_what_is_old(stage: ReflectionsStage) -> None:
    await stage.bind("A", LEFT, RIGHT)
    before = await stage.overheard.reading()
    await stage.hear("in", LEFT, ANN)
    await stage.say(said("answer"))
    await stage.overheard.settle()
    assert await stage.overheard.reading() == before
    await stage.age(timedelta(minutes=10))
    await stage.overheard.settle()
    after = await stage.overheard.reading()
    assert after.heard > before.heard
    assert after.said > before.said
    await stage.overheard.settle()
    assert await stage.overheard.reading() == after


async def test_a_person_s_words_are_found_by_their_platform_s_id(stage: ReflectionsStage) -> None:
    await stage.bind("A", LEFT, RIGHT)
    event = await stage.hear("in", LEFT, ANN)
    await stage.hear("root", ROOM, ANN)
    await stage.hear("room", ROOM, ANN)
    await stage.hear("mark", ROOM, ANN, "👍", kind=InboundKind.REACTION, stands_on="in")
    expected = Utterance(event.id, LEFT, "in", ANN, (RIGHT,))
    assert await stage.reflections.find(ROOM, "in") == expected
    root = await stage.reflections.find(ROOM, "root")
    assert root is not None
    assert root.place == LEFT
    for event_id in ("room", "mark", "nothing"):
        assert await stage.reflections.find(ROOM, event_id) is None
    assert await stage.reflections.find(RIGHT, "in") is None, "ids are a platform's own"


async def test_what_shows_something_is_known_by_what_it_shows(stage: ReflectionsStage) -> None:
    await stage.bind("A", LEFT, RIGHT)
    event = await stage.hear("in", LEFT, ANN)
    await stage.say(shows(said("copy", RIGHT, parts=2), event.id), "c1", "c2")
    expected = Utterance(event.id, LEFT, "in", ANN, (LEFT,))
    assert await stage.reflections.find(RIGHT, "c1") == expected
    assert await stage.reflections.find(RIGHT, "c2") == expected
    await stage.say(said("answer"), "a1")
    await stage.say(shows(said("again", RIGHT), "answer"), "a2")
    assert await stage.reflections.find(LEFT, "a1") == Utterance(
        "answer", LEFT, None, None, (RIGHT,)
    )
    assert await stage.reflections.find(RIGHT, "a2") == Utterance(
        "answer", LEFT, None, None, (LEFT,)
    )


async def test_an_edit_does_not_hide_what_it_edits(stage: ReflectionsStage) -> None:
    await stage.bind("A", LEFT, RIGHT)
    await stage.say(said("progress", kind=MessageKind.PROGRESS), "p1")
    edit = said("edit", kind=MessageKind.PROGRESS, replaces="progress")
    await stage.say(edit, "p1")
    found = await stage.reflections.find(LEFT, "p1")
    assert found is not None
    assert found.id == "progress"


async def test_marks_are_listed_as_they_came_and_went(stage: ReflectionsStage) -> None:
    await stage.bind("A", LEFT, RIGHT)
    await stage.hear("in", LEFT, ANN)
    await stage.hear("m1", ROOM, ANN, "👍", kind=InboundKind.REACTION, stands_on="in")
    await stage.hear("m2", ROOM, BEN, "👍", kind=InboundKind.REACTION, stands_on="in")
    await stage.hear("m3", ROOM, ANN, "🎉", kind=InboundKind.REACTION, stands_on="in")
    await stage.hear("r1", ROOM, ANN, "", kind=InboundKind.REDACTION, stands_on="m1")
    await stage.hear("r3", ROOM, ANN, "", kind=InboundKind.REDACTION, stands_on="m3")
    await stage.hear("r0", ROOM, ANN, "", kind=InboundKind.REDACTION, stands_on="in")
    assert list(await stage.reflections.markings(ROOM, "in", "👍")) == [
        Marking("m1", ANN),
        Marking("m2", BEN),
        Marking("r1", ANN, taken_back="m1"),
    ]
    mark = await stage.reflections.marked(ROOM, "m3")
    assert mark is not None
    assert (mark.text, mark.stands_on, mark.sender) == ("🎉", "in", ANN)
    assert await stage.reflections.marked(ROOM, "in") is None


async def test_parts_are_counted_without_the_marks_below(stage: ReflectionsStage) -> None:
    offer = Offer("👍", "confirm 1", "go on", MINUTE)
    await stage.say(said("words", parts=3, offers=(offer,)), "w1")
    await stage.say(said("mark", RIGHT, kind=MessageKind.REACTION, reply_to="x"))
    counts = [await stage.reflections.parts(name) for name in ("words", "mark", "nothing")]
    assert counts == [3, 1, 0]
    shown = [await stage.reflections.shown(name) for name in ("words", "mark", "nothing")]
    assert shown == ["w1", None, None]
