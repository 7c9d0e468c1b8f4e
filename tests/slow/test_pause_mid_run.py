"""A fleet in the middle of its work is paused from every face: nothing new begins, what is under way ends, all gets done."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.cli.client import Client
from bot.supervision.pause import SUPERVISOR
from storage.database import Database, Target
from tests.stages.console import console
from tests.stages.installation import Installation
from tests.waiting import until

pytestmark = pytest.mark.slow

AGENTS = 8
CARDS = 40
BEFORE = 10
PATIENCE = 180
WORK_SECONDS = 2
"""Longer than a pause takes to stand, after a prompt that was typed within the last second."""

SECOND, LONG = timedelta(seconds=1), timedelta(seconds=4)
SETTINGS = "[supervisor]\ntick_seconds = 5\nreplan = false\nquiet_seconds = 3\n"

_CLAIMS = """
SELECT e.at, e.actor FROM card_event e WHERE e.action = 'claim' AND e.at >= $1 AND e.at < $2 ORDER BY e.at
"""
_TYPED = """
SELECT r.stated_at AS at, m.author FROM receipt r JOIN message m ON m.id = r.message_id
WHERE r.state = 'typed' AND r.stated_at >= $1 AND r.stated_at < $2 ORDER BY r.stated_at
"""
_UNDER_WAY = """
SELECT count(*) FROM dispatch d JOIN card ON card.id = d.card_id
WHERE card.status <> 'done' AND EXISTS (SELECT FROM receipt r WHERE r.message_id = d.message_id AND r.state = 'typed')
"""
_JUST_BEGUN = """
SELECT count(*) FROM dispatch d JOIN card ON card.id = d.card_id JOIN receipt r ON r.message_id = d.message_id
WHERE card.status <> 'done' AND r.state = 'typed' AND r.stated_at > now() - interval '1 second'
"""
_DONE = "SELECT count(*) FROM card_event WHERE action = 'complete' AND at >= $1 AND at < $2"


@dataclass
class Fleet:
    """A running installation, its database to look into, and an agent that claims by itself."""

    installation: Installation
    database: Database

    async def run(self, *words: str) -> Any:
        """Run a command over the daemon's socket, without a process of its own."""
        client = Client(str(self.installation.api_socket))
        body = {"words": list(words), "confirmed": False}
        return (await asyncio.to_thread(client.call, "POST", "/v1/run", body))["data"]

    async def rows(self, question: str, *values: object) -> list[Any]:
        async with self.database.connection() as connection:
            return list(await connection.fetch(question, *values))

    async def number(self, question: str, *values: object) -> int:
        return int((await self.rows(question, *values))[0][0])

    async def counts(self) -> dict[str, int]:
        found: dict[str, int] = (await self.run("backlog", "stats"))["counts"]
        return found

    async def paused(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = (await self.run("supervisor", "status"))["paused"]
        return found

    @property
    def file(self) -> Path:
        return self.installation.home / "fleet" / "run" / "PAUSED"


# -- the faces -----------------------------------------------------------------------------------------

Step = Callable[[Fleet], Awaitable[None]]


async def by_cli(fleet: Fleet) -> None:
    ended = await fleet.installation.mosaic("pause", "--reason", "deploy")
    assert ended.status == 0, ended.err


async def by_cli_freezing(fleet: Fleet) -> None:
    ended = await fleet.installation.mosaic("pause", "--freeze")
    assert ended.status == 0, ended.err


async def on_by_cli(fleet: Fleet) -> None:
    ended = await fleet.installation.mosaic("resume")
    assert ended.status == 0, ended.err


async def by_http(fleet: Fleet) -> None:
    await _post(fleet, "/v1/commands/pause", {"reason": "over HTTP"})


async def on_by_http(fleet: Fleet) -> None:
    await _post(fleet, "/v1/commands/resume", {})


async def _post(fleet: Fleet, path: str, body: dict[str, Any]) -> None:
    client = Client(str(fleet.installation.api_socket))
    await asyncio.to_thread(client.call, "POST", path, body)


async def by_chat(fleet: Fleet) -> None:
    assert "paused" in await _say(fleet, "!pause lunch")


async def on_by_chat(fleet: Fleet) -> None:
    assert "goes on" in await _say(fleet, "!resume")


async def _say(fleet: Fleet, line: str) -> str:
    async with console(fleet.installation.api_socket) as talk:
        return str(await talk.ask(line)).lower()


async def by_file(fleet: Fleet) -> None:
    fleet.file.touch()


async def on_by_file(fleet: Fleet) -> None:
    fleet.file.unlink()


FACES: dict[str, tuple[Step, Step]] = {
    "command line": (by_cli, on_by_cli),
    "HTTP": (by_http, on_by_http),
    "chat": (by_chat, on_by_chat),
    "file": (by_file, on_by_file),
    "freeze": (by_cli_freezing, on_by_cli),
}


# -- the story -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def fleet(short_directory: Path) -> AsyncIterator[Fleet]:
    installation = Installation(short_directory / "mid-run")
    installation.write_settings(SETTINGS)
    coders = [
        {
            "name": f"coder{number}",
            "class": "code",
            "runtime": "dogfood",
            "env": {"MOSAIC_DOGFOOD_WORK_SECONDS": str(WORK_SECONDS)},
        }
        for number in range(AGENTS)
    ]
    lead = {"name": "lead", "class": "orchestrator", "runtime": "dogfood"}
    socket = {"socket_name": f"mid-run-{os.getpid()}"}
    installation.write_roster({"version": 1, "tmux": socket, "agents": [lead, *coders]})
    await installation.up()
    database = Database(size=2)
    try:
        await database.open(Target(socket_directory=installation.home / "postgres" / "run"))
        yield Fleet(installation, database)
    finally:
        await database.close()
        await installation.close()


@asynccontextmanager
async def claiming(fleet: Fleet) -> AsyncIterator[list[Any]]:
    """Let an agent claim by its own token all the while, and complete what it gets; yields all answers."""
    lead = fleet.installation.as_agent("lead")
    answers: list[Any] = []
    over = asyncio.Event()

    async def claim() -> None:
        while not over.is_set():
            ended = await lead.mosaic("backlog", "claim", "--owner", "lead", "--json")
            assert ended.status == 0, ended.err
            answers.append(card := ended.data)
            if card is not None:
                words = ("--id", card["id"], "--token", card["claim_token"])
                assert (await lead.mosaic("backlog", "complete", *words)).status == 0

    task = asyncio.create_task(claim())
    try:
        yield answers
    finally:  # not cancelled: a claim that is under way would be nobody's
        over.set()
        await task


@pytest.mark.parametrize("face", FACES)
async def test_a_pause_stops_what_is_new_and_finishes_what_is_under_way(
    fleet: Fleet, face: str
) -> None:
    pause, resume = FACES[face]
    before = (await fleet.counts())["done"]
    for number in range(CARDS):
        id_ = f"{face.partition(' ')[0]}{number}"
        await fleet.run("backlog", "create", "--id", id_, "--title", f"Do {id_}")
    async with claiming(fleet) as answers:

        async def is_under_way() -> bool:
            done = (await fleet.counts())["done"]
            return done >= before + BEFORE and any(answers) and await fleet.number(_JUST_BEGUN) > 0

        await until(is_under_way, PATIENCE, "work to be under way")
        asked_at = datetime.now(UTC)
        await pause(fleet)
        standing = await until(fleet.paused, 10, "the pause to stand")
        since = asked_at if face == "file" else datetime.fromisoformat(standing["since"])
        word = await _say_something(fleet, waits=face == "freeze")
        await _nothing_moves(fleet, answers, since)
        ready = (await fleet.counts())["ready"]
        until_ = datetime.now(UTC)
        await resume(fleet)
        claims = await fleet.rows(_CLAIMS, since, until_)
        typed = await fleet.rows(_TYPED, since, until_)
        completed = await fleet.number(_DONE, since, until_)

        async def all_done() -> bool:
            return (await fleet.counts())["done"] == before + CARDS

        await until(all_done, PATIENCE, "all cards to be done")
    await until(lambda: _is_answered(fleet, word), 60, "an answer to the person")
    work = [row["at"] - since for row in typed if row["author"] == SUPERVISOR.id]
    claimed = [row["at"] - since for row in claims]
    sys.stdout.write(
        f"\n{face}: paused for {(until_ - since).total_seconds():.1f} s, {ready} cards ready all the while;"
        f" {len(claimed)} claims and {len(work)} prompts in the first second, the last after"
        f" {max([timedelta(), *claimed, *work]).total_seconds() * 1000:.0f} ms; {completed} cards under way"
        f" were completed; {sum(one is None for one in answers)} claims by token got nothing\n"
    )
    assert ready > 0, "there was something to hold back"
    assert [one for one in claimed if one > SECOND] == []
    assert [one for one in work if one > SECOND] == []
    assert completed > 0, "what was under way was finished"
    said = [row for row in typed if row["author"] != SUPERVISOR.id]
    assert bool(said) == (face != "freeze"), "people are heard, unless it is a freeze"


async def _say_something(fleet: Fleet, *, waits: bool) -> str:
    """Write to an agent as a person does while the pause stands."""
    patience = "3" if waits else "30"
    words = ("agent", "send", "lead", "how is it going?", "--verify", "--wait", patience, "--json")
    sent = await fleet.installation.mosaic(*words)
    assert sent.status == (4 if waits else 0), sent.out
    return str(sent.data["message_id"])


async def _is_answered(fleet: Fleet, message_id: str) -> bool:
    return str((await fleet.run("agent", "receipt", message_id))["state"]) == "answered"


async def _nothing_moves(fleet: Fleet, answers: list[Any], since: datetime) -> None:
    """Wait until all that was under way is done, an agent was refused five times, and two ticks gave out nothing."""
    seen = len(answers)

    async def all_ended() -> bool:
        long = datetime.now(UTC) - since > LONG
        return long and await fleet.number(_UNDER_WAY) == 0 and len(answers) >= seen + 5

    await until(all_ended, 60, "what was under way to end, and claims by token to be refused")
    assert answers[seen + 1 :] == [None] * (len(answers) - seen - 1)
    for _ in range(2):
        assert (await fleet.run("supervisor", "tick"))["dispatched"] == 0


def test_nothing_unforeseen_happened(fleet: Fleet) -> None:
    assert fleet.installation.bugs() == []
