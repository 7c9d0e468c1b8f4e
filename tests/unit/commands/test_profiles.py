"""Profiles in chat and at the command line: what is shown before a yes, and what is done after it."""

import json
from datetime import timedelta

import pytest

from bot.asked import Yes
from bot.command.catalog import Catalog
from bot.command.declare import Call
from bot.command.interpreter import Interpreter
from bot.errors import ConfirmationRequired, UserError
from bot.model import Address, Caller, Principal, Via
from bot.policy import Access, Policy
from bot.reply import Code, Reply, Text
from commands.profiles import ProfileCommands
from tests.fakes.decisions import MemoryAudit, MemoryConfirmations
from tests.fakes.provisioning import MemoryProvisioning
from tests.fakes.units import MemoryUnits

ANN = Principal("matrix:@ann:example.org", "Ann")
ROOM = Address("matrix", "!r")
LEAD = {"name": "lead", "class": "orchestrator", "runtime": "bash"}


class Face:
    """Ann, an operator, in a room and at the command line."""

    def __init__(self) -> None:
        self.provisioning, self.units = MemoryProvisioning(LEAD), MemoryUnits()
        catalog = Catalog([ProfileCommands(self.provisioning, self.units)])
        access = Access(frozenset({ANN.id}), frozenset(), frozenset({ROOM.lane}))
        grants = {command.name: command.roles for command in catalog.commands.values()}
        self._interpreter = Interpreter(
            catalog,
            lambda: Policy(access, grants),
            MemoryAudit(),
            MemoryConfirmations(),
            time_limit=timedelta(seconds=5),
            confirm_within=timedelta(seconds=60),
        )

    async def say(self, line: str) -> Reply:
        return await self._interpreter.run_line(line, Call(Caller(ANN, Via.CHAT), ROOM, "c"))

    async def replay(self, code: str) -> Reply:
        return await self._interpreter.replay(code, Call(Caller(ANN, Via.CHAT), ROOM, "d"))

    async def run(self, *words: str, yes: Yes | None = None) -> Reply:
        call = Call(Caller(ANN, Via.CLI), ROOM, "c")
        return await self._interpreter.run_words(words, call, yes)


@pytest.fixture
def face() -> Face:
    return Face()


def codes(reply: Reply) -> list[Code]:
    return [block for block in reply.blocks if isinstance(block, Code)]


def texts(reply: Reply) -> str:
    return "\n".join(block.text for block in reply.blocks if isinstance(block, Text))


async def test_profiles_have_the_contracts_keys_and_refused_files_are_named(face: Face) -> None:
    face.provisioning.refused = ["/home/ann/x.yaml:3: lead: no"]
    reply = await face.run("fleet", "profiles")
    (row,) = reply.data
    assert {"id", "lead", "floor", "agents"} <= set(row)
    assert (row["id"], row["lead"], row["floor"]) == ("pair", "orchestrator", ["orchestrator"])
    assert [(one["class"], one["reports_to"]) for one in row["agents"]] == [
        ("orchestrator", None),
        ("enhancer", "orchestrator"),
    ]
    json.dumps(reply.data, allow_nan=False)
    assert "Not used: /home/ann/x.yaml:3: lead: no" in texts(reply)


async def test_one_profile_is_drawn_for_the_place_where_it_was_asked_for(face: Face) -> None:
    (tree,) = codes(await face.run("fleet", "profiles", "pair"))
    assert tree.text == "orchestrator  (large)\n└─ enhancer  (medium)"
    (drawing,) = codes(await face.say("fleet profiles pair"))
    assert drawing.language == "mermaid"
    assert '["orchestrator  (large)"]' in drawing.text
    assert "a0 --> a1" in drawing.text
    with pytest.raises(UserError, match="there is no x; there are: pair"):
        await face.run("fleet", "profiles", "x")


