"""Units: what they say is what runs, line by line, and a session that a unit began is adopted."""

import asyncio
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.config.places import Places
from bot.errors import UserError
from fleet.health.readiness import Thresholds
from fleet.host.local import LocalFleet
from fleet.host.units import SystemdUnits
from tests.contract.test_units import systemd_units
from tests.stages.installation import Installation
from tests.waiting import until


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as systemd reads it: the words of its commands, and the environment that it gives them."""

    start: Sequence[str]
    stop: Sequence[str]
    environment: Mapping[str, str]


def read_unit(text: str, instance: str, home: str) -> Unit:
    """Take a unit's lines apart, with its specifiers in place (systemd.unit(5), systemd.exec(5))."""
    plain = text.replace("%%", "\0").replace("%i", instance).replace("%h", home).replace("\0", "%")
    values: dict[str, list[str]] = {}
    for line in plain.splitlines():
        name, given, value = line.partition("=")
        if given and not line.startswith("#"):
            values.setdefault(name, []).append(value.replace("$$", "$"))
    environment = dict(word.split("=", 1) for v in values["Environment"] for word in shlex.split(v))
    return Unit(
        shlex.split(values["ExecStart"][0]),
        shlex.split(values.get("ExecStop", [""])[0]),
        environment,
    )


def environment_of(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_bytes().decode()


async def run(words: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *words,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_the_lines_of_the_units_run_as_they_stand_and_the_daemon_adopts_what_they_began(
    tmp_path: Path,
) -> None:
    installation = Installation(tmp_path / "a home's $place 100%")
    agents = [
        {"name": "lead", "class": "orchestrator", "runtime": "dogfood"},
        {"name": "coder0", "class": "code", "runtime": "dogfood"},
    ]
    socket = f"units-{os.getpid()}"
    installation.write_roster({"version": 1, "tmux": {"socket_name": socket}, "agents": agents})
    texts = SystemdUnits(Places(installation.home), installation.environ).texts()
    (agent_text,) = [text for name, text in texts.items() if "@" in name]
    unit = read_unit(agent_text, "coder0", str(tmp_path))
    environment = {"HOME": installation.environ["HOME"], "TERM": "dumb", **unit.environment}
    try:
        assert await run(unit.start, environment) == (0, "")
        assert await run(unit.start, environment) == (0, "")
        begun = await installation.agent_pids()
        assert list(begun) == ["coder0"]
        places = Places(installation.home)
        assert places.identity_file("coder0").stat().st_mode & 0o777 == 0o600
        environ = environment_of(begun["coder0"])
        assert f"MOSAIC_AGENT_FILE={places.identity_file('coder0')}" in environ
        assert places.identity_file("coder0").read_text() not in environ

        await installation.up()
        both = await installation.agent_pids()
        assert both["coder0"] == begun["coder0"], "adopted, not started anew"
        assert sorted(both) == ["coder0", "lead"]

        async def available() -> bool:
            rows = (await installation.mosaic("fleet", "ps", "--json")).data
            return {row["readiness"] for row in rows} == {"available"}

        await until(available, 30, "both available")
        assert await run(unit.stop, environment) == (0, "")
        assert list(await installation.agent_pids()) == ["lead"]
        assert places.stopped_file("coder0").read_text() == "its unit\n"
        assert await run(unit.start, environment) == (0, "")
        assert sorted(await installation.agent_pids()) == ["coder0", "lead"]
        assert (await installation.mosaic("fleet", "stop", "coder0", "--yes")).status == 0
        said = "coder0 stays stopped: it was stopped by a person\n"
        assert await run(unit.start, environment) == (0, said)
        assert list(await installation.agent_pids()) == ["lead"]
    finally:
        await installation.close()


async def test_a_unit_of_an_agent_that_is_not_in_the_roster_fails_with_the_reason(
    tmp_path: Path,
) -> None:
    places = Places(tmp_path / "home")
    places.prepare()
    places.roster_file.write_text("version: 1\nagents: []\n")
    words = [sys.executable, "-P", "-m", "fleet.host.session", "start", "nobody"]
    environment = {"PATH": os.environ["PATH"], "MOSAIC_HOME": str(places.home)}
    status, said = await run(words, environment)
    assert status == 1
    assert "no agent is named nobody" in said
    assert (await run(words[:-1], environment))[0] == 2


async def test_ps_shows_units_and_flags_what_would_not_be_there_after_a_boot(
    tmp_path: Path,
) -> None:
    units, systemctl = systemd_units(tmp_path)
    places = Places(tmp_path / ".config" / "mosaic")
    places.prepare()
    lines = "".join(f"  - {{name: a{n}, class: code, runtime: bash}}\n" for n in range(3))
    places.roster_file.write_text(
        f"version: 1\ntmux: {{socket_name: none-{os.getpid()}}}\nagents:\n{lines}"
    )
    fleet = LocalFleet(
        places, host="h", tenant_id="t", environment={}, thresholds=Thresholds(), units=units
    )
    fleet.reload()
    assert {record.unit_active for record in await fleet.observe()} == {None}
    await units.install(["a0", "a1"])
    for name in ("a0", "a2"):
        systemctl.activate(f"mosaic-agent@{name}.service")
    records = {record.name: record for record in await fleet.observe()}
    shown = {name: (one.unit_active, one.unit_enabled) for name, one in records.items()}
    assert shown == {
        "a0": ("active", "enabled"),
        "a1": ("inactive", "enabled"),
        "a2": ("active", "disabled"),
    }
    assert {name for name, one in records.items() if "BOOT-ENABLE" in one.flags} == {"a2"}
    before = len(systemctl.calls())
    for _ in range(5):
        await fleet.observe()
    assert len(systemctl.calls()) == before, "one call for all agents, and not for every look"


async def test_without_systemctl_installing_is_refused_and_everything_else_works(
    tmp_path: Path,
) -> None:
    environ = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    units = SystemdUnits(Places(tmp_path / "home"), environ)
    with pytest.raises(UserError, match="there is no systemctl here"):
        await units.install(["a"])
    assert await units.states(["a"]) == {}
