"""Who has the key of a room, and when it is made anew."""

from pathlib import Path

import pytest

from connectors.matrix.wire import SEALED_LIMIT
from tests.stages.encrypted import another_device, meet_in_private, private_person
from tests.stages.matrix import Bot, Ear, message
from tests.stages.synapse import Town
from tests.waiting import until


async def _sessions(bot: Bot) -> list[str]:
    return [event["content"]["session_id"] for event in await bot.wire()]


async def test_somebody_who_left_has_not_the_key_of_what_is_said_then(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    eve = await private_person(matrix_town, await matrix_town.account("eve"), tmp_path)
    owner = matrix_town.client(bot.account).client
    await owner.room_invite(bot.room_id, eve.user_id)
    await eve.client.join(bot.room_id)
    async with ann.listening(), eve.listening(), bot.listening(Ear(), keys=vault) as connector:
        for text in ("all may know", "still"):
            await connector.send(message(bot.room_id, text))
            await eve.hears(text)
        await owner.room_kick(bot.room_id, eve.user_id)
        await until(lambda: not bot.counts_on(connector, eve.user_id), what="her leaving")
        await connector.send(message(bot.room_id, "without her"))
        await ann.hears("without her")
    first, second, third = await _sessions(bot)
    assert first == second != third
    assert third not in {one.id for one in eve.room_sessions(bot.room_id)}


async def test_a_device_that_was_logged_out_has_not_the_key_of_what_is_said_then(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    account = await another_device(matrix_town, ann.account)
    phone = await private_person(matrix_town, account, tmp_path)
    async with ann.listening(), bot.listening(Ear(), keys=vault) as connector:
        async with phone.listening():
            await connector.send(message(bot.room_id, "to both"))
            await phone.hears("to both")
        await phone.client.logout()
        await until(lambda: not bot.knows(connector, account), what="the device to be gone")
        await connector.send(message(bot.room_id, "to one"))
        await ann.hears("to one")
    first, second = await _sessions(bot)
    assert first != second


async def test_a_room_s_own_rules_say_when_its_key_is_made_anew(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path, encrypted=False)
    rules = {"algorithm": "m.megolm.v1.aes-sha2", "rotation_period_msgs": 2}
    owner = matrix_town.client(bot.account).client
    await owner.room_put_state(bot.room_id, "m.room.encryption", rules)
    async with ann.listening(), bot.listening(Ear(), keys=vault) as connector:
        for number in range(5):
            await connector.send(message(bot.room_id, f"{number}"))
            await ann.hears(f"{number}")
    sessions = await _sessions(bot)
    assert [sessions.index(one) for one in sessions] == [0, 0, 2, 2, 4]


async def test_a_device_that_left_no_keys_to_begin_with_is_told_and_stops_nobody(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    account = await another_device(matrix_town, ann.account)
    phone = await private_person(matrix_town, account, tmp_path)
    await phone.show_device_only()
    async with ann.listening(), bot.listening(Ear(), keys=vault) as connector:
        for text in ("one", "two"):
            await connector.send(message(bot.room_id, text))
            await ann.hears(text)
        await phone.client.sync(timeout=0)
        assert phone.withheld == ["m.no_olm"]


@pytest.mark.parametrize("encrypted", [True, False])
async def test_the_longest_words_are_shown_in_both_sorts_of_room(
    matrix_town: Town, tmp_path: Path, *, encrypted: bool
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path, encrypted=encrypted)
    async with ann.listening(), bot.listening(Ear(), keys=vault) as connector:
        most = "x" * (SEALED_LIMIT - 100)
        for text in ("ä\n" * (connector.capabilities().max_bytes // 3), most):
            await connector.send(message(bot.room_id, text, html=text))
            await ann.hears(text)
