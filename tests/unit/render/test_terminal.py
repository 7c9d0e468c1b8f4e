"""Blocks on a terminal: within its width, without anybody's control sequences."""

import io
import re

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bot.render.terminal import show, to_terminal
from bot.reply import Block, Board, Code, Column, Fields, Markdown, Slip, Table, Text
from tests.modesty import modest

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
WORDS = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from("\x1b[\x07\n\r日é")), max_size=30
)
BLOCKS: st.SearchStrategy[Block] = st.one_of(
    st.builds(Text, WORDS),
    st.builds(Markdown, WORDS),
    st.builds(Code, WORDS, st.sampled_from(["", "py", "nonsense"])),
    st.builds(
        lambda rows: Table(("id", "[b]status"), tuple(rows)),
        st.lists(st.tuples(WORDS, WORDS), max_size=4),
    ),
    st.builds(lambda pairs: Fields(tuple(pairs)), st.lists(st.tuples(WORDS, WORDS), max_size=4)),
    st.builds(
        lambda lanes: Board(tuple(Column(name, 9, tuple(slips)) for name, slips in lanes)),
        st.lists(
            st.tuples(
                WORDS,
                st.lists(st.builds(Slip, WORDS, WORDS, st.sampled_from(["done", "?"]), WORDS)),
            ),
            max_size=4,
        ),
    ),
)


@modest
@given(st.lists(BLOCKS, max_size=3), st.integers(20, 100))
def test_no_line_is_wider_than_the_terminal_and_no_foreign_sequence_survives(
    blocks: list[Block], width: int
) -> None:
    plain = COLOUR.sub("", to_terminal(blocks, width, colour=True))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", plain)
    assert all(cell_len(line) <= width for line in plain.split("\n"))


def test_a_table_colours_the_words_that_say_how_something_is() -> None:
    table = Table(("id", "status"), (("A1", "ready"), ("A2", "[red]x")))
    assert "\x1b[32mready" in to_terminal([table], 60, colour=True)
    assert to_terminal([table], 60, colour=False).splitlines()[3].split() == ["A2", "[red]x"]


LANES = Board(
    (
        Column("ready", 9, (Slip("A1", "the schema", "ready"), Slip("A2", "日本" * 60, "ready"))),
        Column("blocked", 1, (Slip("B1", "keys", "blocked", "blocked: " + "why " * 40),)),
    )
)


def test_lanes_stand_side_by_side_where_there_is_room() -> None:
    wide = to_terminal([LANES], 60, colour=False).splitlines()
    assert wide[0].split() == ["ready", "9", "blocked", "1"]
    assert wide[2].split() == ["○", "A1", "the", "schema", "⊘", "B1", "keys"]
    narrow = to_terminal([LANES], 40, colour=False).splitlines()
    assert narrow[0].split() == ["ready", "9"]
    assert [line.strip() for line in narrow].index("blocked 1") > 3


def test_a_card_on_a_board_takes_few_lines_however_long_its_words_are() -> None:
    lines = to_terminal([LANES], 60, colour=False).splitlines()
    assert len(lines) <= 8
    assert any("…" in line for line in lines)
    assert "… 7 more" in "\n".join(lines)


def test_a_pipe_gets_no_colours() -> None:
    out = io.StringIO()
    show([Fields((("state", "ok"),)), Code("x = 1", "py")], out)
    assert "\x1b" not in out.getvalue()
    assert "state  ok" in out.getvalue()
