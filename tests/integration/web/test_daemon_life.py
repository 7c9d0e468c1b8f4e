"""The daemon's life from the command line: started apart, refused twice, restarted, killed, stopped clean."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.lock import is_alive
from tests.stages.installation import Installation


@pytest.fixture
async def installed(home: Path) -> AsyncIterator[Installation]:
    installation = Installation(home / "mosaic")
    yield installation
    await installation.close()


async def agents(installed: Installation) -> dict[str, int]:
    """The pids of the agents' programs."""
    records: list[dict[str, Any]] = (await installed.mosaic("fleet", "ps", "--json")).data
    return {record["name"]: record["pid"] for record in records if record["pid"]}


async def test_a_daemon_is_started_refused_twice_restarted_killed_and_stopped_clean(
    installed: Installation,
) -> None:
    started = await installed.mosaic("up", "--detach", "--json", limit=120)
    assert (started.status, started.data["state"], started.err) == (0, "running", "")
    assert {part["state"] for part in started.data["parts"].values()} <= {"ok", "retrying"}
    pid = started.data["pid"]

    for words in (["up"], ["up", "--detach"]):
        refused = await installed.mosaic(*words)
        assert (refused.status, f"pid {pid}" in refused.err) == (1, True)

    before = await agents(installed)
    assert set(before) == {"orchestrator", "enhancer"}
    restarted = await installed.mosaic("restart", "--json", limit=120)
    assert (restarted.status, restarted.data["pid"] == pid) == (0, False)
    assert await agents(installed) == before

    await installed.kill()
    for words in (["status"], ["backlog", "list"]):
        assert (await installed.mosaic(*words)).status == 3
    shown = await installed.mosaic("up", "--detach", limit=120)
    assert (shown.status, "✔ database" in shown.out) == (0, True)
    assert await agents(installed) == before

    pid = (await installed.status())["pid"]
    stopped = await installed.mosaic("down", "--json")
    assert (stopped.status, stopped.data) == (0, {"stopped": pid, "keep_agents": False})
    assert [one for one in (pid, *before.values()) if is_alive(one)] == []
    assert sorted(path.name for path in (installed.home / "run").iterdir()) == ["mosaic.log"]
    assert (await installed.mosaic("down")).status == 3


async def test_a_start_that_fails_says_why(installed: Installation) -> None:
    installed.write_settings("[log]\nlevle = 3\n")
    failed = await installed.mosaic("up", "--detach", "--json")
    message = json.loads(failed.out)["error"]["message"]
    assert failed.status == 1
    assert f"{installed.home}/mosaic.toml:2: log.levle: unknown key; allowed: level" in message
    assert message in failed.err
