"""What people say in a real room reaches us, once, in order, and as what it is."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.model import Address, InboundKind, MessageKind, Principal
from tests.stages.matrix import Ear, meet, message
from tests.stages.synapse import Town
from tests.waiting import until


async def test_a_text_comes_in_with_its_sender_room_and_time(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    ear = Ear()
    async with bot.listening(ear):
        event_id = await ann.say(bot.room_id, "!help")
        await until(lambda: ear.events, what="the text")
    [event] = ear.events
    assert (event.event_id, event.text, event.kind) == (event_id, "!help", InboundKind.TEXT)
    assert event.source == Address("matrix", bot.room_id)
    name = ann.user_id.removeprefix("@").partition(":")[0]
    assert event.sender == Principal(f"matrix:{ann.user_id}", name)
    assert abs(datetime.now(UTC) - event.sent_at) < timedelta(minutes=1)
    assert not event.recovered
    assert ear.gaps == []


async def test_a_text_in_a_thread_belongs_to_that_thread(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    ear = Ear()
    async with bot.listening(ear):
        root = await ann.say(bot.room_id, "plan")
        await ann.say_in_thread(bot.room_id, root, "in the thread")
        await until(lambda: len(ear.events) == 2, what="both texts")
    assert [event.source.thread for event in ear.events] == [None, root]


async def test_an_edit_comes_in_as_an_edit_with_the_new_text(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    ear = Ear()
    async with bot.listening(ear):
        first = await ann.say(bot.room_id, "!backlog claim")
        edit = await ann.edit(bot.room_id, first, "!backlog list")
        await until(lambda: len(ear.events) == 2, what="text and edit")
    text, edited = ear.events
    assert text.kind is InboundKind.TEXT
    assert (edited.kind, edited.event_id) == (InboundKind.EDIT, edit)
    assert edited.text == "!backlog list"


async def test_a_reply_is_read_without_the_quote_in_front(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    ear = Ear()
    async with bot.listening(ear):
        first = await ann.say(bot.room_id, "question")
        await ann.reply(bot.room_id, first, f"> <{ann.user_id}> question\n> more\n\n!help\n> kept")
        await until(lambda: len(ear.events) == 2, what="both texts")
    assert ear.texts == ["question", "!help\n> kept"]


async def test_our_own_words_and_marks_and_notices_are_not_heard(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    ear = Ear()
    async with bot.listening(ear) as connector:
        await connector.send(message(bot.room_id, "our own", MessageKind.ANSWER))
        await ann.send(bot.room_id, {"msgtype": "m.notice", "body": "another bot"})
        event_id = await ann.say(bot.room_id, "heard")
        mark = message(bot.room_id, "👍", MessageKind.REACTION, reply_to=event_id)
        await connector.send(mark)
        await ann.say(bot.room_id, "last")
        await until(lambda: "last" in ear.texts, what="the last text")
    assert ear.texts == ["heard", "last"]


async def test_a_person_s_mark_is_heard_and_so_is_taking_it_back(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    ear = Ear()
    async with bot.listening(ear) as connector:
        said = await connector.send(message(bot.room_id, "choose", MessageKind.NOTICE))
        tap = await ann.react(bot.room_id, str(said.platform_id), "👍")
        await until(lambda: ear.events, what="the mark")
        taken_back = await ann.redact(bot.room_id, tap)
        await ann.say(bot.room_id, "last")
        await until(lambda: "last" in ear.texts, what="the last text")
    mark, redaction, _ = ear.events
    assert (redaction.kind, redaction.event_id) == (InboundKind.REDACTION, taken_back)
    assert redaction.stands_on == tap
    assert (mark.kind, mark.text, mark.event_id) == (InboundKind.REACTION, "👍", tap)
    assert mark.stands_on == said.platform_id
    assert mark.sender == Principal(f"matrix:{ann.user_id}", mark.sender.name)


async def test_marks_that_were_missed_are_read_back_and_counted_as_no_words(
    matrix_town: Town,
) -> None:
    ann, bot = await meet(matrix_town)
    ear = Ear()
    async with bot.listening(ear):
        event_id = await ann.say(bot.room_id, "before")
        await until(lambda: ear.texts == ["before"], what="the text")
    await ann.react(bot.room_id, event_id, "👍")
    await ann.react(bot.room_id, event_id, "👎")
    await ann.say(bot.room_id, "after")
    async with bot.listening(ear):
        await until(lambda: "after" in ear.texts, what="the text after them")
    assert ear.texts == ["before", "👍", "👎", "after"]
    assert [(gap.recovered, gap.lost) for gap in ear.gaps] == [(1, 0)]


async def test_what_was_said_before_the_first_start_is_not_run(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    await ann.say(bot.room_id, "!old command")
    ear = Ear()
    async with bot.listening(ear):
        assert ear.position is not None
        await ann.say(bot.room_id, "new")
        await until(lambda: ear.events, what="the new text")
    assert ear.texts == ["new"]
    assert ear.gaps == []


async def test_many_people_s_texts_keep_the_room_s_order(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    ear = Ear()
    async with bot.listening(ear):
        for number in range(25):
            await ann.say(bot.room_id, f"{number}")
        await until(lambda: len(ear.events) >= 25, what="all texts")
    assert ear.texts == [f"{number}" for number in range(25)]


HOSTILE: list[tuple[str, dict[str, Any]]] = [
    ("m.room.message", {}),
    ("m.room.message", {"msgtype": "m.text"}),
    ("m.room.message", {"msgtype": "m.text", "body": 7}),
    ("m.room.message", {"msgtype": "m.text", "body": {"deep": ["x"]}}),
    ("m.room.message", {"msgtype": ["m.text"], "body": "list"}),
    ("m.room.message", {"msgtype": "m.unheard-of", "body": "x"}),
    ("m.room.message", {"msgtype": "m.image", "body": "x.png", "url": 7}),
    ("m.room.message", {"msgtype": "m.text", "body": "x", "m.relates_to": {"rel_type": "m.replace"}}),
    ("m.room.message", {"msgtype": "m.text", "body": "n" * 60_000}),
    ("m.room.message", {"msgtype": "m.text", "body": "nul \x00 bell \x07 rtl \u202e @room <b>"}),
    ("m.reaction", {"m.relates_to": "nonsense"}),
    ("m.reaction", {"m.relates_to": {"rel_type": "m.annotation", "event_id": ["$e"], "key": "x"}}),
    ("m.reaction", {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$e", "key": {}}}),
    ("m.reaction", {"m.relates_to": {"rel_type": "m.thread", "event_id": "$e", "key": "x"}}),
    ("m.room.message", {"msgtype": "m.text", "body": "x", "m.relates_to": [1, 2]}),
    ("org.example.unknown", {"anything": [None, {}]}),
    ("m.room.encrypted", {"algorithm": "nonsense"}),
]  # fmt: skip


async def test_hostile_events_harm_neither_the_loop_nor_their_neighbours(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    ear = Ear()
    accepted = 0
    async with bot.listening(ear):
        for event_type, content in HOSTILE:
            answer = await ann.client.room_send(bot.room_id, event_type, content)
            accepted += hasattr(answer, "event_id")
        await ann.say(bot.room_id, "still there")
        await until(lambda: "still there" in ear.texts, what="the text after them")
    assert accepted >= 8
    assert all("\x00" not in text for text in ear.texts)
    assert any("nul \ufffd bell" in text for text in ear.texts)
    assert "n" * 60_000 in ear.texts


async def test_deeply_nested_content_does_not_stop_the_loop(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    nested: Any = "x"
    for _ in range(80):
        nested = [nested]
    ear = Ear()
    async with bot.listening(ear):
        await ann.say(bot.room_id, "deep", extra=nested)
        await ann.say(bot.room_id, "after")
        await until(lambda: "after" in ear.texts, what="the text after it")
    assert ear.texts == ["deep", "after"]
