"""Twenty agents, a third of which misbehave, and five hundred cards that wait for each other: all of them get done.

What it took is printed (`-s`): how long ready cards and free agents waited for each other.
"""

import asyncio
import json
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.stages.installation import Installation
from tests.stages.ledger import Ledger, read_ledger
from tests.waiting import until

pytestmark = pytest.mark.slow

CARDS = 500
GOOD = tuple(f"coder{number:02}" for number in range(13))
HABITS = ("hang:20", "die:9", "dialog:15", "draft:5", "slow", "forget:3", "never:4")
KILLS, TMUX_KILLS = 20, 3
LONGEST_SECONDS = 900
A_PERSONS_PACE_SECONDS = 10
SETTINGS = """
[supervisor]
tick_seconds = 5
claim_seconds = 20
accept_seconds = 10
quiet_seconds = 3
[heartbeat]
interval_seconds = 15
stale_seconds = 20
"""


def roster() -> dict[str, Any]:
    work = {"MOSAIC_DOGFOOD_WORK_SECONDS": "1"}
    coders = [
        {"name": name, "class": "code", "runtime": "dogfood", "env": dict(work)} for name in GOOD
    ]
    odd = [
        {
            "name": habit.partition(":")[0],
            "class": "code",
            "runtime": "dogfood",
            "env": work | {"MOSAIC_DOGFOOD_AT_WORK": habit},
        }
        for habit in HABITS
    ]
    floor = [
        {"name": "lead", "class": "orchestrator", "runtime": "dogfood"},
        {"name": "better", "class": "enhancer", "runtime": "dogfood"},
    ]
    return {
        "version": 1,
        "tmux": {"socket_name": f"campaign-{os.getpid()}"},
        "agents": [*floor, *coders, *odd],
    }


def cards(chance: random.Random) -> list[dict[str, Any]]:
    """Return cards of which each waits for up to three earlier ones, close by."""
    made = []
    for number in range(CARDS):
        near = range(max(0, number - 40), number)
        needs = chance.sample(near, min(len(near), chance.choice((0, 1, 1, 2, 3))))
        made.append(
            {
                "id": f"C{number:03}",
                "title": f"Card {number}",
                "priority": chance.randrange(3),
                "depends_on": [f"C{one:03}" for one in sorted(needs)],
            }
        )
    return made


@pytest.mark.parametrize("kills", [False, True], ids=["left alone", "killed again and again"])
async def test_all_cards_are_done_each_once_and_in_order(tmp_path: Path, kills: bool) -> None:
    seed = int.from_bytes(os.urandom(4))
    chance = random.Random(seed)
    installation = Installation(tmp_path / "home")
    installation.write_settings(SETTINGS)
    installation.write_roster(roster())
    wanted = cards(chance)
    await installation.up()
    try:
        file = tmp_path / "cards.json"
        file.write_text(json.dumps({"version": 1, "cards": wanted}))
        brought = await installation.mosaic("backlog", "import", str(file))
        assert brought.status == 0, brought.err
        watching = asyncio.create_task(_clear_drafts_and_dialogs(installation))
        counts = [0, 0]
        killing = asyncio.create_task(_kill(installation, chance, counts)) if kills else None
        try:
            await _some_done(installation, CARDS)
        finally:
            watching.cancel()
            if killing is not None:
                killing.cancel()
            await asyncio.gather(
                *(one for one in (watching, killing) if one), return_exceptions=True
            )
        ledger = await read_ledger(installation)
    finally:
        await installation.close()
    said = (
        f"seed {seed}; daemon killed {counts[0]} times, tmux {counts[1]} times; {ledger.summary()};"
        f" of the well-behaved, seen from outside, {ledger.idle_share_seen(GOOD):.2%}"
    )
    sys.stdout.write(f"\n{said}\n")
    assert counts == ([KILLS, TMUX_KILLS] if kills else [0, 0])
    _compare(ledger, wanted, seed)
    assert installation.bugs() == []


def _compare(ledger: Ledger, wanted: Sequence[dict[str, Any]], seed: int) -> None:
    completions = ledger.completions()
    assert sorted(completions) == [card["id"] for card in wanted], f"seed {seed}: all are done"
    assert {len(times) for times in completions.values()} == {1}, f"seed {seed}: each once"
    assert ledger.overlaps() == [], f"seed {seed}: nobody works on another's card"
    early = [
        (card["id"], needed)
        for card in wanted
        for needed in card["depends_on"]
        if ledger.first_claim(card["id"]) < completions[needed][0]
    ]
    assert early == [], f"seed {seed}: no card was begun before what it waits for was done"


async def _some_done(installation: Installation, count: int) -> None:
    """Wait until so many cards are done."""

    async def are_done() -> bool:
        ended = await installation.mosaic("backlog", "stats", "--json")
        return ended.status == 0 and ended.data["counts"]["done"] >= count

    # A process each time: asked more often it would be what keeps the machine busy.
    await until(are_done, LONGEST_SECONDS, f"{count} cards to be done", every=0.5)


async def _clear_drafts_and_dialogs(installation: Installation) -> None:
    """Do what people do now and then: send a forgotten draft away, allow what is asked."""

    async def somebody_needs_a_person() -> bool:
        ended = await installation.mosaic("fleet", "ps", "--json")
        said = [row["evidence"] for row in ended.data] if ended.status == 0 else []
        return any(one.startswith(("dialog", "text in the prompt")) for one in said)

    while True:
        await until(somebody_needs_a_person, LONGEST_SECONDS, every=A_PERSONS_PACE_SECONDS)
        await installation.press("draft", "C-u")
        await installation.mosaic("agent", "answer", "dialog", "y")


async def _kill(installation: Installation, chance: random.Random, counts: list[int]) -> None:
    """Kill the daemon twenty times while cards are worked off, and tmux with all agents three times."""
    for number in range(KILLS):
        await _some_done(installation, (number + 1) * CARDS // (KILLS + 1))
        await asyncio.sleep(chance.uniform(0, 1))  # a kill at any moment is what is tested
        await installation.kill()
        counts[0] += 1
        if number % (KILLS // TMUX_KILLS) == 1 and counts[1] < TMUX_KILLS:
            await installation.tmux("kill-server")
            counts[1] += 1
        await installation.up()
