"""The daemon killed in the middle of deliveries: nothing is typed twice, nothing is lost, and no receipt is wrong."""

import asyncio
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.stages.installation import Installation
from tests.waiting import until

pytestmark = pytest.mark.slow

KILLS = 50
LONGEST_DELIVERY_SECONDS = 0.6
NAMES = ("lead", "better")
SETTLED = {"accepted", "answered", "unknown", "failed"}


async def test_fifty_kills_in_the_middle_of_deliveries(tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(4))
    chance = random.Random(seed)
    installation = Installation(tmp_path / "home")
    installation.write_roster(
        {
            "version": 1,
            "tmux": {"socket_name": f"kills-{os.getpid()}"},
            "agents": [
                {"name": "lead", "class": "orchestrator", "runtime": "dogfood"},
                {"name": "better", "class": "enhancer", "runtime": "dogfood"},
            ],
        }
    )
    sent: list[str] = []
    await installation.up()
    try:
        for number in range(KILLS):
            for name in NAMES:
                ended = await installation.mosaic("agent", "send", name, f"m{number}", "--json")
                assert ended.status == 0, ended.err
                sent.append(ended.data["message_id"])
            await asyncio.sleep(chance.uniform(0, LONGEST_DELIVERY_SECONDS))
            await installation.kill()
            await installation.up()
        stories = [await _settled(installation, message_id) for message_id in sent]
        submitted = Counter(
            event["text"].split(" | id ")[1].split("]")[0]
            for name in NAMES
            for event in installation.agent_events(name)
            if event["event"] == "submitted"
        )
        _compare(stories, submitted, seed)
        assert installation.bugs() == []
    finally:
        await installation.close()


def _compare(stories: list[dict[str, Any]], submitted: Counter[str], seed: int) -> None:
    """Hold every receipt against what the programs say that they were given."""
    twice = [id_ for id_, count in submitted.items() if count > 1]
    assert twice == [], f"seed {seed}: given to a program twice"
    by_state: dict[str, list[dict[str, Any]]] = {}
    for story in stories:
        by_state.setdefault(story["state"], []).append(story)
    assert by_state.keys() <= {"accepted", "answered", "unknown"}, f"seed {seed}: {by_state.keys()}"
    proved = [*by_state.get("accepted", ()), *by_state.get("answered", ())]
    wrong = [story["message_id"] for story in proved if not submitted[story["message_id"]]]
    assert wrong == [], f"seed {seed}: accepted, and no program has it"
    for story in by_state.get("unknown", ()):
        states = [receipt["state"] for receipt in story["receipts"]]
        assert "typed" in states, f"seed {seed}: unknown, though nothing can have landed: {story}"


async def _settled(installation: Installation, message_id: str) -> dict[str, Any]:
    async def story() -> dict[str, Any]:
        data = (await installation.mosaic("agent", "receipt", message_id, "--json")).data
        return data if data["state"] in SETTLED else {}

    return await until(story, 120, f"{message_id} to be settled")
