"""A fleet whose agents are killed, stopped, and left without a tmux server: who should run runs again."""

import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.stages.installation import Installation
from tests.waiting import until

AGENTS = [
    {"name": "coder0", "class": "code", "runtime": "dogfood"},
    {"name": "lead", "class": "orchestrator", "runtime": "dogfood"},
    {"name": "better", "class": "enhancer", "runtime": "dogfood"},
]
EVERYBODY = {str(agent["name"]) for agent in AGENTS}


@pytest.fixture(scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("floor") / "home")
    installation.write_roster(
        {"version": 1, "tmux": {"socket_name": f"floor-{os.getpid()}"}, "agents": AGENTS}
    )
    await installation.up()
    try:
        await available(installation, EVERYBODY)
        yield installation
    finally:
        await installation.close()


async def rows(fleet: Installation) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in (await fleet.mosaic("fleet", "ps", "--json")).data}


async def available(fleet: Installation, names: set[str]) -> None:
    async def are() -> bool:
        found = await rows(fleet)
        return {name for name in found if found[name]["readiness"] == "available"} == names

    await until(are, 60, f"{sorted(names)} available, and nobody else")


async def test_killed_programs_are_alive_again(fleet: Installation) -> None:
    before = await fleet.agent_pids()
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    async def others() -> bool:
        now = await fleet.agent_pids()
        return now.keys() == before.keys() and not set(now.values()) & set(before.values())

    await until(others, 30, "everybody to be another process")
    await available(fleet, EVERYBODY)


async def test_a_killed_tmux_server_comes_back_with_everybody(fleet: Installation) -> None:
    await fleet.tmux("kill-server")
    await available(fleet, EVERYBODY)
    pids = await fleet.agent_pids()
    os.kill(pids["coder0"], signal.SIGKILL)

    async def again() -> bool:
        return (await fleet.agent_pids()).get("coder0") not in {None, pids["coder0"]}

    await until(again, 60, "the new server to be watched as the old one was")
    await available(fleet, EVERYBODY)


@pytest.mark.slow
async def test_who_was_stopped_by_a_person_stays_so_over_restarts_of_the_daemon(
    fleet: Installation,
) -> None:
    assert (await fleet.mosaic("fleet", "stop", "lead", "--yes")).status == 0
    row = (await rows(fleet))["lead"]
    assert (row["readiness"], row["evidence"]) == ("dead", "stopped by a person")
    verified = await fleet.mosaic("fleet", "verify", "--json")
    assert verified.status == 0, verified.out
    others = EVERYBODY - {"lead"}
    await fleet.kill()
    before = await fleet.agent_pids()
    os.kill(before["coder0"], signal.SIGKILL)
    await fleet.up()
    await available(fleet, others)
    await fleet.tmux("kill-server")
    await available(fleet, others)
    assert (await fleet.mosaic("fleet", "start", "lead")).status == 0
    await available(fleet, EVERYBODY)


async def test_down_forgets_who_was_stopped(fleet: Installation) -> None:
    assert (await fleet.mosaic("fleet", "stop", "coder0", "--yes")).status == 0
    await fleet.down()
    run = fleet.home / "fleet" / "run"
    assert [path.name for path in run.glob("*.stopped")] == []
    await fleet.up()
    await available(fleet, EVERYBODY)
    assert fleet.bugs() == []
