"""Slash commands through the library's own objects: told when they changed, stored first, answered where asked."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.clock.backoff import Backoff
from bot.command.words import split_line
from bot.errors import TransientError
from bot.model import InboundKind
from connectors.discord.touches.interactions import Interactions
from connectors.discord.touches.options import BOOLEAN, INTEGER, NUMBER, Payload, values_of
from connectors.discord.touches.slash import Slashes
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.mailroom import Room
from tests.stages.touches import (
    Heard,
    Server,
    TouchMiddle,
    a_server,
    labels,
    let_in,
    lobby_of,
    text_of,
    whole_catalog,
)
from tests.waiting import until

COMMANDS = "/commands"
REQUIRED = {
    "id": "A1",
    "from": "A1",
    "to": "A2",
    "title": 'paint the shed; it\'s "red"',
    "text": 'say "hi" --verify',
    "message-id": "abcd1234",
    "code": "1234",
    "name": "coder0",
    "profile": "solo",
    "token": "T-1",
    "item": "1",
    "user": "@ann:example.org",
}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with a_server() as server:
        yield server


def face_of(server: Server) -> Interactions:
    """Return the face of every command there is."""
    return Interactions(lobby_of(server, whole_catalog(), Room(), MemoryBacklog()))


def filled(options: list[Payload]) -> dict[str, Any]:
    """Return something for every option that is required, and for every switch and choice."""
    return {
        one["name"]: _value(one)
        for one in options
        if one["required"] or one["type"] == BOOLEAN or "choices" in one
    }


def _value(option: Payload) -> Any:
    if "choices" in option:
        return option["choices"][0]["value"]
    if option["type"] == BOOLEAN:
        return True
    if option["type"] in {INTEGER, NUMBER}:
        return option.get("min_value", 1)
    return REQUIRED.get(option["name"], "word")


def leaves(payloads: list[Payload], path: str = "") -> dict[str, list[Payload]]:
    """Return every slash command with its options."""
    found: dict[str, list[Payload]] = {}
    for one in payloads:
        name = f"{path} {one['name']}".strip()
        below = [inner for inner in one.get("options", []) if inner["type"] in {1, 2}]
        if below:
            found |= leaves(below, name)
        else:
            found[name] = one.get("options", [])
    return found


async def test_every_slash_command_is_the_line_that_a_person_would_type(server: Server) -> None:
    heard, catalog = Heard(), whole_catalog()
    await let_in(server, face_of(server), heard.accept)
    slashes = Slashes(list(catalog.commands.values()))
    for path, options in leaves(slashes.payloads).items():
        asked = slashes.find(path.split())
        assert asked is not None
        if asked.as_form:
            continue
        values = filled(options)
        if path.startswith("account") and "code" in values:
            values["code"] = "abcd1234"
        await server.ann.slash(server.channel, path, **values)
        ((event,),) = [batch.events for batch in heard.batches]
        heard.batches.clear()
        assert (event.sender.id, event.source) == (f"discord:{server.ann.id}", server.place)
        assert event.kind is InboundKind.TEXT
        line = event.text.removeprefix("!")
        command, arguments = catalog.find_line(line, split_line(line))
        assert command == asked.command
        given = [{"name": name, "value": value} for name, value in values.items()]
        assert arguments == command.grammar.check(values_of(command, given))


async def test_commands_are_told_once_and_again_only_when_they_changed(server: Server) -> None:
    heard, catalog = Heard(), whole_catalog()
    for _life in range(3):
        await let_in(server, face_of(server), heard.accept)
        assert server.requests("PUT", COMMANDS) == 1
    fewer = lobby_of(server, catalog, Room(), MemoryBacklog())
    middle = TouchMiddle(server, Room(), MemoryBacklog())
    assert len(middle.lobby.commands) < len(fewer.commands)
    await let_in(server, middle.face, heard.accept)
    assert server.requests("PUT", COMMANDS) == 2


@pytest.mark.parametrize("status", [500, 503])
async def test_while_discord_does_not_take_the_commands_all_else_goes_on(
    server: Server, status: int
) -> None:
    server.env.inject_error("PUT", f"*{COMMANDS}", status=status, times=2)
    soon = Backoff(timedelta(milliseconds=10), timedelta(milliseconds=20))
    lobby = lobby_of(server, whole_catalog(), Room(), MemoryBacklog())
    await let_in(server, Interactions(lobby, soon), Heard().accept)
    assert server.ann.available_commands(server.channel) == ()
    await until(lambda: "backlog claim" in server.ann.available_commands(server.channel))
    assert server.requests("PUT", COMMANDS) == 3


async def test_without_leave_for_commands_none_is_told_and_it_is_not_tried_again(
    server: Server,
) -> None:
    server.env.inject_error("GET", f"*{COMMANDS}", status=403, code=50001, times=None)
    soon = Backoff(timedelta(milliseconds=10), timedelta(milliseconds=20))
    face = Interactions(lobby_of(server, whole_catalog(), Room(), MemoryBacklog()), soon)
    await let_in(server, face, Heard().accept)
    assert server.requests("PUT", COMMANDS) == 0
    assert server.requests("GET", COMMANDS) == 1


async def test_an_answer_stands_where_it_was_asked_and_buttons_below_it(server: Server) -> None:
    async with TouchMiddle(server, Room(), MemoryBacklog()).at_work():
        asked = await server.ann.slash(server.channel, "backlog create", id="A1", title="paint")
        assert await text_of(asked) == "The backlog has card A1: paint"
        assert server.seen_by(server.eve) == ["The backlog has card A1: paint"]
        assert labels(asked) == ["Claim it", "Hold it back", "Complete it"]


async def test_a_private_answer_is_for_who_asked_alone(server: Server) -> None:
    backlog = MemoryBacklog()
    async with TouchMiddle(server, Room(), backlog).at_work():
        await text_of(
            await server.ann.slash(server.channel, "backlog create", id="A1", title="paint")
        )
        claimed = await server.ann.slash(server.channel, "backlog claim", owner="me")
        assert "token" in await text_of(claimed)
        assert claimed.ephemeral
        assert not any("token" in text for text in server.seen_by(server.eve))
        assert any("token" in text for text in server.seen_by(server.ann))


async def test_a_refusal_is_for_who_asked_alone_and_noted(server: Server) -> None:
    async with TouchMiddle(server, Room(), MemoryBacklog()).at_work() as middle:
        refused = await server.eve.slash(server.channel, "echo", word="hello")
        assert "echo is refused" in await text_of(refused)
        assert refused.ephemeral
        assert middle.toys.ran == []
        (row,) = middle.audit.rows
        assert (row["principal_id"], row["action"]) == (f"discord:{server.eve.id}", "echo")
        assert server.seen_by(server.mo) == []


async def test_where_no_commands_are_taken_it_is_said_and_nothing_is_stored(server: Server) -> None:
    heard = Heard()
    await let_in(server, face_of(server), heard.accept)
    refused = await server.ann.slash(server.elsewhere, "status")
    assert refused.ephemeral
    assert "only in the channels" in await text_of(refused)
    assert heard.batches == []


async def test_a_word_that_is_missing_before_another_is_named_at_once(server: Server) -> None:
    heard = Heard()
    await let_in(server, face_of(server), heard.accept)
    refused = await server.ann.slash(server.channel, "why", action="fleet stop")
    assert "PRINCIPAL is missing" in await text_of(refused)
    assert refused.ephemeral
    assert heard.batches == []


async def test_a_touch_waits_for_the_database_and_is_acknowledged_meanwhile(server: Server) -> None:
    heard = Heard(ends=[TransientError("away"), TransientError("away")])
    await let_in(server, face_of(server), heard.accept)
    asked = await server.ann.slash(server.channel, "status")
    assert asked.deferred
    assert heard.texts() == ["!status"]


async def test_a_touch_that_is_told_again_is_heard_once(server: Server) -> None:
    heard, told = Heard(), list[Any]()
    await let_in(server, face_of(server), heard.accept)
    backend = server.env.backend
    backend.subscribers.append(lambda event, payload: told.append((event, payload)))
    await server.ann.slash(server.channel, "status")
    (again,) = [payload for event, payload in told if event == "INTERACTION_CREATE"]
    backend.emit("INTERACTION_CREATE", again)
    await server.env.settle()
    assert heard.texts() == ["!status"]


async def test_after_a_restart_an_answer_is_said_in_the_channel(server: Server) -> None:
    room, backlog = Room(), MemoryBacklog()
    middle = TouchMiddle(server, room, backlog)
    await let_in(server, middle.face, middle.router.accept)
    asked = await server.ann.slash(server.channel, "echo", word="hello")
    assert asked.deferred
    async with TouchMiddle(server, room, backlog, "two").at_work():
        await until(lambda: "you said hello" in server.seen_by(server.eve))


async def test_a_private_answer_that_a_restart_lost_is_not_said_to_all(server: Server) -> None:
    room, backlog = Room(), MemoryBacklog()
    middle = TouchMiddle(server, room, backlog)
    await let_in(server, middle.face, middle.router.accept)
    asked = await server.ann.slash(server.channel, "backlog claim", owner="me")
    assert (asked.deferred, asked.ephemeral) == (True, True)
    async with TouchMiddle(server, room, backlog, "two").at_work():
        lost = "A private answer was lost by a restart. Ask again, please."
        await until(lambda: lost in server.seen_by(server.eve))
    assert [row.state for row in room.rows] == ["done"] * len(room.rows)


async def test_a_command_of_former_times_is_named_as_gone(server: Server) -> None:
    heard = Heard()
    await let_in(server, face_of(server), heard.accept)
    client = await let_in(server, TouchMiddle(server, Room(), MemoryBacklog()).face, heard.accept)
    await let_in(server, face_of(server), heard.accept)
    del client
    backend = server.env.backend
    payload = Slashes(list(whole_catalog().commands.values())).payloads[0]
    backend.register_commands(server.guild.id, [{**payload, "name": "formerly"}])
    refused = await server.ann.slash(server.channel, "formerly")
    assert "is no more" in await text_of(refused)
    assert heard.batches == []


async def test_an_answer_of_many_parts_goes_on_below_the_first(server: Server) -> None:
    async with TouchMiddle(server, Room(), MemoryBacklog()).at_work():
        long = "word " * 700
        asked = await server.ann.slash(server.channel, "echo", word=long)
        await text_of(asked)
        said = long.split()
        await until(lambda: " ".join(server.seen_by(server.eve)).split()[2:] == said)
        assert len(server.seen_by(server.eve)) > 1