async def test_in_a_room_the_whole_is_shown_before_the_question(face: Face) -> None:
    asked = await face.say("fleet provision pair --runtime claude")
    chart, roster = codes(asked)
    assert (chart.language, roster.language) == ("mermaid", "yaml")
    assert ":::new" in chart.text
    assert "• lead is a bash agent" in texts(asked)
    assert "This adds the agents to the roster and starts them. To go on" in texts(asked)
    assert [offer.mark for offer in asked.offers] == ["✅", "❌"]
    assert list(face.provisioning.agents) == ["lead"]
    await face.units.install(["lead"])
    done = await face.replay(asked.data["confirmation"])
    assert [one["name"] for one in done.data["added"]] == ["enhancer"]
    assert face.provisioning.agents["enhancer"]["runtime"] == "claude"
    assert (await face.units.states(["enhancer"]))["enhancer"].enabled == "enabled"


async def test_at_the_command_line_the_question_brings_the_preview(face: Face) -> None:
    with pytest.raises(ConfirmationRequired) as caught:
        await face.run("fleet", "provision", "pair")
    assert caught.value.message == "This adds the agents to the roster and starts them."
    tree = next(block for block in caught.value.preview if isinstance(block, Code))
    assert tree.text == "lead  (orchestrator, bash)\nenhancer  (dogfood, new)"
    await face.run("fleet", "provision", "pair", yes=Yes(caught.value.preview_id))
    assert list(face.provisioning.agents) == ["lead", "enhancer"]


async def test_a_yes_in_a_room_to_what_has_changed_since_is_asked_for_again(face: Face) -> None:
    asked = await face.say("fleet provision pair")
    face.provisioning.agents["other"] = {"name": "other", "class": "code", "runtime": "bash"}
    again = await face.replay(asked.data["confirmation"])
    assert "other" not in codes(asked)[-1].text
    assert "other" in codes(again)[-1].text
    assert "What it would do is not what you were shown. This adds the agents" in texts(again)
    assert list(face.provisioning.agents) == ["lead", "other"], "nothing was done"
    await face.replay(again.data["confirmation"])
    assert "enhancer" in face.provisioning.agents


async def test_a_yes_at_the_command_line_to_what_has_changed_since_is_asked_for_again(
    face: Face,
) -> None:
    with pytest.raises(ConfirmationRequired) as first:
        await face.run("fleet", "provision", "pair")
    face.provisioning.agents["other"] = {"name": "other", "class": "code", "runtime": "bash"}
    with pytest.raises(ConfirmationRequired, match="is not what you were shown") as second:
        await face.run("fleet", "provision", "pair", yes=Yes(first.value.preview_id))
    assert "enhancer" not in face.provisioning.agents
    await face.run("fleet", "provision", "pair", yes=Yes(second.value.preview_id))
    assert "enhancer" in face.provisioning.agents


async def test_a_yes_to_whatever_it_does_is_to_nothing_in_particular(face: Face) -> None:
    face.provisioning.agents["other"] = {"name": "other", "class": "code", "runtime": "bash"}
    await face.run("fleet", "provision", "pair", yes=Yes())
    assert "enhancer" in face.provisioning.agents


async def test_a_dry_run_asks_nothing_and_does_nothing(face: Face) -> None:
    for reply in (
        await face.run("fleet", "provision", "pair", "--dry-run"),
        await face.say("fleet provision pair --dry-run"),
    ):
        assert reply.offers == ()
        assert reply.data["starts"] == ["enhancer"]
    assert list(face.provisioning.agents) == ["lead"]


async def test_an_unknown_profile_is_refused_before_any_question(face: Face) -> None:
    with pytest.raises(UserError, match="there is no x"):
        await face.say("fleet provision x")


async def test_the_fleets_own_chart_is_drawn(face: Face) -> None:
    reply = await face.run("fleet", "chart")
    assert reply.data == [
        {"name": "lead", "class": "orchestrator", "reports_to": None, "runtime": "bash"}
    ]
    (drawing,) = codes(await face.run("fleet", "chart", "--format", "mermaid"))
    assert drawing.text.startswith("flowchart TD\n")
