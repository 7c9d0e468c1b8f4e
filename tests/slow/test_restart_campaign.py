"""The daemon is stopped and killed twenty times under load: every agent goes on, and none is started twice."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.stages.host import new_socket_name
from tests.stages.installation import Installation
from tests.waiting import until

pytestmark = pytest.mark.slow

NAMES = [f"agent{number}" for number in range(5)]
RESTARTS = 20
SEED = 20


@pytest_asyncio.fixture
async def running(tmp_path: Path) -> AsyncIterator[Installation]:
    installation = Installation(tmp_path / "home")
    agents = [
        {
            "name": name,
            "class": "orchestrator" if name == "agent0" else "code",
            "runtime": "dogfood",
        }
        for name in NAMES
    ]
    socket = new_socket_name()
    installation.write_roster({"version": 1, "tmux": {"socket_name": socket}, "agents": agents})
    await installation.up()
    try:
        yield installation
    finally:
        await installation.close()


async def ask(installation: Installation, stop: asyncio.Event, answered: Counter[str]) -> None:
    """Ask for the fleet again and again; what the daemon answers must be whole."""
    while not stop.is_set():
        ended = await installation.mosaic("fleet", "ps", "--json")
        if ended.status == 0:
            assert {row["name"] for row in ended.data} == set(NAMES)
            answered["whole"] += 1
        else:
            answered["away"] += 1


async def test_twenty_restarts_start_nobody_twice_and_lose_nobody(running: Installation) -> None:
    chosen = random.Random(SEED)
    before = await running.agent_pids()
    assert sorted(before) == NAMES
    stop, answered = asyncio.Event(), Counter[str]()
    load = [asyncio.create_task(ask(running, stop, answered)) for _ in range(2)]
    try:
        for _ in range(RESTARTS):
            if chosen.random() < 0.5:
                await running.kill()
            else:
                await running.signal(signal.SIGTERM)
            await running.up()
            assert await running.agent_pids() == before
    finally:
        stop.set()
        await asyncio.gather(*load)
    assert answered["whole"] > RESTARTS

    async def available() -> bool:
        rows = (await running.mosaic("fleet", "ps", "--json")).data
        return {row["readiness"] for row in rows} == {"available"}

    await until(available, 60, "all agents available again")
    started = [entry for entry in running.entries() if entry.get("event") == "agent started"]
    assert Counter(entry["agent"] for entry in started) == dict.fromkeys(NAMES, 1)
