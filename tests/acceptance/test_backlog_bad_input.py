"""Bad input in every field of every backlog command: refused in words that help, and nothing is written."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from storage.database import Target
from tests.stages.host import new_socket_name
from tests.stages.installation import Installation

TABLES = ("card", "card_edge", "card_key", "card_event", "card_thread", "confirmation")
IDS: list[Any] = ["", "a b", "-x", "x" * 65, 5, None, "A\n"]
SWITCH: list[Any] = ["maybe", 2, None]
BAD: dict[str, list[Any]] = {
    "id": IDS,
    "title": ["", " ", "a\nb", "t" * 301, 5],
    "body": ["b" * 100_001, 5],
    "phase": ["p" * 101, "a\x07", 5],
    "priority": ["high", 1.5, 2**31, -(2**31) - 1],
    "depends_on": ["a b", "A,b c", [5], ["-x"], "NOBODY"],
    "acceptance": ["{", "[" * 100 + "]" * 100, '"' + "x" * 70_000 + '"'],
    "idempotency_key": ["", "k" * 201, "a\nb"],
    "agent_class": ["c" * 101, "a\nb"],
    "agent": ["c" * 101, "a\nb"],
    "host": ["h" * 256, "a\nb"],
    "status": ["open", "", 5],
    "ready_only": SWITCH,
    "archived": SWITCH,
    "checked": SWITCH,
    "update": SWITCH,
    "dry_run": SWITCH,
    "undo": SWITCH,
    "limit": [0, -1, "many", 2**31],
    "cursor": ["a b", "NOBODY"],
    "owner": ["", " ", "o" * 256, "a\nb"],
    "ttl": [0, -1, 604_801, "long"],
    "token": ["", "t" * 201, "stale"],
    "from": ["", "a b", "NOBODY"],
    "to": ["", "a b", "NOBODY"],
    "reason": ["r" * 2001, 5],
    "file": ["", "f" * 1001],
    "text": ["", "cards: [", "version: 1\ncards: [{id: a b, title: t}]\n", "version: 2\n"],
    "format": ["xml", "", 5],
    "depth": [0, 21, "deep"],
    "by": ["colour", ""],
    "item": [0, 10_001, "first", 9],
}
"""What is wrong for a field; ``None`` is left out where a field may be missing."""

OF_COMMAND: dict[tuple[str, str], list[Any]] = {
    ("backlog search", "text"): ["", " ", "t" * 1001, 5],
    ("backlog link", "to"): ["", "a b", "NOBODY", "HELD"],
}
"""Where one command asks for other values than all with such a field."""

GOOD: dict[str, Any] = {
    "id": "HELD",
    "title": "t",
    "owner": "w",
    "from": "HELD",
    "to": "OTHER",
    "item": 1,
    "token": "t",
    "file": "cards.yaml",
    "text": "version: 1\ncards: []\n",
}


def commands() -> Iterator[tuple[str, list[str], set[str]]]:
    """Yield every backlog command with its arguments and those that it must have."""
    table = json.loads(
        (Path(__file__).parents[2] / "bot" / "cli" / "command_table.json").read_text()
    )
    for entry in table["commands"]:
        if entry["name"].startswith("backlog ") or entry["name"] == "board":
            names = [parameter["name"] for parameter in entry["parameters"]]
            needed = {p["name"] for p in entry["parameters"] if p["required"]}
            yield entry["name"], names, needed


CASES = [
    pytest.param(name, field, value, id=f"{name} {field} {str(value)[:20]!a}")
    for name, fields, needed in commands()
    for field in fields
    for value in OF_COMMAND.get((name, field), BAD[field])
    if value is not None or field in needed
]
"""A field without an entry in ``BAD`` is a KeyError: whoever adds one says what is wrong for it."""


@pytest.fixture(scope="module")
async def running(installation: Installation) -> Installation:
    """A daemon with a card that somebody holds, and another."""
    installation.write_roster(
        {"version": 1, "tmux": {"socket_name": new_socket_name()}, "agents": []}
    )
    await installation.up()
    for card_id in ("HELD", "OTHER"):
        made = await installation.mosaic(
            *("backlog", "create", "--id", card_id, "--title", "t"),
            *("--acceptance", '["one"]', "--idempotency-key", f"key of {card_id}"),
        )
        assert made.status == 0
    assert (
        await installation.mosaic("backlog", "claim", "--owner", "w", "--id", "HELD")
    ).status == 0
    return installation


@pytest.fixture(scope="module")
async def api(running: Installation) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.UnixConnector(str(running.api_socket))
    async with aiohttp.ClientSession("http://mosaic", connector=connector) as session:
        yield session


@pytest.fixture(scope="module")
async def connection(running: Installation) -> AsyncIterator[Any]:
    target = Target(socket_directory=running.home / "postgres" / "run")
    connection = await asyncpg.connect(**target.arguments())
    yield connection
    await connection.close()


async def everything(connection: Any) -> list[Any]:
    """Return all that the backlog holds."""
    return [
        [tuple(row) for row in await connection.fetch(f"SELECT * FROM {table} ORDER BY 1, 2")]  # noqa: S608
        for table in TABLES
    ]


@pytest.mark.parametrize(("name", "field", "value"), CASES)
async def test_a_bad_value_is_refused_with_field_value_and_what_is_allowed(
    api: aiohttp.ClientSession, connection: Any, name: str, field: str, value: Any
) -> None:
    fields, needed = next((fields, needed) for one, fields, needed in commands() if one == name)
    said = {one: GOOD[one] for one in fields if one in needed or one == "text"}
    if name == "backlog create":
        said["id"] = "NEW"
    before = await everything(connection)
    path = f"/v1/commands/{name.replace(' ', '/')}?confirm=true"
    async with api.post(path, json={**said, field: value}) as answer:
        document = await answer.json()
        assert 400 <= answer.status < 500, document
    message = document["error"]["message"]
    place = "cards.yaml:" if name == "backlog import" and field == "text" else field
    assert place in message.lower().replace("-", "_"), message
    assert "Traceback" not in message
    assert len(message) < 1000
    if isinstance(value, str) and 0 < len(value.strip()) < 30 and value.isprintable():
        parts = value.strip().split(",")
        assert any(part in message for part in parts) or field in {"text", "token"}, message
    assert await everything(connection) == before
