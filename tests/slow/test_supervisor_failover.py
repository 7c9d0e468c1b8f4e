"""Three daemons on one database: whoever leads is killed, another leads soon, and nothing is done twice or left."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.cli.client import Client
from tests.stages.installation import Installation
from tests.stages.ledger import read_ledger
from tests.stages.postgres import Tier
from tests.waiting import until

pytestmark = pytest.mark.slow

HOSTS = ("alpha", "beta", "gamma")
AGENTS_A_HOST = 2
KILLS = 5
CARDS_A_KILL = 12
FAILOVER_SECONDS = 10.0
SETTINGS = """
[host]
name = "{host}"
[supervisor]
tick_seconds = 5
claim_seconds = 20
accept_seconds = 10
quiet_seconds = 2
"""


@pytest.fixture
async def daemons(server: Tier, short_directory: Path) -> AsyncIterator[dict[str, Installation]]:
    """Three hosts, each with agents of its own, on one server."""
    async with server.empty() as target:
        assert target.url is not None
        found = {
            host: Installation(short_directory / f"lead-{host}", {"DATABASE_URL": target.url})
            for host in HOSTS
        }
        work = {"MOSAIC_DOGFOOD_WORK_SECONDS": "0.5"}
        agents = [
            {
                "name": f"{host}{number}",
                "class": "code",
                "runtime": "dogfood",
                "host": host,
                "env": dict(work),
            }
            for host in HOSTS
            for number in range(AGENTS_A_HOST)
        ]
        lead = {"name": "lead", "class": "orchestrator", "runtime": "dogfood", "host": HOSTS[0]}
        for host, one in found.items():
            one.write_settings(SETTINGS.format(host=host))
            socket = f"lead-{host}-{os.getpid()}"
            one.write_roster(
                {"version": 1, "tmux": {"socket_name": socket}, "agents": [lead, *agents]}
            )
        try:
            for one in found.values():
                await one.up()
            yield found
        finally:
            for one in found.values():
                await one.close()


async def ask(daemon: Installation, *words: str) -> Any:
    """Run a command within this process: a new one for every look would take longer than the look."""
    client = Client(str(daemon.api_socket))
    body = {"words": list(words), "confirmed": False}
    return (await asyncio.to_thread(client.call, "POST", "/v1/run", body))["data"]


async def leader(daemon: Installation) -> str:
    """Return who leads, as a daemon that lives says it; empty while nobody does."""
    said = (await ask(daemon, "supervisor", "status"))["leader"]
    return "" if said is None else str(said["host"])


async def create(daemon: Installation, ids: Sequence[str], *more: str) -> None:
    for id_ in ids:
        await ask(daemon, "backlog", "create", "--id", id_, "--title", f"Do {id_}", *more)


async def status_is(daemon: Installation, card_id: str, *wanted: str) -> bool:
    return str((await ask(daemon, "backlog", "show", card_id))["status"]) in wanted


@dataclass(frozen=True, slots=True)
class Failover:
    """Who was killed, who followed, after how many seconds, and when a card of the follower's agent was done."""

    dead: str
    next: str
    leads_after: float
    works_after: float


async def fail_over(daemons: dict[str, Installation], number: int) -> tuple[Failover, list[str]]:
    """Kill whoever leads while cards are under way; return what came of it, and the cards."""
    cards = [f"K{number}.{index}" for index in range(CARDS_A_KILL)]
    leads = await until(lambda: leader(daemons["alpha"]), 30, "somebody to lead")
    await create(daemons[leads], cards)
    await until(lambda: status_is(daemons[leads], cards[2], "claimed", "done"), 30, "work to begin")
    other = next(one for host, one in daemons.items() if host != leads)
    began = time.monotonic()
    await daemons[leads].kill()

    async def follows() -> str:
        found = await leader(other)
        return "" if found == leads else found

    next_ = await until(follows, FAILOVER_SECONDS, f"another leader than {leads}")
    leads_after = time.monotonic() - began
    own = f"own{number}"
    await create(other, [own], "--agent", f"{next_}0")
    await until(lambda: status_is(other, own, "done"), 60, f"a card of {next_}0 to be done")
    works_after = time.monotonic() - began
    await daemons[leads].up()
    return Failover(leads, next_, leads_after, works_after), [*cards, own]


async def test_the_leader_is_killed_again_and_again_and_work_goes_on(
    daemons: dict[str, Installation],
) -> None:
    cards: list[str] = []
    seen: list[Failover] = []
    for number in range(KILLS):
        found, more = await fail_over(daemons, number)
        seen.append(found)
        cards += more

    async def all_done() -> bool:
        counts = (await ask(daemons["alpha"], "backlog", "stats"))["counts"]
        return bool(counts["done"] == len(cards))

    await until(all_done, 180, "all cards to be done")
    ledger = await read_ledger(daemons["alpha"])
    lines = [
        f"{one.dead} killed: {one.next} leads after {one.leads_after:.1f} s,"
        f" a card of its agent is done after {one.works_after:.1f} s"
        for one in seen
    ]
    sys.stdout.write("\n" + "\n".join(lines) + f"\n{ledger.summary()}\n")
    completions = ledger.completions()
    assert {id_: len(times) for id_, times in completions.items()} == dict.fromkeys(cards, 1)
    assert ledger.overlaps() == [], "nobody works on another's card, nobody on two"
    workers = {owner for id_ in cards for owner, _, _ in ledger.attempts(id_)}
    assert workers == {f"{host}{n}" for host in HOSTS for n in range(AGENTS_A_HOST)}
    assert [one.bugs() for one in daemons.values()] == [[], [], []]
