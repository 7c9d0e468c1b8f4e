"""The fleet's commands over a fleet in memory: names and JSON as the contract fixes them."""

import json
from typing import Any

import pytest

from bot.command.catalog import Catalog
from bot.command.declare import Call
from bot.command.words import split_line
from bot.errors import UserError
from bot.model import Address, Caller, Principal, Role, Via
from bot.reply import Reply, Table, Text
from bot.supervision.holders import Holders
from commands.fleet import FleetCommands
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.fleet import MemoryFleet

ANN = Caller(Principal("matrix:@ann:example.org", "Ann"), Via.CHAT)
AGENT = {"name": "coder0", "class": "code", "runtime": "dogfood", "model_hint": None, "host": None}
KEYS = {
    *("tenant_id", "host", "name", "class", "runtime", "model", "session", "pane_id", "pid"),
    *("command", "idle_seconds", "heartbeat_age_seconds", "readiness", "evidence", "flags"),
    *("card", "unit"),
}


class Face:
    """A chat line's way to the commands, without anything in between."""

    def __init__(self, *agents: dict[str, Any]) -> None:
        self.catalog = Catalog([FleetCommands(MemoryFleet(*agents), Holders(MemoryBacklog()))])

    async def ask(self, line: str) -> Reply:
        command, arguments = self.catalog.find_line(line, split_line(line))
        reply = await self.catalog.run(command, Call(ANN, Address("matrix", "!r"), "c1"), arguments)
        json.dumps(reply.data, allow_nan=False)
        return reply


@pytest.fixture
def face() -> Face:
    return Face(AGENT)


async def test_ps_has_exactly_the_contracts_keys(face: Face) -> None:
    (row,) = (await face.ask("fleet ps")).data
    assert set(row) == KEYS
    assert row["unit"] == {"active": None, "enabled": None}
    assert (row["name"], row["session"], row["readiness"]) == ("coder0", None, "dead")


async def test_start_stop_and_restart_answer_with_the_agents_rows(face: Face) -> None:
    (started,) = (await face.ask("fleet start coder0")).data
    (again,) = (await face.ask("fleet restart")).data
    assert started["pid"] not in {None, again["pid"]}
    reply = await face.ask("fleet stop coder0")
    assert reply.data[0]["session"] is None
    (table,) = reply.blocks
    assert isinstance(table, Table)
    assert table.rows[0][0] == "coder0"


async def test_status_is_of_one_agent_or_all(face: Face) -> None:
    assert [row["name"] for row in (await face.ask("fleet status")).data] == ["coder0"]
    assert [row["name"] for row in (await face.ask("fleet status coder0")).data] == ["coder0"]
    with pytest.raises(UserError, match="no agent is named coder1; the roster has: coder0"):
        await face.ask("fleet status coder1")


async def test_list_says_what_the_roster_says(face: Face) -> None:
    reply = await face.ask("fleet list")
    assert reply.data == [AGENT]
    (table,) = reply.blocks
    assert isinstance(table, Table)
    assert table.rows == (("coder0", "code", "dogfood", "-", "any"),)


async def test_an_empty_fleet_is_said_in_words() -> None:
    face = Face()
    assert (await face.ask("fleet ps")).blocks == (Text("There are no agents here."),)
    assert (await face.ask("fleet list")).blocks == (Text("The roster names nobody."),)


def test_what_ends_sessions_asks_first_and_is_for_operators(face: Face) -> None:
    commands = face.catalog.commands
    assert {name for name, one in commands.items() if one.confirm} == {
        "fleet stop",
        "fleet restart",
    }
    for name in ("fleet start", "fleet stop", "fleet restart"):
        assert commands[name].roles == {Role.OPERATOR}


@pytest.mark.parametrize("name", ["_holder", "a.b", "a:b", "-x", "=x", "%1", "x" * 65])
async def test_a_name_that_tmux_would_read_otherwise_is_refused(face: Face, name: str) -> None:
    with pytest.raises(UserError):
        await face.ask(f"fleet start {name}")
