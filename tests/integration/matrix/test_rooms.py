"""Where we go and where we are silent."""

import pytest

from bot.errors import UserError
from bot.model import MessageKind
from tests.stages.matrix import Bot, Ear, meet, message
from tests.stages.synapse import Person, Town
from tests.waiting import until


async def _is_in(person: Person, room_id: str, user_id: str) -> bool:
    return user_id in await person.members(room_id)


async def _nothing_clear(person: Person, room_id: str, bot: Bot) -> None:
    assert await person.spoken(room_id, bot.user_id) == []


async def test_an_allowed_person_s_invitation_is_followed_and_a_stranger_s_is_not(
    matrix_town: Town,
) -> None:
    ann, bot = await meet(matrix_town)
    eve = await matrix_town.person("eve")
    ear = Ear()
    async with bot.listening(ear):
        trap = await eve.make_room(bot.user_id)
        await until(lambda: f"matrix:{eve.user_id}" in bot.asked, what="the stranger's invitation")
        good = await ann.make_room(bot.user_id)
        await until(lambda: _is_in(ann, good, bot.user_id), what="the bot in the room")
        await ann.say(good, "here")
        await until(lambda: "here" in ear.texts, what="a text of the new room")
        assert await eve.members(trap) == {eve.user_id}


async def test_an_invitation_while_we_were_away_is_followed_at_the_first_start(
    matrix_town: Town,
) -> None:
    ann, bot = await meet(matrix_town)
    room_id = await ann.make_room(bot.user_id)
    async with bot.listening(Ear()):
        await until(lambda: _is_in(ann, room_id, bot.user_id), what="the bot in the room")


async def test_the_primary_room_is_entered_and_its_absence_is_said(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    bot.allowed.clear()
    bot.room_id = await ann.make_room()
    async with bot.listening(Ear()) as connector:
        health = await connector.health()
        assert f"invite {bot.user_id} there" in health.detail
        await ann.client.room_invite(bot.room_id, bot.user_id)
        await until(lambda: _is_in(ann, bot.room_id, bot.user_id), what="the bot in the room")
        await until(lambda: not connector._rooms.notes, what="no note")
        await ann.client.room_kick(bot.room_id, bot.user_id)
        await until(lambda: connector._rooms.notes, what="the note after a kick")


async def test_nothing_is_said_in_an_encrypted_room_and_the_operators_are_told(
    matrix_town: Town,
) -> None:
    ann, bot = await meet(matrix_town)
    ear = Ear()
    async with bot.listening(ear) as connector:
        secret = await ann.make_room(bot.user_id, encrypted=True)
        await until(lambda: bot.reports, what="a report")
        assert await _is_in(ann, secret, bot.user_id)
        await ann.say(secret, "!help")
        for kind in (MessageKind.REPLY, MessageKind.ANSWER, MessageKind.NOTICE):
            with pytest.raises(UserError, match="encrypted") as refusal:
                await connector.send(message(secret, "clear text", kind))
            assert refusal.value.code == "encrypted_room"
        health = await connector.health()
    await _nothing_clear(ann, secret, bot)
    assert secret in health.detail
    assert len(bot.reports) == 1
    assert secret in bot.reports[0]
    assert ear.events == []


async def test_a_room_turned_encrypted_mid_way_gets_no_clear_text_from_then_on(
    matrix_town: Town,
) -> None:
    ann, bot = await meet(matrix_town)
    other = await matrix_town.room(bot.account, ann.account)
    ear = Ear()
    async with bot.listening(ear) as connector:
        await connector.send(message(other, "still clear"))
        await ann.encrypt(other)
        await until(lambda: bot.reports, what="a report")
        with pytest.raises(UserError, match="encrypted"):
            await connector.send(message(other, "no"))
    assert [said["body"] for said in await ann.spoken(other, bot.user_id)] == ["still clear"]


async def test_a_room_turned_encrypted_while_nobody_listened_is_refused_at_once(
    matrix_town: Town,
) -> None:
    ann, bot = await meet(matrix_town)
    connector = bot.connector()
    await connector.send(message(bot.room_id, "clear"))
    await ann.encrypt(bot.room_id)
    with pytest.raises(UserError, match="encrypted"):
        await connector.send(message(bot.room_id, "no"))
    mark = message(bot.room_id, "👀", MessageKind.REACTION, reply_to="$event")
    with pytest.raises(UserError, match="encrypted"):
        await connector.send(mark)
    await connector.close()
    assert [said["body"] for said in await ann.spoken(bot.room_id, bot.user_id)] == ["clear"]
