"""Pausing and resuming, and every view that says so, over the model."""

import json

import pytest

from bot.command.catalog import Catalog
from bot.command.declare import Call
from bot.command.words import split_line
from bot.errors import UserError
from bot.model import Address, Caller, Principal, Role, Via
from bot.reply import Reply, Text
from bot.supervision.holders import Holders
from bot.supervision.pause_watch import PauseWatch
from commands.backlog import BacklogCommands
from commands.board import BoardCommands
from commands.fleet import FleetCommands
from commands.pause import PauseCommands
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.fleet import MemoryFleet
from tests.fakes.overview import MemoryOverview

ANN = Caller(Principal("matrix:@ann:example.org", "Ann"), Via.CHAT)
CODER = Caller(Principal("agent:east/coder0", "coder0"), Via.CLI)
ROOM = Address("matrix", "!r")


class Face:
    """A chat line's way to the commands; ``told`` is what other places hear."""

    def __init__(self) -> None:
        backlog = MemoryBacklog()
        self.pauses = backlog.pauses
        self.told: list[str] = []
        self.watch = PauseWatch(
            self.pauses, lambda text, _offers: self.told.append(text), lambda: ROOM
        )
        standing = self.watch.ask
        self.catalog = Catalog(
            [
                PauseCommands(self.watch),
                BacklogCommands(backlog, backlog, backlog, standing=standing),
                BoardCommands(MemoryOverview(backlog), standing),
                FleetCommands(MemoryFleet(), Holders(backlog), standing),
            ]
        )

    async def ask(self, line: str, by: Caller = ANN) -> Reply:
        command, arguments = self.catalog.find_line(line, split_line(line))
        reply = await self.catalog.run(command, Call(by, ROOM, "c1"), arguments)
        json.dumps(reply.data, allow_nan=False)
        return reply

    async def first(self, line: str, by: Caller = ANN) -> str:
        block = (await self.ask(line, by)).blocks[0]
        return block.text if isinstance(block, Text) else ""


@pytest.fixture
def face() -> Face:
    return Face()


@pytest.mark.parametrize(
    ("line", "reason", "freeze"),
    [
        ("pause", None, False),
        ("pause --reason deploy", "deploy", False),
        ('pause --reason "deploy of prod" --freeze', "deploy of prod", True),
        ("pause deploy of prod", "deploy of prod", False),
        ("pause --freeze a key leaked", "a key leaked", True),
        ("pause --reason deploy of prod", "deploy of prod", False),
    ],
)
async def test_a_reason_is_said_as_a_flag_or_in_plain_words(
    face: Face, line: str, reason: str | None, freeze: bool
) -> None:
    data = (await face.ask(line)).data["paused"]
    assert set(data) == {"by", "name", "reason", "since", "freeze"}
    assert (data["by"], data["reason"], data["freeze"]) == (ANN.principal.id, reason, freeze)
    assert face.watch.current == face.pauses.strictest()
    assert face.told == []


@pytest.mark.parametrize("line", ["pause deploy --freeze", "pause now --reason x"])
async def test_a_flag_behind_the_words_is_no_part_of_the_reason(face: Face, line: str) -> None:
    with pytest.raises(UserError, match="a flag stands among the reason's words") as caught:
        await face.ask(line)
    assert caught.value.code == "usage"
    assert face.pauses.strictest() is None


async def test_a_resume_says_what_it_lifted(face: Face) -> None:
    assert await face.first("resume") == "Nothing was paused."
    await face.ask("pause deploy")
    reply = await face.ask("resume")
    assert reply.data["paused"] is None
    assert reply.data["lifted"]["reason"] == "deploy"
    assert face.watch.current is None


async def test_only_operators_pause_and_resume(face: Face) -> None:
    for name in ("pause", "resume"):
        assert face.catalog.commands[name].roles == {Role.OPERATOR}


VIEWS = ["fleet ps", "fleet status", "backlog stats", "board"]


@pytest.mark.parametrize("view", VIEWS)
async def test_every_view_of_the_work_begins_with_the_pause(face: Face, view: str) -> None:
    assert not (await face.first(view)).startswith("Paused")
    await face.ask("pause --freeze deploy")
    pause = face.pauses.strictest()
    assert pause is not None
    assert await face.first(view) == pause.sentence()
    assert pause.sentence().startswith("Paused by Ann since ")
    assert pause.sentence().endswith(" UTC (deploy); freeze")


async def test_an_agents_claim_is_null_with_the_notice_why(face: Face) -> None:
    await face.ask("backlog create --id A --title a")
    await face.ask("pause deploy")
    reply = await face.ask("backlog claim --owner me", CODER)
    assert reply.data is None
    (block,) = reply.blocks
    assert isinstance(block, Text)
    assert block.text.startswith("paused by Ann since ")
    assert (await face.ask("backlog claim --owner me")).data["id"] == "A"
    assert await face.first("backlog claim --owner me") == "Nothing is claimable."


async def test_stats_hold_the_pause(face: Face) -> None:
    assert (await face.ask("backlog stats")).data["paused"] is None
    await face.ask("pause deploy")
    assert (await face.ask("backlog stats")).data["paused"]["reason"] == "deploy"
