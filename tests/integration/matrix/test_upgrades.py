"""A room that was replaced: its role moves along, nothing that was said is lost, and nobody is led astray."""

from typing import Any

import pytest

from bot.errors import TransientError
from bot.model import MessageKind, ReceiptState
from tests.stages.matrix import Bot, Ear, meet, message
from tests.stages.synapse import Person, Town
from tests.waiting import until


async def _moved(bot: Bot, old: str) -> str:
    await until(lambda: old in bot.moves, what="the move")
    return bot.moves[old]


def _bodies(events: list[dict[str, Any]]) -> list[str]:
    return [event["body"] for event in events if "body" in event]


async def test_the_replacement_is_entered_and_takes_the_old_rooms_place(matrix_town: Town) -> None:
    bot_is_owner, bot = await meet(matrix_town)
    ann = bot_is_owner
    old = bot.room_id = await ann.make_room(bot.user_id)
    ear = Ear()
    async with bot.listening(ear) as connector:
        await ann.say(old, "here")
        await until(lambda: ear.texts == ["here"], what="a text of the old room")
        thread = ear.events[0].event_id
        new = await ann.upgrade(old, bot.user_id)
        assert await _moved(bot, old) == new
        await ann.say(new, "there")
        await until(lambda: ear.texts == ["here", "there"], what="a text of the new room")
        said = await connector.send(message(old, "an answer", thread=thread, reply_to=thread))
        assert said.state is ReceiptState.ACCEPTED
        mark = message(old, "👀", MessageKind.REACTION, reply_to=thread)
        assert (await connector.send(mark)).state is ReceiptState.UNKNOWN
        health = await connector.health()
        assert f"{old} was replaced by {new}" in health.detail
    (answer,) = await ann.spoken(new, bot.user_id)
    assert (answer["body"], "m.relates_to" in answer) == ("an answer", False)
    assert ear.events[1].source.place == new
    assert bot.reports == []


