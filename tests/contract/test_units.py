"""The port Units: one suite for systemd's own words and for memory."""

from pathlib import Path

import pytest

from bot.agents.units import Units
from bot.config.places import Places
from fleet.host.units import SystemdUnits
from tests.fakes.units import MemoryUnits
from tests.stages.systemctl import Systemctl

NAMES = ["coder0", "lead"]


def systemd_units(directory: Path) -> tuple[SystemdUnits, Systemctl]:
    systemctl = Systemctl(directory)
    environ = {"PATH": f"{systemctl.programs}:/usr/bin:/bin", "HOME": str(directory)}
    return SystemdUnits(Places(directory / ".config" / "mosaic"), environ), systemctl


@pytest.fixture(params=["memory", "systemd"])
def units(request: pytest.FixtureRequest, tmp_path: Path) -> Units:
    return MemoryUnits() if request.param == "memory" else systemd_units(tmp_path)[0]


async def enabled(units: Units) -> dict[str, str]:
    return {name: state.enabled for name, state in (await units.states(NAMES)).items()}


async def test_what_is_installed_is_enabled_and_what_is_removed_is_unknown(units: Units) -> None:
    assert await units.states(NAMES) == {}
    assert len(await units.install(NAMES)) == 2
    assert await enabled(units) == {"coder0": "enabled", "lead": "enabled"}
    assert len(await units.remove(NAMES)) == 2
    assert await units.states(NAMES) == {}
    assert list(await units.remove(NAMES)) == []


async def test_one_agent_can_be_disabled_and_the_others_stay(units: Units) -> None:
    await units.install(NAMES)
    await units.disable("lead")
    await units.disable("lead")
    assert await enabled(units) == {"coder0": "enabled", "lead": "disabled"}
    await units.enable("lead")
    assert await enabled(units) == {"coder0": "enabled", "lead": "enabled"}


async def test_disabling_without_units_does_nothing(units: Units) -> None:
    await units.enable("lead")
    await units.disable("lead")
    assert await units.states(NAMES) == {}
