"""Import and export as commands, in a room and with words that a shell has split."""

import json
from typing import Any

import pytest

from bot.command.catalog import Catalog
from bot.command.declare import Call
from bot.command.words import split_line
from bot.errors import UsageError, UserError
from bot.model import Address, Caller, Principal, Via
from bot.reply import Code, Reply
from commands.backlog import BacklogCommands
from commands.shipments import ShipmentCommands
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.shipments import MemoryShipments
from tests.stages.backlog import ANN

SHELL = Caller(Principal("local:1000", "ann"), Via.CLI)
PLAN = """version: 1
cards:
  - id: A2
    title: don't 'quote" me
    depends_on: [A1]
  - {id: A1, title: schema}
"""


class Face:
    """The backlog's commands over the model."""

    def __init__(self) -> None:
        self.memory = MemoryBacklog()
        topics = [
            BacklogCommands(self.memory, self.memory, self.memory),
            ShipmentCommands(MemoryShipments(self.memory)),
        ]
        self.catalog = Catalog(topics)

    async def say(self, line: str) -> Reply:
        command, arguments = self.catalog.find_line(line, split_line(line))
        return await self._run(command, arguments, ANN)

    async def run(self, *words: str) -> Reply:
        command, length = self.catalog.find(words)
        return await self._run(command, command.grammar.bind_words(words[length:]), SHELL)

    async def _run(self, command: Any, arguments: Any, by: Caller) -> Reply:
        reply = await self.catalog.run(command, Call(by, Address("memory", "ops"), "c1"), arguments)
        json.dumps(reply.data, allow_nan=False)
        return reply


@pytest.fixture
def face() -> Face:
    return Face()


async def test_a_code_block_below_the_command_is_the_file(face: Face) -> None:
    reply = await face.say(f"backlog import plan.yaml --dry-run\n```yaml\n{PLAN}```")
    assert reply.data == {"created": ["A2", "A1"], "changed": [], "left": [], "dry_run": True}
    assert await face.memory.export() == []
    reply = await face.say(f"backlog import plan.yaml\n```\n{PLAN}```")
    assert reply.data["created"] == ["A2", "A1"]
    assert [card.title for card in await face.memory.export()] == ["don't 'quote\" me", "schema"]


async def test_without_a_code_block_a_room_is_told_how(face: Face) -> None:
    with pytest.raises(UsageError, match=r"what plan\.yaml says is missing") as caught:
        await face.say("backlog import plan.yaml")
    assert "```" in str(caught.value.hint)


async def test_a_shells_file_may_begin_with_dashes(face: Face) -> None:
    reply = await face.run("backlog", "import", "--update", "p.yaml", f"---\n{PLAN}")
    assert reply.data["created"] == ["A2", "A1"]


async def test_faults_of_the_file_and_of_the_backlog_have_the_same_form(face: Face) -> None:
    for text, said in (
        (PLAN.replace("A2", "'-'"), r"^p\.yaml:3: id: '-' is not allowed"),
        (PLAN.replace("[A1]", "[A9]"), r"^p\.yaml:5: depends_on: there is no card 'A9'"),
        (PLAN.replace("schema", "schema, depends_on: [A2]"), r"cycle A2 → A1 → A2"),
    ):
        with pytest.raises(UserError, match=said) as caught:
            await face.run("backlog", "import", "p.yaml", text)
        assert caught.value.hint == "nothing was imported"


async def test_an_export_imported_into_an_empty_backlog_exports_the_same(face: Face) -> None:
    await face.run("backlog", "import", "p.yaml", PLAN)
    await face.say("backlog create --id A3 --title done --idempotency-key k --acceptance '[\"x\"]'")
    await face.say("backlog complete --id A3")
    await face.say("backlog block --id A1 --reason 'no key'")
    await face.say("backlog create --id A4 --title mine --priority 9")
    await face.say("backlog claim --owner me")
    for form in ("yaml", "json"):
        text = await exported(face, form)
        other = Face()
        await other.run("backlog", "import", f"x.{form}", text)
        assert await exported(other, form) == text
        assert "claim" not in text
        assert (await other.run("backlog", "show", "A4")).data["status"] == "ready"
        assert (await other.run("backlog", "show", "A1")).data["block_reason"] == "no key"
        assert (await other.run("backlog", "show", "A3")).data["status"] == "done"


async def exported(face: Face, form: str) -> str:
    reply = await face.run("backlog", "export", "--format", form)
    (block,) = reply.blocks
    assert isinstance(block, Code)
    assert block.language == form
    return block.text


async def test_the_daemon_writes_no_file_and_floods_no_room(face: Face) -> None:
    with pytest.raises(UsageError, match="which the daemon does not touch"):
        await face.say("backlog export plan.yaml")
    many = "".join(f"  - {{id: C{n}, title: {'x' * 200}}}\n" for n in range(300))
    await face.run("backlog", "import", "p.yaml", f"version: 1\ncards:\n{many}")
    with pytest.raises(UserError, match=r"300 cards has \d+ bytes; a room gets 40000") as caught:
        await face.say("backlog export")
    assert caught.value.code == "too_large"
    assert len((await face.run("backlog", "export")).data["cards"]) == 300
