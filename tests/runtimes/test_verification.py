"""The bot and the library of Element Web come to know each other, over a real Synapse."""

from pathlib import Path

import pytest

from bot.model import Principal
from bot.rooms.devices import DeviceTrust, VerificationStep
from connectors.matrix.events import principal
from tests.stages.element import element_person
from tests.stages.encrypted import another_device, keys
from tests.stages.matrix import Bot, Ear
from tests.stages.synapse import Town
from tests.waiting import until

pytestmark = pytest.mark.runtimes

OPERATOR = Principal("matrix:@op:e.org", "op")


@pytest.mark.parametrize("way", ["room", "device", "asked"])
async def test_a_person_verifies_the_bot_and_the_bot_the_person(
    matrix_town: Town, tmp_path: Path, way: str
) -> None:
    account, own = await matrix_town.account("ann"), await matrix_town.account("mosaic")
    bot = Bot(matrix_town, own, await matrix_town.room(own, account))
    await matrix_town.client(own).encrypt(bot.room_id)
    who = principal(account.user_id)
    bot.allowed.add(who.id)
    async with (
        bot.listening(Ear(), keys=keys(tmp_path / "crypto")) as connector,
        element_person(account, bot, way) as ann,
    ):
        before = await ann.told("ready")
        assert before == {"signed": True, "trusted": False, "person": False}
        assert connector.verifications is not None
        assert connector.devices is not None
        if way == "asked":
            await connector.verifications.begin(who, account.device_id, None, OPERATOR)
        shown = await bot.step(VerificationStep.COMPARE)
        symbols = [mark for mark, _ in await ann.told("symbols")]
        assert symbols == [one.mark for one in shown.symbols]
        await connector.verifications.answer(shown.code, same=True)
        assert (await bot.step(VerificationStep.VERIFIED)).vouched
        assert await ann.told("end") == {"signed": True, "trusted": True, "person": True}
        (device,) = await connector.devices.of(who)
        assert (device.trust, device.signed) == (DeviceTrust.VERIFIED, True)


async def test_another_client_of_the_account_signs_the_bots_device_by_verifying_it(
    matrix_town: Town, tmp_path: Path
) -> None:
    """What people are told to do when another client made the account's cross-signing keys."""
    own = await matrix_town.account("mosaic")
    bot = Bot(matrix_town, own, await matrix_town.room(own))
    vault = keys(tmp_path / "crypto")
    account = await another_device(matrix_town, own)
    async with element_person(account, bot, "asked") as other:
        await other.told("ready")
        async with bot.listening(Ear(), keys=vault) as connector:
            assert "another client made" in (await connector.health()).detail
            assert connector.verifications is not None
            await connector.verifications.begin(
                principal(own.user_id), account.device_id, None, OPERATOR
            )
            shown = await bot.step(VerificationStep.COMPARE)
            await connector.verifications.answer(shown.code, same=True)
            assert (await other.told("end"))["signed"]

            async def is_signed() -> bool:
                return "another client" not in (await connector.health()).detail

            await until(is_signed, 15, "the note to go")
