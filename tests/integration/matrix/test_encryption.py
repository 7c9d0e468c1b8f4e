"""Encrypted conversations on a real Synapse, with people whose clients encrypt."""

from pathlib import Path

import pytest

from bot.errors import SetupError
from tests.stages.encrypted import keys, meet_in_private
from tests.stages.matrix import Bot, Ear, message
from tests.stages.synapse import Person, Town
from tests.waiting import until


async def wire_types(person: Person, bot: Bot) -> list[str]:
    """Return the types of what the bot said, as they stand on the wire."""
    events = await person.events(bot.room_id, bot.user_id)
    return [one["type"] for one in events if "state_key" not in one]


async def test_an_encrypted_conversation_is_encrypted_on_the_wire(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    ear = Ear()
    async with ann.listening(), bot.listening(ear, keys=vault) as connector:
        await until(lambda: ann.client.rooms[bot.room_id].users.get(bot.user_id))
        await ann.say(bot.room_id, "!status")
        await until(lambda: ear.texts == ["!status"], what="the command")
        await connector.send(message(bot.room_id, "all is well", thread=None))
        await ann.hears("all is well", bot.user_id)
    assert await wire_types(ann, bot) == ["m.room.encrypted"]


async def test_what_was_said_while_the_bot_was_down_is_read_with_its_new_key(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    ear = Ear()
    async with ann.listening():
        async with bot.listening(ear, keys=vault):
            await ann.say(bot.room_id, "before")
            await until(lambda: ear.texts == ["before"])
        ann.client.invalidate_outbound_session(bot.room_id)
        await ann.say(bot.room_id, "while it was away")
        async with bot.listening(ear, keys=vault) as connector:
            await until(lambda: ear.texts == ["before", "while it was away"])
            assert ear.events[-1].recovered
            await connector.send(message(bot.room_id, "back again"))
            await ann.hears("back again")


async def test_keys_of_another_secret_device_or_process_are_refused(
    matrix_town: Town, tmp_path: Path
) -> None:
    _, bot, vault = await meet_in_private(matrix_town, tmp_path)
    async with bot.listening(Ear(), keys=vault):
        second = bot.connector(keys=vault)
        with pytest.raises(SetupError, match="are in use by the process"):
            await second.subscribe(Ear().accept, None)
        await second.close()
    wrong = bot.connector(keys=keys(vault.folder, "another secret of the tests"))
    with pytest.raises(SetupError, match="were not encrypted with this MATRIX_PICKLE_KEY"):
        await wrong.subscribe(Ear().accept, None)
    await wrong.close()
    other = Bot(matrix_town, await matrix_town.account("other"), bot.room_id)
    stranger = other.connector(keys=vault)
    with pytest.raises(SetupError, match=f"belong to the device {bot.account.device_id}"):
        await stranger.subscribe(Ear().accept, None)
    await stranger.close()
