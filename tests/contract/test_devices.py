"""The port Devices, in memory and on a real Synapse."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.model import Principal
from bot.rooms.devices import Devices, DeviceTrust, KnownDevice
from connectors.matrix.events import principal
from tests.fakes.devices import MemoryDevices
from tests.stages.encrypted import meet_in_private
from tests.stages.matrix import Ear
from tests.stages.synapse import Town


@dataclass(frozen=True, slots=True)
class Stage:
    """Somebody with one device, known by its id."""

    devices: Devices
    who: Principal
    device_id: str


@pytest.fixture(params=["memory", "synapse"])
async def stage(
    request: pytest.FixtureRequest, matrix_town: Town, tmp_path: Path
) -> AsyncIterator[Stage]:
    if request.param == "memory":
        device = KnownDevice("PHONE", "Ann's", "abcd efgh", DeviceTrust.UNSET, takes_part=True)
        ann = Principal("matrix:@ann:e.org", "ann")
        yield Stage(MemoryDevices({ann.id: [device]}), ann, device.id)
        return
    person, bot, vault = await meet_in_private(matrix_town, tmp_path)
    async with person.listening(), bot.listening(Ear(), keys=vault) as connector:
        assert connector.devices is not None
        yield Stage(connector.devices, principal(person.user_id), person.account.device_id)


async def test_a_device_is_shown_with_its_fingerprint_in_groups(stage: Stage) -> None:
    (device,) = await stage.devices.of(stage.who)
    assert (device.id, device.trust, device.takes_part) == (
        stage.device_id,
        DeviceTrust.UNSET,
        True,
    )
    assert {len(group) for group in device.fingerprint.split()[:-1]} == {4}


@pytest.mark.parametrize(
    ("trust", "takes_part"),
    [(DeviceTrust.VERIFIED, True), (DeviceTrust.IGNORED, True), (DeviceTrust.BLOCKED, False)],
)
async def test_a_decision_stands_until_it_is_taken_back(
    stage: Stage, trust: DeviceTrust, takes_part: bool
) -> None:
    decided = await stage.devices.decide(stage.who, stage.device_id, trust)
    assert (decided.trust, decided.takes_part) == (trust, takes_part)
    assert (await stage.devices.of(stage.who))[0] == decided
    undone = await stage.devices.decide(stage.who, stage.device_id, DeviceTrust.UNSET)
    assert (undone.trust, undone.takes_part) == (DeviceTrust.UNSET, True)


async def test_what_nobody_has_cannot_be_decided_on(stage: Stage) -> None:
    with pytest.raises(UserError) as refusal:
        await stage.devices.decide(stage.who, "NOWHERE", DeviceTrust.VERIFIED)
    assert refusal.value.code == "unknown_device"
    with pytest.raises(UserError, match="changed"):
        await stage.devices.decide(stage.who, stage.device_id, DeviceTrust.CHANGED)
