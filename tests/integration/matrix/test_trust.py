"""Whose devices take part in encrypted rooms, by setting and by decision."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.rooms.devices import DeviceTrust
from connectors.matrix.connector import MatrixConnector
from connectors.matrix.events import principal
from connectors.matrix.keys import Trust
from tests.stages.encrypted import another_device, meet_in_private, private_person
from tests.stages.matrix import Ear, message
from tests.stages.synapse import Town
from tests.waiting import until


async def _sends(connector: MatrixConnector, room_id: str, text: str) -> str:
    sent = await connector.send(message(room_id, text))
    assert sent.platform_id is not None
    return sent.platform_id


async def test_with_the_strict_setting_only_verified_devices_take_part(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    ear, device = Ear(), ann.account.device_id
    async with (
        ann.listening(),
        bot.listening(ear, keys=replace(vault, trust=Trust.VERIFIED)) as connector,
    ):
        await ann.say(bot.room_id, "!fleet stop")
        await until(lambda: ear.unreadable, what="the refusal")
        await ann.say(bot.room_id, "!fleet stop, I say")
        unheard = await _sends(connector, bot.room_id, "not for her")
        await until(lambda: unheard in ann.unread, what="a message that she cannot read")
        await until(lambda: ann.withheld == ["m.unverified"], what="the reason")
        devices = connector.devices
        assert devices is not None
        [known] = await devices.of(principal(ann.user_id))
        assert (known.id, known.trust, known.takes_part) == (device, DeviceTrust.UNSET, False)
        decided = await devices.decide(principal(ann.user_id), device, DeviceTrust.VERIFIED)
        assert (decided.trust, decided.takes_part) == (DeviceTrust.VERIFIED, True)
        await ann.say(bot.room_id, "!status")
        await until(lambda: ear.texts == ["!status"], what="a command of a verified device")
        await _sends(connector, bot.room_id, "for her")
        await ann.hears("for her")
    [refusal] = ear.unreadable
    assert refusal.why == f"the device {device}, which wrote it, is not verified"
    assert refusal.sender == principal(ann.user_id)
    async with (
        ann.listening(),
        bot.listening(ear, keys=replace(vault, trust=Trust.VERIFIED)) as connector,
    ):
        await _sends(connector, bot.room_id, "and still, in another life")
        await ann.hears("and still, in another life")


async def test_a_blocked_device_is_given_no_keys_and_not_believed_until_that_is_undone(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    ear, who, device = Ear(), principal(ann.user_id), ann.account.device_id
    async with ann.listening(), bot.listening(ear, keys=vault) as connector:
        await _sends(connector, bot.room_id, "before")
        await ann.hears("before")
        devices = connector.devices
        assert devices is not None
        await devices.decide(who, device, DeviceTrust.BLOCKED)
        unheard = await _sends(connector, bot.room_id, "a secret")
        await until(lambda: unheard in ann.unread, what="a message that she cannot read")
        assert ann.withheld == ["m.blacklisted"]
        await ann.say(bot.room_id, "!fleet stop")
        await until(lambda: ear.unreadable, what="the refusal")
        await devices.decide(who, device, DeviceTrust.UNSET)
        await _sends(connector, bot.room_id, "welcome back")
        await ann.hears("welcome back")
        await ann.say(bot.room_id, "thank you")
        await until(lambda: ear.texts, what="her words")
        [known] = await devices.of(who)
        assert known.heard_at is not None
        assert len(known.fingerprint.replace(" ", "")) == 43
        with pytest.raises(UserError, match="known are") as error:
            await devices.decide(who, "NONE", DeviceTrust.VERIFIED)
        assert error.value.code == "unknown_device"
    assert ear.texts == ["thank you"]
    assert "is blocked here" in ear.unreadable[0].why


async def test_a_device_that_shows_other_keys_is_out_and_the_operators_are_told(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    ear, who, device = Ear(), principal(ann.user_id), ann.account.device_id
    async with bot.listening(ear, keys=vault) as connector:
        async with ann.listening():
            await ann.say(bot.room_id, "it is me")
            await until(lambda: ear.texts, what="her words")
        somebody = await private_person(matrix_town, ann.account, tmp_path / "stolen")
        async with somebody.listening():
            await until(lambda: bot.reports, what="the report")
            await somebody.say(bot.room_id, "it is me, really")
            await until(lambda: ear.unreadable, what="the refusal")
            unheard = await _sends(connector, bot.room_id, "a secret")
            await until(lambda: unheard in somebody.unread, what="words not for them")
            devices = connector.devices
            assert devices is not None
            [known] = await devices.of(who)
            assert (known.trust, known.takes_part) == (DeviceTrust.CHANGED, False)
            with pytest.raises(UserError, match=r"keys of .* changed"):
                await devices.decide(who, device, DeviceTrust.VERIFIED)
    assert ear.texts == ["it is me"]
    assert "shows other keys" in ear.unreadable[0].why
    [report] = bot.reports
    assert f"device {device} of {ann.user_id} shows other keys" in report


async def test_a_device_that_comes_later_reads_from_the_next_message_on(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    async with ann.listening(), bot.listening(Ear(), keys=vault) as connector:
        first = await _sends(connector, bot.room_id, "before")
        await ann.hears("before")
        account = await another_device(matrix_town, ann.account)
        phone = await private_person(matrix_town, account, tmp_path)
        async with phone.listening():
            await until(lambda: bot.knows(connector, account), what="the second device")
            await _sends(connector, bot.room_id, "after")
            await phone.hears("after")
            await ann.hears("after")
            assert first in phone.unread
    before, after = await bot.wire()
    assert before["content"]["session_id"] == after["content"]["session_id"]
