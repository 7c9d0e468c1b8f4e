"""What the reference's own backlog promises, case by case, from the command line and from a chat."""

import asyncio
import json
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from storage.database import Target
from tests.stages.console import Console, console
from tests.stages.host import new_socket_name
from tests.stages.installation import Installation
from tests.waiting import until

_FENCED = re.compile(r"```json\n(.*)\n```", re.DOTALL)


class Refused(Exception):  # noqa: N818 - an answer, no fault
    """A command said no, and why."""


class Way(ABC):
    """One way to give the backlog a command; ``ask`` returns its data, or raises Refused."""

    @abstractmethod
    async def ask(self, *words: str) -> Any: ...


class CommandLine(Way):
    """A process a command, as scripts do it."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    async def ask(self, *words: str) -> Any:
        ended = await self._installation.mosaic("backlog", *words, "--json")
        data = json.loads(ended.out)
        if ended.status:
            raise Refused(data["error"]["message"])
        return data


class Chat(Way):
    """Lines in a console, as people say them."""

    def __init__(self, attached: Console) -> None:
        self._console = attached
        self._turn = asyncio.Lock()

    async def ask(self, *words: str) -> Any:
        quoted = (f'"{word}"' if " " in word or not word else word for word in words)
        async with self._turn:
            frame = await self._console.ask(f"!backlog {' '.join(quoted)} --json")
        found = _FENCED.search(frame["text"])
        if found is None:
            raise Refused(frame["text"])
        return json.loads(found[1])


@pytest.fixture(scope="module")
async def running(installation: Installation) -> Installation:
    """A daemon whose fleet is nobody: agents would claim nothing here, but cost time."""
    installation.write_roster(
        {"version": 1, "tmux": {"socket_name": new_socket_name()}, "agents": []}
    )
    installation.write_settings("[supervisor]\ntick_seconds = 3600\n")  # it would take claims back
    await installation.up()
    return installation


@pytest.fixture(params=["command line", "chat"])
async def way(running: Installation, request: pytest.FixtureRequest) -> AsyncIterator[Way]:
    """Each way in turn, on an empty backlog."""
    target = Target(socket_directory=running.home / "postgres" / "run")
    connection = await asyncpg.connect(**target.arguments())
    for table in ("card_edge", "card_key", "card_thread", "card", "card_event"):
        await connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
    await connection.close()
    if request.param == "command line":
        yield CommandLine(running)
        return
    async with console(running.api_socket) as attached:
        yield Chat(attached)


async def make(way: Way, *ids: str, **said: str) -> None:
    flags = [part for name, value in said.items() for part in (f"--{name}", value)]
    for card_id in ids:
        await way.ask("create", "--id", card_id, "--title", card_id.lower(), *flags)


async def ids(way: Way, *flags: str) -> list[str]:
    return [card["id"] for card in await way.ask("list", *flags)]


async def test_a_created_card_is_listed(way: Way) -> None:
    made = await way.ask("create", "--id", "A1", "--title", "two words", "--phase", "M1")
    assert (made["title"], made["status"], made["phase"]) == ("two words", "ready", "M1")
    assert await ids(way) == ["A1"]


async def test_a_repeated_key_makes_no_second_card(way: Way) -> None:
    first = await way.ask("create", "--id", "A", "--title", "a", "--idempotency-key", "k")
    again = await way.ask("create", "--id", "B", "--title", "b", "--idempotency-key", "k")
    assert again == first
    assert await ids(way) == ["A"]
    with pytest.raises(Refused, match="there is a card 'A' already"):
        await make(way, "A")


async def test_lists_filter_by_status_and_phase(way: Way) -> None:
    await make(way, "A", "B", phase="M1")
    await make(way, "C", phase="M2")
    await way.ask("complete", "--id", "B")
    assert await ids(way, "--phase", "M1") == ["A", "B"]
    assert await ids(way, "--status", "done") == ["B"]
    assert await ids(way, "--status", "ready", "--phase", "M2") == ["C"]


async def test_two_claimers_of_one_card_have_one_winner(way: Way) -> None:
    await make(way, "A")
    claims = await asyncio.gather(*(way.ask("claim", "--owner", name) for name in ("w1", "w2")))
    assert sorted(claim is None for claim in claims) == [False, True]


async def test_many_claimers_take_no_card_twice(way: Way) -> None:
    await make(way, *(f"C{n}" for n in range(4)))
    claims = await asyncio.gather(*(way.ask("claim", "--owner", f"w{n}") for n in range(8)))
    taken = [claim["id"] for claim in claims if claim is not None]
    assert sorted(taken) == ["C0", "C1", "C2", "C3"]


async def test_as_many_claimers_as_cards_all_win_one(way: Way) -> None:
    await make(way, *(f"C{n}" for n in range(6)))
    claims = await asyncio.gather(*(way.ask("claim", "--owner", f"w{n}") for n in range(6)))
    assert len({claim["id"] for claim in claims}) == 6
    assert {claim["claim_owner"] for claim in claims} == {f"w{n}" for n in range(6)}


async def test_claims_one_after_another_follow_priority_until_nothing_is_left(way: Way) -> None:
    for card_id, priority in (("LOW", "1"), ("HIGH", "9"), ("MIDDLE", "5")):
        await make(way, card_id, priority=priority)
    order = [(await way.ask("claim", "--owner", "w"))["id"] for _ in range(3)]
    assert order == ["HIGH", "MIDDLE", "LOW"]
    assert await way.ask("claim", "--owner", "w") is None


async def test_a_named_card_is_claimed(way: Way) -> None:
    await make(way, "A", "B")
    assert (await way.ask("claim", "--owner", "w", "--id", "B"))["id"] == "B"
    assert await way.ask("claim", "--owner", "w", "--id", "B") is None
    with pytest.raises(Refused, match="there is no card 'NO'"):
        await way.ask("claim", "--owner", "w", "--id", "NO")


async def test_nothing_ready_is_an_answer_and_no_error(way: Way) -> None:
    assert await way.ask("claim", "--owner", "w") is None


async def test_a_card_waits_for_its_dependencies(way: Way) -> None:
    await make(way, "A")
    await make(way, "B", **{"depends-on": "A"})
    assert await ids(way, "--ready-only") == ["A"]
    assert (await way.ask("claim", "--owner", "w"))["id"] == "A"
    assert await way.ask("claim", "--owner", "w") is None
    await way.ask("complete", "--id", "A")
    assert (await way.ask("claim", "--owner", "w"))["id"] == "B"


async def test_a_link_adds_a_dependency_and_a_cycle_is_refused(way: Way) -> None:
    await make(way, "A", "B")
    assert (await way.ask("link", "--from", "B", "--to", "A"))["depends_on"] == ["A"]
    with pytest.raises(Refused, match="A → B → A"):
        await way.ask("link", "--from", "A", "--to", "B")
    assert (await way.ask("unlink", "--from", "B", "--to", "A"))["depends_on"] == []


async def test_an_expired_claim_is_taken_back(way: Way) -> None:
    await make(way, "A")
    claimed = await way.ask("claim", "--owner", "w", "--ttl", "1")
    ends = datetime.fromisoformat(claimed["claim_expires_at"])
    await until(lambda: datetime.now(UTC) > ends, what="the claim's end")
    assert (await way.ask("stats"))["expired_claim_count"] == 1
    assert await way.ask("reclaim") == {"reclaimed": ["A"]}
    assert await ids(way, "--status", "ready") == ["A"]
    with pytest.raises(Refused, match="nobody holds it"):
        await way.ask("complete", "--id", "A", "--token", claimed["claim_token"])


async def test_a_fresh_claim_is_left_alone(way: Way) -> None:
    await make(way, "A")
    await way.ask("claim", "--owner", "w")
    assert await way.ask("reclaim") == {"reclaimed": []}


async def test_a_claim_is_taken_back_by_its_cards_id_whatever_its_time(way: Way) -> None:
    await make(way, "A")
    await way.ask("claim", "--owner", "w")
    assert await way.ask("reclaim", "--id", "A") == {"reclaimed": ["A"]}
    again = await way.ask("claim", "--owner", "w2")
    assert (again["claim_owner"], again["attempts"]) == ("w2", 2)


async def test_stats_count_and_tell_ages(way: Way) -> None:
    await make(way, "A", "B", "C", "D")
    await way.ask("claim", "--owner", "w", "--id", "A")
    await way.ask("block", "--id", "B", "--reason", "no key")
    await way.ask("complete", "--id", "C")
    stats = await way.ask("stats")
    assert stats["counts"] == {"ready": 1, "claimed": 1, "blocked": 1, "done": 1}
    assert (stats["total"], stats["expired_claim_count"]) == (4, 0)
    assert stats["oldest_ready_age_seconds"] >= 0
