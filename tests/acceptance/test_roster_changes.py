"""The roster changed while the fleet runs: by command and by hand, shown before it is done, and nobody else disturbed."""

import os
from pathlib import Path
from typing import Any

from fleet.host.processes import bearing
from tests.stages.installation import Installation
from tests.waiting import until

ROSTER = """# ours
version: 1
tmux: {{socket_name: {socket}}}
agents:
  - {{name: lead, class: orchestrator, runtime: dogfood}}   # speaks first
  - {{name: better, class: enhancer, runtime: dogfood}}
"""


async def rows(installation: Installation) -> dict[str, dict[str, Any]]:
    found = (await installation.mosaic("fleet", "ps", "--json")).data
    return {row["name"]: row for row in found}


def left_of(name: str, home: Path) -> list[object]:
    """Return the processes and the files that are there for one agent alone."""
    agents = home / "fleet" / "agents"
    return [*bearing(f"MOSAIC_AGENT_FILE={agents / name}.json"), *agents.glob(f"{name}*")]


async def test_agents_come_and_go_by_command_and_the_others_go_on(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "home")
    path = installation.home / "fleet" / "roster.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(ROSTER.format(socket=f"changes-{os.getpid()}"))
    await installation.up()
    try:
        before = await installation.agent_pids()
        added = await installation.mosaic(
            *("fleet", "add", "coder0", "--class", "code", "--runtime", "dogfood", "--json")
        )
        assert added.data == {"name": "coder0", "class": "code", "runtime": "dogfood"}

        async def runs() -> bool:
            found = await rows(installation)
            return "coder0" in found and found["coder0"]["readiness"] == "available"

        await until(runs, 30, "coder0 to run")
        first = await installation.agent_pids()
        assert {name: first[name] for name in before} == before

        changed = await installation.mosaic("fleet", "edit", "coder0", "--model", "small")
        assert changed.status == 0

        async def anew() -> bool:
            pids = await installation.agent_pids()
            return pids.get("coder0") not in {None, first["coder0"]}

        await until(anew, 30, "coder0 to be started anew")
        assert (await installation.mosaic("fleet", "remove", "coder0", "--yes")).status == 0

        await until(
            lambda: left_of("coder0", installation.home) == [], 30, "all of coder0 to be gone"
        )
        assert await installation.agent_pids() == before

        refused = await installation.mosaic("fleet", "remove", "lead", "--yes", "--json")
        assert refused.status == 1
        assert "lead is the sole orchestrator" in refused.data["error"]["message"]
        assert path.read_text() == ROSTER.format(socket=f"changes-{os.getpid()}")

        plans = [
            one["plan"] for one in installation.entries() if one.get("event") == "roster changed"
        ]
        assert plans == [
            "start coder0; unchanged 2",
            "restart coder0 (model_hint); unchanged 2",
            "stop coder0; unchanged 2",
        ]
    finally:
        await installation.close()


async def test_a_fleet_that_moves_to_another_socket_leaves_nothing_on_the_old_one(
    tmp_path: Path,
) -> None:
    installation = Installation(tmp_path / "home", {"TMUX_TMPDIR": str(tmp_path)})
    path = installation.home / "fleet" / "roster.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(ROSTER.format(socket="first"))
    sockets = tmp_path / f"tmux-{os.getuid()}"
    await installation.up()
    try:
        path.write_text(ROSTER.format(socket="second"))
        await until(
            lambda: [socket.name for socket in sockets.iterdir()] == ["second"],
            30,
            "the fleet to have moved",
        )

        async def all_there() -> bool:
            found = await rows(installation)
            return {row["readiness"] for row in found.values()} == {"available"}

        await until(all_there, 30, "everybody to be available again")
    finally:
        await installation.down()
    assert list(sockets.iterdir()) == []
