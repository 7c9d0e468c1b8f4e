"""A person waits for an agent's turn in a Matrix room: sees it go on, sees it end, and learns when it failed."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.stages.room import DEMO, PATIENCE, Event, OpsRoom, ops_room
from tests.stages.synapse import Town
from tests.waiting import until

CODER = {"name": "coder0", "class": "code", "runtime": "dogfood"}
PACE = {"MOSAIC_PROGRESS_AFTER_SECONDS": "0.3", "MOSAIC_PROGRESS_BETWEEN_SECONDS": "0.5"}


@pytest.fixture(scope="module")
async def room(home: Path, homeserver: Town) -> AsyncIterator[OpsRoom]:
    async with ops_room(home, homeserver, agents=[*DEMO, CODER]) as room:
        room.installation.give({"MATRIX_ACCESS_TOKEN": room.bot.token, **PACE})
        await room.installation.up()
        await room.steady()
        await until(lambda: _is_available(room), PATIENCE, "coder0 to be available")
        yield room


async def _is_available(room: OpsRoom) -> bool:
    rows = (await room.installation.mosaic("fleet", "ps", "--json")).data
    return any(row["name"] == "coder0" and row["readiness"] == "available" for row in rows)


def _edits(room: OpsRoom, event_id: str) -> list[Event]:
    """Return the contents of our edits of one event, in order."""
    found: list[dict[str, Any]] = [e["content"] for e in room.said()]
    return [
        one["m.new_content"]
        for one in found
        if (one.get("m.relates_to") or {}).get("rel_type") == "m.replace"
        and one["m.relates_to"]["event_id"] == event_id
    ]


def _shown(room: OpsRoom, words: str) -> list[Event]:
    """Return our messages that begin so, edits left out."""
    return [e for e in room.said() if str(e["content"].get("body", "")).startswith(words)]


async def test_a_long_turn_is_shown_by_one_message_that_becomes_its_end(room: OpsRoom) -> None:
    await room.installation.type("coder0", "/slow 4")
    asked = await room.say("@coder0 count the cards")
    await until(lambda: _shown(room, "coder0 has been at it"), PATIENCE, "progress")
    (first,) = _shown(room, "coder0 has been at it")
    assert first["content"]["msgtype"] == "m.notice"
    assert first["content"]["m.mentions"] == {}, "nobody is called to what is no answer"
    await until(lambda: len(_edits(room, first["event_id"])) >= 2, PATIENCE, "two edits")
    answer = await room.answer(asked)
    assert answer["body"] == "dogfood coder0: count the cards"
    await room.marked(asked, "✅")
    edits = [one["body"] for one in _edits(room, first["event_id"])]
    assert edits[-1].startswith("coder0 answered after ")
    assert all(one.startswith("coder0 has been at it for ") for one in edits[:-1])
    order = [e["content"] for e in room.said()]
    last = max(n for n, one in enumerate(order) if "m.new_content" in one)
    assert order.index(answer) > last, "nothing is edited after the answer"
    assert len(_shown(room, "coder0 has been at it")) == 1


async def test_a_limit_is_told_in_the_room_and_to_a_script(room: OpsRoom) -> None:
    await until(lambda: _is_available(room), PATIENCE, "coder0 to be available")
    await room.installation.type("coder0", "/slow 0")
    await room.installation.type("coder0", "/fail usage limit, resets at 3 pm")
    asked = await room.say("@coder0 is A1 yours?")
    said = (await room.answer(asked))["body"]
    assert said == (
        "coder0 has the message and gave no answer: its program has reached a usage limit.\n"
        "usage limit, resets at 3 pm"
    )
    await room.marked(asked, "❌")
    assert "✅" not in room.marks(asked)
    items = (await room.installation.mosaic("agent", "inbox", "coder0", "--json")).data
    (item,) = [one for one in items if one["text"] == "is A1 yours?"]
    assert (item["state"], item["answer"]) == ("failed", None)
    told = (await room.installation.mosaic("receipt", item["message_id"], "--json")).data
    states = [one["state"] for one in told["receipts"]]
    assert states[-2:] == ["accepted", "failed"]
    assert told["reason"] == "limit: usage limit, resets at 3 pm"
    assert told["evidence"] == {"failure": "limit"}


async def test_an_interrupted_turn_is_no_answer(room: OpsRoom) -> None:
    await until(lambda: _is_available(room), PATIENCE, "coder0 to be available")
    await room.installation.type("coder0", "/slow 60")
    asked = await room.say("@coder0 a long task")
    await until(lambda: _shown(room, "coder0 has been at it"), PATIENCE, "progress")
    second = await room.say("!agent interrupt coder0 stop that")
    said = (await room.answer(asked))["body"]
    assert said == "coder0 has the message and gave no answer: its turn was interrupted."
    await room.marked(asked, "❌")
    await until(lambda: room.answers(second), PATIENCE, "the receipt of what interrupted it")