async def test_what_was_said_in_the_new_room_before_we_came_is_read_too(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    old = bot.room_id = await ann.make_room(bot.user_id)
    ear = Ear()
    async with bot.listening(ear):
        await ann.say(old, "before")
        await until(lambda: ear.texts, what="the first text")
    await ann.say(old, "missed in the old room")
    new = await ann.upgrade(old, bot.user_id)
    for number in range(5):
        await ann.say(new, f"missed in the new room {number}")
    async with bot.listening(ear):
        await ann.say(new, "live")
        await until(lambda: "live" in ear.texts, what="a live text")
    missed = [f"missed in the new room {number}" for number in range(5)]
    assert ear.texts == ["before", "missed in the old room", *missed, "live"]
    again = Ear(position=ear.position)
    async with bot.listening(again):  # the next life knows of it and begins nothing anew
        await ann.say(new, "once more")
        await until(lambda: again.texts, what="a text")
    assert again.texts == ["once more"]


async def test_both_rooms_are_told_where_we_may_still_speak(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    old = bot.room_id = await ann.make_room(bot.user_id)
    async with bot.listening(Ear()):
        await until(lambda: _is_in(ann, old, bot.user_id), what="the bot in the room")
        await ann.put_state(old, "m.room.power_levels", {
            "users": {bot.user_id: 100}, "users_default": 0,
        })  # fmt: skip
        new = await ann.upgrade(old, bot.user_id)
        await _moved(bot, old)
        await until(lambda: _said(ann, old, bot), what="the farewell")
    (farewell,) = _bodies(await ann.spoken(old, bot.user_id))
    assert new in farewell


async def _said(person: Person, room_id: str, bot: Bot) -> list[str]:
    return _bodies(await person.spoken(room_id, bot.user_id))


async def _is_in(person: Person, room_id: str, user_id: str) -> bool:
    return user_id in await person.members(room_id)


async def test_a_replacement_that_lets_nobody_in_is_entered_on_invitation_by_anybody(
    matrix_town: Town,
) -> None:
    ann, bot = await meet(matrix_town)
    old = bot.room_id = await ann.make_room(bot.user_id)
    bot.allowed.clear()
    ear = Ear()
    async with bot.listening(ear) as connector:
        await until(lambda: _is_in(ann, old, bot.user_id), what="the bot in the room")
        new = await ann.upgrade(old)
        note = f"{new} took over from another room: invite {bot.user_id}"
        await until(lambda: note in connector._rooms.notes, what="the note in the health")
        await ann.say(new, "!said before you came")
        await ann.invite(new, bot.user_id)
        assert await _moved(bot, old) == new
        await until(lambda: ear.texts, what="what was said")
    assert ear.texts == ["!said before you came"]


async def test_a_room_that_was_replaced_while_nobody_looked_is_followed_by_the_next_life(
    matrix_town: Town,
) -> None:
    ann, bot = await meet(matrix_town)
    old = bot.room_id = await ann.make_room(bot.user_id)
    async with bot.listening(Ear()):
        await until(lambda: _is_in(ann, old, bot.user_id), what="the bot in the room")
    new = await ann.upgrade(old, bot.user_id)
    ear = Ear()  # not even a position is left
    async with bot.listening(ear):
        assert await _moved(bot, old) == new
    bot.moves.clear()
    ear.position = None
    async with bot.listening(ear) as connector:
        assert await _moved(bot, old) == new
        assert not connector.is_out(message(old, "x").to)


async def test_a_room_that_does_not_name_the_old_one_is_not_followed(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    old = bot.room_id = await ann.make_room(bot.user_id)
    trap = await ann.make_room(bot.user_id)
    bot.allowed.clear()
    ear = Ear()
    async with bot.listening(ear):
        await until(lambda: _is_in(ann, old, bot.user_id), what="the bot in the room")
        await ann.put_state(old, "m.room.tombstone", {"body": "gone", "replacement_room": trap})
        await until(lambda: bot.reports, what="the report")
        await until(lambda: _is_out(ann, trap, bot.user_id), what="the bot out of the trap")
    assert "not followed" in bot.reports[0]
    assert bot.moves == {}


async def _is_out(person: Person, room_id: str, user_id: str) -> bool:
    return user_id not in await person.members(room_id)


async def test_a_room_that_only_claims_to_take_over_is_a_room_like_any(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    answer = await ann.client.room_create(
        invite=[bot.user_id], predecessor={"room_id": bot.room_id, "event_id": "$x"}
    )
    claims = str(answer.room_id)
    async with bot.listening(Ear()):
        await until(lambda: _is_in(ann, claims, bot.user_id), what="the bot in the room")
    assert bot.moves == {}


@pytest.mark.parametrize("content", [{"replacement_room": 7}, {"replacement_room": ""}])
async def test_a_tombstone_that_names_nothing_is_nothing(
    matrix_town: Town, content: dict[str, Any]
) -> None:
    ann, bot = await meet(matrix_town)
    room_id = bot.room_id = await ann.make_room(bot.user_id)
    ear = Ear()
    async with bot.listening(ear):
        await until(lambda: _is_in(ann, room_id, bot.user_id), what="the bot in the room")
        await ann.put_state(room_id, "m.room.tombstone", content)
        await ann.say(room_id, "after it")
        await until(lambda: ear.texts == ["after it"], what="the text after it")
    assert bot.moves == {}


@pytest.mark.parametrize("ban", [False, True])
async def test_what_is_to_be_said_where_we_were_put_out_waits_for_our_return(
    matrix_town: Town, *, ban: bool
) -> None:
    ann, bot = await meet(matrix_town)
    room_id = await ann.make_room(bot.user_id)
    ear = Ear()
    async with bot.listening(ear) as connector:
        await until(lambda: _is_in(ann, room_id, bot.user_id), what="the bot in the room")
        await ann.remove(room_id, bot.user_id, ban=ban)
        await until(lambda: bot.reports, what="the report")
        waits = message(room_id, "said when we are back")
        with pytest.raises(TransientError, match="not in"):
            await connector.send(waits)
    done = "banned" if ban else "removed"
    (report,) = bot.reports
    assert report.startswith(f"{ann.user_id} {done} me from {room_id} (enough). What")
    async with bot.listening(
        ear
    ) as connector:  # the next life knows no more of it than the room does
        with pytest.raises(TransientError, match="not in"):
            await connector.send(waits)
        if ban:
            await ann.client.room_unban(room_id, bot.user_id)
        await ann.say(room_id, "not for you")
        await ann.invite(room_id, bot.user_id)
        await until(lambda: _is_in(ann, room_id, bot.user_id), what="the bot in the room again")
        await connector.send(waits)
        await ann.say(room_id, "for you again")
        await until(lambda: ear.texts, what="a text")
    assert ear.texts == ["for you again"]
    assert await _said(ann, room_id, bot) == ["said when we are back"]
    assert set(bot.reports) == {report}  # of the same words only the first are said


async def _left_behind(town: Town) -> tuple[Person, Bot, str, Ear]:
    """Return a bot that heard something in a room and stopped; then something was said, and it was put out."""
    ann, bot = await meet(town)
    room_id = await ann.make_room(bot.user_id)
    ear = Ear()
    async with bot.listening(ear):
        await until(lambda: _is_in(ann, room_id, bot.user_id), what="the bot in the room")
        await ann.say(room_id, "before")
        await until(lambda: ear.texts, what="the first text")
    await ann.say(room_id, "missed, and we were in")
    await ann.remove(room_id, bot.user_id)
    await ann.say(room_id, "we were out")
    return ann, bot, room_id, ear


async def _come_back(ann: Person, bot: Bot, room_id: str, ear: Ear) -> None:
    await until(lambda: _is_in(ann, room_id, bot.user_id), what="the bot in the room again")
    await ann.say(room_id, "after")
    await until(lambda: "after" in ear.texts, what="the text after")


async def test_what_was_missed_before_we_were_put_out_is_recovered(matrix_town: Town) -> None:
    ann, bot, room_id, ear = await _left_behind(matrix_town)
    async with bot.listening(ear):
        await until(lambda: len(ear.texts) == 2, what="the missed text")
        await ann.invite(room_id, bot.user_id)
        await _come_back(ann, bot, room_id, ear)
    assert ear.texts == ["before", "missed, and we were in", "after"]
    assert [(gap.source.place, gap.recovered, gap.lost) for gap in ear.gaps] == [(room_id, 1, 0)]


async def test_where_nobody_tells_whether_a_room_was_private_its_words_are_given_up_aloud(
    matrix_town: Town,
) -> None:
    ann, bot, room_id, ear = await _left_behind(matrix_town)
    await ann.invite(room_id, bot.user_id)  # for one who is invited the server has no state at all
    async with bot.listening(ear):
        await _come_back(ann, bot, room_id, ear)
    assert ear.texts == ["before", "after"]
    assert f"What was last said in {room_id} could not be read." in bot.reports
