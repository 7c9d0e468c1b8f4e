"""What is enabled when an agent is added is disabled when it is removed."""

import pytest

from bot.command.catalog import Catalog
from bot.command.declare import Call
from bot.command.words import split_line
from bot.errors import UsageError
from bot.model import Address, Caller, Principal, Via
from bot.reply import Reply
from commands.roster import RosterCommands
from tests.fakes.rosters import MemoryRosters
from tests.fakes.units import MemoryUnits

ANN = Caller(Principal("matrix:@ann:example.org", "Ann"), Via.CHAT)
LEAD = {"name": "lead", "class": "orchestrator", "runtime": "dogfood"}


class Face:
    """A chat line's way to the commands."""

    def __init__(self) -> None:
        self.rosters, self.units = MemoryRosters(LEAD), MemoryUnits()
        self._catalog = Catalog([RosterCommands(self.rosters, self.units)])

    async def ask(self, line: str) -> Reply:
        command, arguments = self._catalog.find_line(line, split_line(line))
        return await self._catalog.run(command, Call(ANN, Address("matrix", "!r"), "c1"), arguments)


async def test_boot_is_symmetric() -> None:
    face = Face()
    await face.units.install(["lead"])
    await face.ask("fleet add coder0 --class code --runtime pi --yolo")
    assert face.rosters.agents["coder0"] == {
        "name": "coder0",
        "class": "code",
        "runtime": "pi",
        "yolo": True,
    }
    assert (await face.units.states(["coder0"]))["coder0"].enabled == "enabled"
    await face.ask("fleet remove coder0")
    assert "coder0" not in face.rosters.agents
    assert (await face.units.states(["coder0"]))["coder0"].enabled == "disabled"


async def test_an_empty_value_takes_a_key_away_and_no_value_is_refused() -> None:
    face = Face()
    await face.ask("fleet edit lead --model opus --alias Lea")
    assert face.rosters.agents["lead"]["model_hint"] == "opus"
    await face.ask('fleet edit lead --model ""')
    assert face.rosters.agents["lead"] == {**LEAD, "alias": "Lea"}
    with pytest.raises(UsageError, match="nothing to change"):
        await face.ask("fleet edit lead")
