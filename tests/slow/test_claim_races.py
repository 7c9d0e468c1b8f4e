"""Many processes on one backlog, and Postgres killed under them: no card is claimed twice, stranded or lost."""

import asyncio
import contextlib
import json
import os
import random
import secrets
import signal
import sys
import tempfile
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.backlog.cards import Card, CardDraft, CardStatus
from bot.backlog.ports import Backlog
from bot.errors import TransientError
from storage.backlog.backlog import postgres_backlog
from storage.database import Database
from storage.migrate import migrate
from storage.part import DatabasePart
from tests.stages.backlog import ANN
from tests.stages.postgres import Running
from tests.stages.racer import entries_of
from tests.waiting import until

pytestmark = pytest.mark.slow

ROUNDS = 200
KILLS = 8
PATIENCE = 60
Step = tuple[str, list[Any]]
Ending = list[Any]


class Track:
    """A server of the test's own and the processes that race on it."""

    def __init__(self, running: Running, racers: Sequence[Process], kills: frozenset[int]) -> None:
        self.backlog: Backlog = postgres_backlog(running.database)
        self.size = len(racers)
        self._running = running
        self._racers = racers
        self._kills = kills
        self._round = 0
        self.lost = 0

    async def race(self, steps: Sequence[Step]) -> list[Ending]:
        """Give every process its step at the same moment and return how each ended."""
        assert len(steps) == self.size
        said = len(self._running.said)
        for racer, step in zip(self._racers, steps, strict=True):
            assert racer.stdin is not None
            racer.stdin.write(json.dumps(step).encode() + b"\n")
        if self._round in self._kills:
            os.kill(self._running.postmaster, signal.SIGKILL)
            await self._running.said_again(said)
        async with asyncio.timeout(PATIENCE):
            endings = await asyncio.gather(*map(self._ending, self._racers))
        self._round += 1
        lost = [ending for ending in endings if ending[0] == "lost"]
        self.lost += len(lost)
        if lost:
            print(f"round {self._round}: {lost[0][1]}")  # noqa: T201 - shown with a failure
            await self._recover()
        return endings

    async def _ending(self, racer: Process) -> Ending:
        assert racer.stdout is not None
        ending: Ending = json.loads(await racer.stdout.readline())
        return ending

    async def _recover(self) -> None:
        """Wait until the server answers this process and all racers again."""
        await until(self._answers, PATIENCE, "the server to be back")
        for racer in self._racers:
            await until(partial(self._has_server, racer), PATIENCE, "a racer to find the server")

    async def _answers(self) -> bool:
        with contextlib.suppress(TransientError):
            await self.backlog.shelf.stats()
            return True
        return False

    async def _has_server(self, racer: Process) -> bool:
        assert racer.stdin is not None
        racer.stdin.write(b'["claim", ["probe", "no-such-card"]]\n')
        return bool((await self._ending(racer))[0] == "unknown_card")

    async def card(self, card_id: str) -> Card:
        return (await self.backlog.shelf.show(card_id))[0]

    async def actions(self, card_id: str) -> Counter[str]:
        return Counter(event.action for event in (await self.backlog.shelf.show(card_id))[1])

    async def make(self, *ids: str, needs: tuple[str, ...] = ()) -> None:
        for card_id in ids:
            await self.backlog.shelf.create(CardDraft(card_id, title="t", depends_on=needs), ANN)

    async def check(self) -> None:
        """Insist that every counter is right and that no deadlock ever happened."""
        assert await self.backlog.recount.recount(ANN) == []
        deadlocks = await self._running.value(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        assert deadlocks == 0

    async def clear(self) -> None:
        async with self._running.database.transaction() as connection:
            for table in ("card_edge", "card_key", "card", "card_event"):
                await connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names


@asynccontextmanager
async def track(
    directory: Path, size: int, kills: int = 0
) -> AsyncIterator[tuple[Track, random.Random]]:
    """Run a server, and so many processes on it; Postgres is killed in so many rounds."""
    seed = int(os.environ.get("RACE_SEED") or secrets.randbelow(2**32))
    print(f"RACE_SEED={seed}")  # noqa: T201 - pytest shows it with a failure
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(dir=directory) as place:
        database, said = Database(), list[str]()
        data = Path(place) / "postgres"
        task = asyncio.create_task(_supervise(DatabasePart(database, data), said))
        running = Running(database, data, said, task)
        await running.said_again(0)
        await migrate(database)
        racers = [await _racer(data / "run") for _ in range(size)]
        try:
            yield Track(running, racers, frozenset(chance.sample(range(ROUNDS), kills))), chance
        finally:
            for racer in racers:
                racer.kill()
            await asyncio.gather(*(racer.wait() for racer in racers))
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _supervise(part: DatabasePart, said: list[str]) -> None:
    """Start the part again whenever it gives up, as the daemon does."""
    while True:
        with contextlib.suppress(TransientError):
            await part.run(said.append)


async def _racer(socket_directory: Path) -> Process:
    racer = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.stages.racer",
        str(socket_directory),
        cwd=Path(__file__).parents[2],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert racer.stdout is not None
    assert await racer.stdout.readline() == b"ready\n"
    return racer


def won(endings: Sequence[Ending]) -> list[str]:
    return [ending[1] for ending in endings if ending[0] == "ok"]


def no_surprise(endings: Sequence[Ending], *allowed: str) -> None:
    assert {ending[0] for ending in endings} <= {"ok", "none", "lost", *allowed}


# -- the races -----------------------------------------------------------------------------------------


async def claim_claim(track: Track, chance: random.Random, number: int) -> None:
    """As many cards as half of the claimers; now and then all want the same one."""
    cards = [f"R{number}.{index}" for index in range(max(1, track.size // 2))]
    await track.make(*cards)
    named = cards[0] if chance.random() < 0.3 else None
    endings = await track.race([("claim", [f"w{n}", named]) for n in range(track.size)])
    no_surprise(endings)
    taken = won(endings)
    assert len(taken) == len(set(taken)), "a card was claimed twice"
    tokens = {ending[2] for ending in endings if ending[0] == "ok"}
    assert len(tokens) == len(taken)
    if not any(ending[0] == "lost" for ending in endings):
        assert len(taken) == (len(cards) if named is None else 1), "a claimer starved"
    for card_id in cards:
        card = await track.card(card_id)
        claims = (await track.actions(card_id))["claim"]
        assert claims == (card.status is CardStatus.CLAIMED), "a claim was lost or doubled"
        assert card_id not in taken or claims == 1


async def complete_link(track: Track, chance: random.Random, number: int) -> None:
    """Half complete what the other half begins to wait for."""
    half = track.size // 2
    needed = [f"N{number}.{index}" for index in range(half)]
    waits = f"W{number}"
    await track.make(*needed, waits)
    steps: list[Step] = [("complete", [card_id, None]) for card_id in needed]
    steps += [("link", [waits, chance.choice(needed)]) for _ in range(track.size - half)]
    chance.shuffle(steps)
    no_surprise(await track.race(steps))
    for card_id in needed:
        await track.backlog.claims.complete(card_id, None, ANN)
    taken = await track.backlog.claims.claim("last", timedelta(minutes=1), waits, ANN)
    assert taken is not None, "a card whose dependencies are done is stranded"


async def complete_reclaim(track: Track, chance: random.Random, number: int) -> None:
    """Claims that are over are completed by their holders and taken back by the clock at once."""
    cards = [f"C{number}.{index}" for index in range(max(1, track.size // 2))]
    await track.make(*cards)
    await track.make(f"D{number}", needs=tuple(cards))
    steps: list[Step] = []
    for card_id in cards:
        card = await track.backlog.claims.claim(
            "w", timedelta(minutes=1), card_id, ANN, grace=timedelta()
        )
        assert card is not None
        steps.append(("complete", [card_id, card.claim_token]))
    steps += [("reclaim", [])] * (track.size - len(steps))
    chance.shuffle(steps)
    endings = await track.race(steps)
    no_surprise(endings, "stale_token")
    finished = {ending[1] for ending in endings if ending[0] == "ok" and ending[2] is not None}
    for card_id in cards:
        card, actions = await track.card(card_id), await track.actions(card_id)
        assert actions["complete"] + actions["reclaim"] <= 1, "a claim ended twice"
        assert (card.status is CardStatus.DONE) == (actions["complete"] == 1)
        assert card_id not in finished or card.status is CardStatus.DONE
    done = sum([(await track.card(card_id)).status is CardStatus.DONE for card_id in cards])
    assert (await track.card(f"D{number}")).unmet_deps == len(cards) - done


async def import_claim(track: Track, chance: random.Random, number: int) -> None:
    """Everybody imports the same cards, or claims them while they appear."""
    cards = [
        {"id": f"I{number}.{index}", "title": "t", "depends_on": [f"I{number}.0"] if index else []}
        for index in range(4)
    ]
    steps: list[Step] = [("bring", [cards])] * (track.size - track.size // 2)
    steps += [("claim", [f"w{n}", None]) for n in range(track.size // 2)]
    chance.shuffle(steps)
    endings = await track.race(steps)
    no_surprise(endings)
    first = f"I{number}.0"
    taken = [ending[1] for ending in endings if ending[2] is not None]
    assert set(taken) <= {first}, "a card was claimed before what it waits for"
    assert len(taken) <= 1, "a card was claimed twice"
    await track.backlog.shipments.bring(entries_of(cards), ANN, update=False, dry_run=False)
    assert [(await track.card(f"I{number}.{n}")).unmet_deps for n in range(4)] == [0, 1, 1, 1]
    assert (await track.actions(first))["import"] == 1


RACES: Sequence[Callable[[Track, random.Random, int], Any]] = (
    claim_claim,
    complete_link,
    complete_reclaim,
    import_claim,
)


@pytest.mark.parametrize("size", [2, 8, 32])
async def test_processes_race_and_nothing_is_doubled_or_stranded(
    short_directory: Path, size: int
) -> None:
    async with track(short_directory, size) as (found, chance):
        for race in RACES:
            for number in range(ROUNDS):
                await race(found, chance, number)
                await found.check()
                await found.clear()
        assert found.lost == 0


@pytest.mark.parametrize("size", [2, 8, 32])
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
async def test_processes_race_while_postgres_is_killed(
    short_directory: Path, race: Any, size: int
) -> None:
    async with track(short_directory, size, KILLS) as (found, chance):
        for number in range(ROUNDS):
            await race(found, chance, number)
            await found.check()
            await found.clear()
        assert found.lost > 0, "no kill hit a race"
