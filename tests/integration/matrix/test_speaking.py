"""What we say stands in a real room exactly as it should on the wire."""

import asyncio
from dataclasses import replace

import pytest

from bot.errors import TransientError, UserError
from bot.model import MessageKind, ReceiptState
from tests.stages.matrix import Ear, meet, message
from tests.stages.synapse import Town
from tests.waiting import until


async def test_a_reply_is_a_notice_that_answers_and_mentions_its_person(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    ear = Ear()
    async with bot.listening(ear) as connector:
        asked = await ann.say(bot.room_id, "!help")
        await until(lambda: ear.events, what="the command")
        result = await connector.send(
            message(bot.room_id, "see", html="<b>see</b>", reply_to=asked)
        )
    assert (result.state, result.by) == (ReceiptState.ACCEPTED, "platform")
    [event] = [e for e in await ann.events(bot.room_id) if e["event_id"] == result.platform_id]
    assert event["content"] == {
        "msgtype": "m.notice",
        "body": "see",
        "format": "org.matrix.custom.html",
        "formatted_body": "<b>see</b>",
        "m.mentions": {"user_ids": [ann.user_id]},
        "m.relates_to": {"m.in_reply_to": {"event_id": asked}},
    }


async def test_an_agent_s_answer_is_text_in_the_thread_it_belongs_to(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    connector = bot.connector()
    root = await ann.say(bot.room_id, "hello")
    inner = await ann.say_in_thread(bot.room_id, root, "and?")
    answer = message(bot.room_id, "done", MessageKind.ANSWER, thread=root, reply_to=inner)
    plain = message(bot.room_id, "also", MessageKind.ANSWER, thread=root)
    shown = await connector.send(answer)
    await connector.send(plain)
    await connector.close()
    first, second = await ann.spoken(bot.room_id, bot.user_id)
    assert first["msgtype"] == "m.text"
    assert first["m.mentions"] == {}
    relation = {"rel_type": "m.thread", "event_id": root, "is_falling_back": True}
    assert first["m.relates_to"] == {**relation, "m.in_reply_to": {"event_id": inner}}
    assert second["m.relates_to"] == {**relation, "m.in_reply_to": {"event_id": shown.platform_id}}


async def test_in_a_thread_a_late_answer_quotes_what_it_answers_and_calls_who_asked(
    matrix_town: Town,
) -> None:
    ann, bot = await meet(matrix_town)
    root = await ann.say(bot.room_id, "hello")
    asked = await ann.say_in_thread(bot.room_id, root, "and?")
    ear = Ear()
    async with bot.listening(ear) as connector:
        await ann.say_in_thread(bot.room_id, root, "meanwhile")
        await until(lambda: ear.events, what="what came between")
        answer = message(bot.room_id, "done", MessageKind.ANSWER, thread=root, reply_to=asked)
        await connector.send(replace(answer, answers=f"matrix:{ann.user_id}"))
    [said] = await ann.spoken(bot.room_id, bot.user_id)
    assert said["m.relates_to"]["is_falling_back"] is False
    assert said["m.relates_to"]["m.in_reply_to"] == {"event_id": asked}
    assert said["m.mentions"] == {"user_ids": [ann.user_id]}


async def test_below_an_event_that_can_begin_no_thread_it_is_a_plain_answer(
    matrix_town: Town,
) -> None:
    ann, bot = await meet(matrix_town)
    first = await ann.say(bot.room_id, "first")
    relation = {"rel_type": "m.reference", "event_id": first}
    asked = await ann.say(bot.room_id, "about that", **{"m.relates_to": relation})
    connector = bot.connector()
    answer = message(bot.room_id, "yes", MessageKind.ANSWER, thread=asked, reply_to=asked)
    results = [await connector.send(answer) for _ in range(2)]
    await connector.close()
    [said] = await ann.spoken(bot.room_id, bot.user_id)
    assert said["m.relates_to"] == {"m.in_reply_to": {"event_id": asked}}
    assert results[0].platform_id == results[1].platform_id


async def test_a_mark_stands_on_its_event_and_a_second_one_is_no_failure(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    connector = bot.connector()
    event_id = await ann.say(bot.room_id, "!help")
    for _ in range(2):
        mark = message(bot.room_id, "👀", MessageKind.REACTION, reply_to=event_id)
        result = await connector.send(mark)
        assert result.state is ReceiptState.ACCEPTED
    await connector.close()
    relation = {"rel_type": "m.annotation", "event_id": event_id, "key": "👀"}
    assert await ann.spoken(bot.room_id, bot.user_id) == [{"m.relates_to": relation}]


async def test_the_same_transaction_id_shows_once(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    said = message(bot.room_id, "once", transaction_id="frozen")
    first, second = bot.connector(), bot.connector()
    results = [await first.send(said), await first.send(said), await second.send(said)]
    await first.close()
    await second.close()
    assert len({result.platform_id for result in results}) == 1
    assert [said["body"] for said in await ann.spoken(bot.room_id, bot.user_id)] == ["once"]


async def test_messages_sent_at_once_land_in_the_order_of_the_calls(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    connector = bot.connector()
    await asyncio.gather(*(connector.send(message(bot.room_id, f"{n}")) for n in range(20)))
    await connector.close()
    said = [content["body"] for content in await ann.spoken(bot.room_id, bot.user_id)]
    assert said == [f"{n}" for n in range(20)]


async def test_the_largest_allowed_message_is_taken_and_markup_gives_way_first(
    matrix_town: Town,
) -> None:
    ann, bot = await meet(matrix_town)
    connector = bot.connector()
    half = connector.capabilities().max_bytes // 2
    await connector.send(message(bot.room_id, "e" * half, html="e" * half))
    await connector.send(message(bot.room_id, "\n" * half, html="\n" * half))
    with pytest.raises(UserError, match="a Matrix event takes"):
        await connector.send(message(bot.room_id, "e" * 70_000))
    await connector.close()
    first, second = await ann.spoken(bot.room_id, bot.user_id)
    assert "formatted_body" in first
    assert "formatted_body" not in second


async def test_typing_is_shown_and_taken_back(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    connector = bot.connector()
    await ann.client.sync(timeout=0)
    address = message(bot.room_id, "").to

    async def typists() -> list[str]:
        await ann.client.sync(timeout=0)
        return list(ann.client.rooms[bot.room_id].typing_users)

    async def is_typing() -> bool:
        return await typists() == [bot.user_id]

    async def has_stopped() -> bool:
        return await typists() == []

    await connector.typing(address, active=True)
    await until(is_typing, what="typing")
    await connector.typing(address, active=False)
    await until(has_stopped, what="no typing")
    await connector.close()


async def test_what_is_to_be_said_in_a_room_that_we_are_not_in_waits(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    connector = bot.connector()
    elsewhere = await ann.make_room()
    try:
        with pytest.raises(TransientError, match=f"invite {bot.user_id} there"):
            await connector.send(message(elsewhere, "hello?"))
    finally:
        await connector.close()


async def test_where_we_are_in_and_may_not_speak_we_are_refused(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    room_id = await ann.make_room(bot.user_id)
    await matrix_town.client(bot.account).client.join(room_id)
    await ann.put_state(room_id, "m.room.power_levels", {"users": {}, "events_default": 50})
    connector = bot.connector()
    try:
        with pytest.raises(UserError, match="M_FORBIDDEN"):
            await connector.send(message(room_id, "hello?"))
    finally:
        await connector.close()
