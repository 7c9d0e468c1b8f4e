"""The board and the graph as commands: what people see, and that nobody's words draw anything."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.backlog.cards import CardDraft
from bot.command.catalog import Catalog
from bot.command.declare import Call
from bot.command.words import split_line
from bot.errors import UserError
from bot.model import Address, Caller, Principal, Via
from bot.reply import Board, Code, Reply, Slip, Text
from commands.board import BoardCommands
from commands.graph import GraphCommands
from commands.graph_drawing import mermaid
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.overview import MemoryOverview
from tests.modesty import modest
from tests.stages.backlog import ANN, MINUTE

SHELL = Caller(Principal("local:1000", "ann"), Via.CLI)


class Face:
    """Board and graph over the model."""

    def __init__(self) -> None:
        self.memory = MemoryBacklog()
        overview = MemoryOverview(self.memory)
        self.catalog = Catalog([BoardCommands(overview), GraphCommands(overview)])

    async def make(self, card_id: str, title: str = "", *needs: str, phase: str = "") -> None:
        draft = CardDraft(card_id, title=title or card_id.lower(), depends_on=needs, phase=phase)
        await self.memory.create(draft, ANN)

    async def ask(self, line: str, by: Caller = ANN) -> Reply:
        command, arguments = self.catalog.find_line(line, split_line(line))
        reply = await self.catalog.run(command, Call(by, Address("memory", "ops"), "c1"), arguments)
        json.dumps(reply.data, allow_nan=False)
        return reply

    async def drawn(self, line: str, by: Caller = SHELL) -> str:
        block = (await self.ask(line, by)).blocks[0]
        assert isinstance(block, Code)
        return block.text


@pytest.fixture
async def face() -> Face:
    face = Face()
    await face.make("A", "schema", phase="M1")
    await face.make("B", 'say "hi" [now] end', "A", phase="M1")
    await face.make("C", "", "B", "A")
    await face.make("D")
    await face.make("E", "", "A", "D")
    await face.memory.claim("w1", MINUTE, "A", ANN)
    await face.memory.block("D", "no key", ANN)
    return face


async def test_a_board_says_what_a_card_waits_for_and_why_it_stands_still(face: Face) -> None:
    reply = await face.ask("board")
    (board,) = reply.blocks
    assert isinstance(board, Board)
    assert [(column.name, column.total) for column in board.columns] == [
        ("waiting", 3),
        ("claimed", 1),
        ("blocked", 1),
    ]
    slips = [slip for column in board.columns for slip in column.slips]
    assert slips[1:] == [
        Slip("C", "c", "waiting", "waits for B, A"),
        Slip("E", "e", "waiting", "waits for D ⊘, A"),
        Slip("A", "schema", "claimed", "held by w1"),
        Slip("D", "d", "blocked", "blocked: no key"),
    ]
    assert reply.data["lanes"][0]["cards"][1]["waits_for"] == ["B", "A"]
    assert reply.data["lanes"][1]["cards"][0]["claim_token"] is None


async def test_a_board_by_phase_has_a_lane_for_cards_without_one(face: Face) -> None:
    reply = await face.ask("backlog board --by phase --limit 1")
    (board,) = reply.blocks
    assert isinstance(board, Board)
    found = [(column.name, column.total, len(column.slips)) for column in board.columns]
    assert found == [("M1", 2, 1), ("no phase", 3, 1)]
    assert [lane["name"] for lane in reply.data["lanes"]] == ["M1", ""]


async def test_of_very_many_lanes_the_rest_is_counted(face: Face) -> None:
    for number in range(30):
        await face.make(f"P{number}", phase=f"p{number:02}")
    board, more = (await face.ask("board --by phase")).blocks
    assert isinstance(board, Board)
    assert len(board.columns) == 24
    assert more == Text("8 more lanes are left out.")


async def test_an_empty_backlog_says_so() -> None:
    face = Face()
    for line in ("board", "backlog graph"):
        assert (await face.ask(line)).blocks == (Text("The backlog is empty."),)


async def test_a_tree_unfolds_every_card_once(face: Face) -> None:
    assert await face.drawn("backlog graph") == (
        "◌ C  c\n"
        '├─ ◌ B  say "hi" [now] end\n'
        "│  └─ ◐ A  schema (w1)\n"
        "└─ ◐ A  schema (w1)\n"
        "◌ E  e\n"
        "├─ ◐ A  schema (w1)\n"
        "└─ ⊘ D  d (blocked)"
    )
    assert await face.drawn("backlog graph B") == (
        '◌ B  say "hi" [now] end\nwaits for\n└─ ◐ A  schema (w1)\nis waited for by\n└─ ◌ C  c'
    )


async def test_a_room_gets_mermaid_and_is_told_what_is_left_out(face: Face) -> None:
    drawn = await face.drawn("backlog graph A --depth 1 --limit 2", ANN)
    assert drawn.splitlines()[:4] == [
        "flowchart TD",
        '    c0["◐ A: schema"]:::claimed',
        '    c1["◌ B: say #34;hi#34; #91;now#93; end"]:::waiting',
        "    c0 --> c1",
    ]
    more = (await face.ask("backlog graph A --depth 1 --limit 2")).blocks[1]
    assert more == Text("2 more cards are left out; --depth and --limit show more.")
    with pytest.raises(UserError):
        await face.ask("backlog graph NOWHERE")


async def test_a_long_chain_is_drawn_without_recursion(face: Face) -> None:
    await face.make("L0")
    for number in range(1, 400):
        await face.make(f"L{number}", "", f"L{number - 1}")
    drawn = await face.drawn("backlog graph --limit 500 --format tree")
    assert len(drawn.splitlines()) == 407


@modest
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80))
async def test_nobodys_title_leaves_its_label(title: str) -> None:
    face = Face()
    await face.make("end", title)
    lines = mermaid(list(await face.memory.export())).splitlines()
    assert len(lines) == 3
    label = re.fullmatch(r'    c0\["(.*)"\]:::ready', lines[1])
    assert label is not None
    assert re.search(r'["\[\]{}<>`&\\|\n]', label[1]) is None
