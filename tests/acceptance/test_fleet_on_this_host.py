"""A fleet of five on real tmux: what happens to it is seen, and nobody else's tmux is touched."""

import asyncio
import json
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio

from fleet.host.processes import bearing
from tests.stages.installation import Installation
from tests.waiting import until

AGENTS = [
    {"name": "lead", "class": "orchestrator", "runtime": "dogfood"},
    {"name": "enhancer", "class": "enhancer", "runtime": "dogfood"},
    {"name": "coder0", "class": "code", "runtime": "dogfood"},
    {"name": "coder1", "class": "code", "runtime": "dogfood"},
    {"name": "shell", "class": "code", "runtime": "bash"},
]
NAMES = [str(agent["name"]) for agent in AGENTS]


class Neighbour:
    """The default tmux server of somebody on this machine, in a directory of its own for sockets."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    async def tmux(self, *words: str) -> str:
        environment = dict(os.environ) | {"TMUX_TMPDIR": str(self.directory)}
        environment.pop("TMUX", None)
        process = await asyncio.create_subprocess_exec(
            "tmux", *words, env=environment, stdout=PIPE, stderr=DEVNULL, stdin=DEVNULL
        )
        out, _ = await process.communicate()
        return out.decode()

    async def everything(self) -> str:
        """Return all that the server tells of itself."""
        panes = "#{session_name} #{session_created} #{pane_id} #{pane_pid} #{window_width}x#{window_height}"
        return "".join(
            [
                await self.tmux("list-panes", "-a", "-F", panes),
                await self.tmux("show-options", "-g"),
                await self.tmux("show-options", "-s"),
                await self.tmux("show-environment", "-g"),
                await self.tmux("list-clients"),
                await self.tmux("list-buffers"),
                await self.tmux("list-keys"),
            ]
        )


@pytest_asyncio.fixture
async def neighbour(tmp_path: Path) -> AsyncIterator[Neighbour]:
    directory = tmp_path / "sockets"
    directory.mkdir()
    neighbour = Neighbour(directory)
    await neighbour.tmux("-f", "/dev/null", "new-session", "-d", "-s", "mine", "--", "cat", "-")
    try:
        yield neighbour
    finally:
        await neighbour.tmux("kill-session", "-t", "=mine")


async def ps(installation: Installation) -> dict[str, dict[str, Any]]:
    rows: list[dict[str, Any]] = (await installation.mosaic("fleet", "ps", "--json")).data
    return {row["name"]: row for row in rows}


async def test_what_happens_to_a_fleet_is_seen_and_nobody_elses_tmux_is_touched(
    tmp_path: Path, neighbour: Neighbour
) -> None:
    home = tmp_path / "home"
    installation = Installation(home, {"TMUX_TMPDIR": str(neighbour.directory)})
    installation.write_roster(
        {"version": 1, "tmux": {"socket_name": f"five-{os.getpid()}"}, "agents": AGENTS}
    )
    before = await neighbour.everything()
    await installation.up()
    try:
        await _all_available(installation)
        await _a_killed_pane_is_dead(installation)
        await _another_program_is_drift(installation)
        await _verify_names_what_is_wrong(installation)
        assert await neighbour.everything() == before
    finally:
        await installation.down()
    assert bearing(f"MOSAIC_HOME={home}") == []
    assert await neighbour.everything() == before
    assert [path.name for path in (neighbour.directory / f"tmux-{os.getuid()}").iterdir()] == [
        "default"
    ]


async def _all_available(installation: Installation) -> None:
    async def available() -> bool:
        rows = await ps(installation)
        return all(rows[name]["readiness"] == "available" for name in NAMES)

    await until(available, 30, "all agents available")
    rows = await ps(installation)
    assert list(rows) == NAMES, "no session of ours that is no agent is shown"
    assert {(row["tenant_id"], row["host"]) for row in rows.values()} == {
        ("local", rows["lead"]["host"])
    }
    assert [row["flags"] for row in rows.values()] == [[]] * 5


def _hold_back(installation: Installation, name: str) -> None:
    """Let an agent look as if it had been started too often of late: the floor waits before the next start."""
    soon = datetime.now(UTC) + timedelta(hours=1)
    starts = {"starts": [soon.timestamp()] * 4}
    (installation.home / "fleet" / "run" / f"{name}.starts").write_text(json.dumps(starts))


async def _a_killed_pane_is_dead(installation: Installation) -> None:
    rows = await ps(installation)
    _hold_back(installation, "coder0")
    os.kill(int(rows["coder0"]["pid"]), signal.SIGKILL)

    async def dead() -> bool:
        return str((await ps(installation))["coder0"]["readiness"]) == "dead"

    await until(dead, what="the killed agent's row to be dead")
    rows = await ps(installation)
    assert rows["coder0"]["pid"] is None
    assert {rows[name]["readiness"] for name in NAMES if name != "coder0"} == {"available"}


async def _another_program_is_drift(installation: Installation) -> None:
    answer = await installation.mosaic("agent", "attach", "coder1", "--json")
    way = answer.data
    assert (way["session"], way["read_only"]) == ("coder1", False)
    pane = (await ps(installation))["shell"]["pane_id"]
    directory = installation.environ["TMUX_TMPDIR"]
    await Neighbour(Path(directory)).tmux(
        *("-L", str(way["socket"]), "send-keys", "-t", pane, "exec cat", "Enter")
    )

    async def drifted() -> bool:
        return "DRIFT" in (await ps(installation))["shell"]["flags"]

    await until(drifted, what="DRIFT")


async def _verify_names_what_is_wrong(installation: Installation) -> None:
    ended = await installation.mosaic("fleet", "verify", "--json")
    assert ended.status == 1
    wrong = {(one["agent"], one["check"]) for one in ended.data["checks"] if not one["ok"]}
    assert wrong >= {("coder0", "session"), ("shell", "program")}
    assert not any(agent in {"lead", "enhancer", "coder1"} for agent, _ in wrong)
    assert (await installation.mosaic("fleet", "verify", "lead")).status == 0
