"""Encrypted conversations on a real Synapse, with people whose clients encrypt."""

import json
from pathlib import Path

import pytest

from bot.errors import SetupError
from tests.stages.encrypted import keys, meet_in_private, private_person
from tests.stages.matrix import Bot, Ear, message
from tests.stages.synapse import Town
from tests.waiting import until


async def test_an_encrypted_conversation_is_encrypted_on_the_wire(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    ear = Ear()
    async with ann.listening(), bot.listening(ear, keys=vault) as connector:
        await until(lambda: ann.client.rooms[bot.room_id].users.get(bot.user_id))
        await ann.say(bot.room_id, "!status")
        await until(lambda: ear.texts == ["!status"], what="the command")
        await connector.send(message(bot.room_id, "all is well"))
        await ann.hears("all is well", bot.user_id)
    (said,) = await bot.wire()
    assert said["type"] == "m.room.encrypted"
    assert "well" not in json.dumps(said)


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


async def test_a_room_that_turns_encrypted_gets_nothing_in_clear_text_any_more(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path, encrypted=False)
    ear = Ear()
    async with ann.listening(), bot.listening(ear, keys=vault) as connector:
        await connector.send(message(bot.room_id, "in clear"))
        await ann.encrypt(bot.room_id)
        await until(lambda: ann.client.rooms[bot.room_id].encrypted)
        await ann.say(bot.room_id, "encrypted now")
        await until(lambda: ear.texts == ["encrypted now"])
        await connector.send(message(bot.room_id, "so am I"))
        await ann.hears("so am I")
    assert [one["type"] for one in await bot.wire()] == ["m.room.message", "m.room.encrypted"]


async def test_what_crossed_the_change_to_encryption_is_withdrawn(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path, encrypted=False)
    ear, clear = Ear(), matrix_town.client(bot.account)
    async with bot.listening(ear, keys=vault):
        await matrix_town.client(ann.account).encrypt(bot.room_id)
        crossing = await clear.say(bot.room_id, "a secret in clear text")

        async def withdrawn() -> bool:
            found = await clear.events(bot.room_id, bot.user_id)
            return not next(e for e in found if e["event_id"] == crossing)["content"]

        await until(withdrawn, what="the clear text to be withdrawn")
        await until(lambda: any("crossed the moment" in one for one in bot.reports))


async def test_a_key_that_comes_late_brings_the_words_once(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    ear = Ear()
    async with ann.listening():
        async with bot.listening(ear, keys=vault):
            pass
        sealed = await ann.sealed_without_key(bot, "too early")
        async with bot.listening(ear, keys=vault):
            await matrix_town.client(ann.account).send(bot.room_id, sealed, "m.room.encrypted")
            await ann.say(bot.room_id, "the next")
            await until(lambda: "the next" in ear.texts)
            assert "too early" not in ear.texts
            await ann.hand_over_key(bot)
            await until(lambda: "too early" in ear.texts, what="the late words")
        async with bot.listening(ear, keys=vault):
            await ann.say(bot.room_id, "afterwards")
            await until(lambda: "afterwards" in ear.texts)
    assert ear.texts.count("too early") == 1
    assert next(event for event in ear.events if event.text == "too early").recovered


async def test_a_key_that_its_maker_gives_on_request_is_taken_and_somebody_else_s_is_not(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    eve = await private_person(matrix_town, await matrix_town.account("eve"), tmp_path)
    await matrix_town.client(bot.account).client.room_invite(bot.room_id, eve.user_id)
    await eve.client.join(bot.room_id)
    ear = Ear()
    async with ann.listening(), eve.listening(), bot.listening(ear, keys=vault) as connector:
        await eve.say(bot.room_id, "hello")
        sealed = await ann.sealed_without_key(bot, "too early")
        await matrix_town.client(ann.account).send(bot.room_id, sealed, "m.room.encrypted")
        await ann.say(bot.room_id, "the next")
        await until(lambda: ann.asked_for_keys, what="the key to be asked for")
        await eve.forward_key(bot, ann.key_of(bot))
        await eve.give_key(bot, ann.key_of(bot))  # as if it were her own
        await eve.say(bot.room_id, "take my word for it")
        await until(lambda: "take my word for it" in ear.texts)
        assert "1 encrypted messages wait" in (await connector.health()).detail
        await ann.forward_key(bot, ann.key_of(bot))
        await until(lambda: "too early" in ear.texts, what="the late words")
        assert "wait" not in (await connector.health()).detail
    assert ear.texts == ["hello", "the next", "take my word for it", "too early"]
