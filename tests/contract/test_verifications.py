"""The port Verifications, in memory and on a real Synapse."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.model import Address, Principal
from bot.rooms.devices import Devices, DeviceTrust, KnownDevice, Verifications, VerificationStep
from connectors.matrix.events import principal
from tests.fakes.devices import MemoryDevices, MemoryVerifications
from tests.stages.comparing import Comparing, mended
from tests.stages.encrypted import meet_in_private
from tests.stages.matrix import Ear
from tests.stages.synapse import Town
from tests.waiting import until

OPERATOR = Principal("matrix:@op:e.org", "op")


@dataclass(frozen=True, slots=True)
class Stage:
    """Somebody with one device; ``agree`` and ``confirm`` are what they do there."""

    verifications: Verifications
    devices: Devices
    who: Principal
    device_id: str
    home: Address
    agree: Callable[[], Awaitable[None]]
    confirm: Callable[[], Awaitable[None]]

    async def begin(self, place: Address | None = None) -> str:
        begun = await self.verifications.begin(self.who, self.device_id, place, OPERATOR)
        assert begun.step is VerificationStep.ASKED
        return begun.code

    async def compare(self) -> str:
        """Begin, and wait until both sides show their symbols; return the code."""
        code = await self.begin()
        await self.agree()
        await until(lambda: self.step(code) is VerificationStep.COMPARE, what="the symbols")
        return code

    def step(self, code: str) -> VerificationStep | None:
        return next((one.step for one in self.verifications.open() if one.code == code), None)

    async def trust(self) -> DeviceTrust:
        found = await self.devices.of(self.who)
        return next(one.trust for one in found if one.id == self.device_id)


@pytest.fixture(params=["memory", "synapse"])
async def stage(
    request: pytest.FixtureRequest, matrix_town: Town, tmp_path: Path
) -> AsyncIterator[Stage]:
    if request.param == "memory":
        ann, home = Principal("matrix:@ann:e.org", "ann"), Address("matrix", "!home:e.org")
        phone = KnownDevice("PHONE", "Ann's", "abcd", DeviceTrust.UNSET, takes_part=True)
        devices = MemoryDevices({ann.id: [phone]})
        verifications = MemoryVerifications(devices, home)
        yield Stage(
            verifications,
            devices,
            ann,
            "PHONE",
            home,
            verifications.agree,
            verifications.confirm,
        )
        return
    person, bot, vault = await meet_in_private(matrix_town, tmp_path)
    with mended():
        async with person.listening(), bot.listening(Ear(), keys=vault) as connector:
            await person.say(bot.room_id, "hello")
            assert connector.verifications is not None
            assert connector.devices is not None
            comparing = Comparing(person, bot)

            async def agree() -> None:
                await comparing.symbols()  # this client agrees by itself

            yield Stage(
                connector.verifications,
                connector.devices,
                principal(person.user_id),
                person.account.device_id,
                Address("matrix", bot.room_id),
                agree,
                comparing.confirm,
            )


async def test_what_was_begun_is_open_and_is_said_where_it_was_asked_or_at_home(
    stage: Stage,
) -> None:
    code = await stage.begin()
    (one,) = stage.verifications.open()
    assert (one.code, one.device_id, one.who.id) == (code, stage.device_id, stage.who.id)
    assert (one.place, one.asked_by) == (stage.home, OPERATOR.id)
    thread = Address(stage.home.kind, stage.home.place, "$thread")
    await stage.begin(thread)
    assert [one.place for one in stage.verifications.open()] == [thread], "the newer one counts"


async def test_a_device_is_verified_when_both_sides_said_yes(stage: Stage) -> None:
    code = await stage.compare()
    (one,) = stage.verifications.open()
    assert len(one.symbols) == 7
    answered = await stage.verifications.answer(code, same=True)
    assert answered.step is VerificationStep.CONFIRMED
    assert await stage.trust() is DeviceTrust.UNSET
    await stage.confirm()
    await until(lambda: stage.step(code) is None, what="the end")
    assert await stage.trust() is DeviceTrust.VERIFIED


async def test_other_symbols_end_it_without_a_decision(stage: Stage) -> None:
    code = await stage.compare()
    ended = await stage.verifications.answer(code, same=False)
    assert ended.step is VerificationStep.ENDED
    assert ended.why
    assert stage.verifications.open() == []
    assert await stage.trust() is DeviceTrust.UNSET


async def test_only_symbols_that_are_shown_can_be_answered(stage: Stage) -> None:
    with pytest.raises(UserError) as refusal:
        await stage.verifications.answer("none", same=True)
    assert refusal.value.code == "unknown_verification"


async def test_what_cannot_be_decided_on_is_not_verified(stage: Stage) -> None:
    with pytest.raises(UserError) as refusal:
        await stage.verifications.begin(stage.who, "NOWHERE", None, OPERATOR)
    assert refusal.value.code == "unknown_device"
    await stage.devices.decide(stage.who, stage.device_id, DeviceTrust.BLOCKED)
    with pytest.raises(UserError, match="blocked"):
        await stage.begin()
