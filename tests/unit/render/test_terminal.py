"""Blocks on a terminal: within its width, without anybody's control sequences."""

import io
import re

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bot.reply import Block, Code, Fields, Markdown, Table, Text
from bot.terminal import show, to_terminal
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


def test_a_pipe_gets_no_colours() -> None:
    out = io.StringIO()
    show([Fields((("state", "ok"),)), Code("x = 1", "py")], out)
    assert "\x1b" not in out.getvalue()
    assert "state  ok" in out.getvalue()
