"""How a conversation looks in the console."""

import re
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bot.model import MessageKind
from bot.render.rendering import render
from bot.reply import Code, Table, Text
from connectors.tmux.frames import Said
from connectors.tmux.paint import (
    NARROWEST,
    aside,
    greeting,
    mark_cell,
    mark_column,
    said_rows,
    spoken_rows,
)
from tests.modesty import modest

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
WORDS = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from("\x1b[\x07\n\r日é`─ ")), max_size=200
)
WIDTHS = st.integers(5, 120)


def said(text: str, kind: MessageKind = MessageKind.REPLY, **rest: str) -> Said:
    return Said(
        message_id="m",
        part=0,
        kind=kind,
        text=text,
        at=NOON,
        author=rest.pop("author", "mosaic"),
        **rest,
    )


def check(rows: list[str], width: int) -> None:
    for row in rows:
        plain = COLOUR.sub("", row)
        assert cell_len(plain) <= max(width, NARROWEST)
        assert not re.search("[\x00-\x1f\x7f-\x9f]", plain)


@modest
@given(WORDS, WIDTHS, st.booleans(), st.sampled_from(["", "👀", "abc", "\x1b", "日"]))
def test_a_spoken_line_fits_and_its_mark_stands_where_it_will_be_replaced(
    text: str, width: int, thread: bool, mark: str
) -> None:
    rows = spoken_rows(text, NOON, width, colour=True, thread=thread, mark=mark)
    check(rows, width)
    first = COLOUR.sub("", rows[0])
    before = first[: first.rindex(mark_cell(mark) + " ")] if mark_cell(mark).strip() else None
    assert before is None or cell_len(before) == mark_column(width) - 1


@modest
@given(WORDS, WIDTHS, st.sampled_from(MessageKind), st.sampled_from([None, "t"]))
def test_a_message_fits_and_carries_no_sequences_of_its_author(
    text: str, width: int, kind: MessageKind, thread: str | None
) -> None:
    frame = said(text, kind, author="agent:host/\x1b[31mred").model_copy(update={"thread": thread})
    check(said_rows(frame, width, colour=True), width)


@modest
@given(WORDS, WIDTHS)
def test_remarks_and_the_greeting_fit(text: str, width: int) -> None:
    check(aside(text, width, colour=True), width)
    check(greeting(width, ["help"], colour=True), width)


def test_a_table_has_a_bold_head_and_coloured_states() -> None:
    (part,) = render([Table(("id", "status"), (("A1", "ready"),))], 9_000)
    rows = said_rows(said(part.text), 80, colour=True)
    assert "\x1b[1mid  status" in rows[0]
    assert "\x1b[32mready" in rows[2]


def test_code_stands_without_its_fences() -> None:
    (part,) = render([Text("see"), Code("x = 1", "py")], 9_000)
    rows = said_rows(said(part.text), 80, colour=False)
    assert [row.strip() for row in rows] == ["see", "", "x = 1", ""]


def test_an_agents_answer_stands_under_its_name() -> None:
    rows = said_rows(said("*hi*", MessageKind.ANSWER, author="agent:host/coder0"), 60, colour=False)
    assert rows[0].startswith("● coder0")
    assert rows[1] == "  hi"


def test_a_thread_is_shown_by_its_margin() -> None:
    assert all(
        row.startswith("  ┊") for row in said_rows(said("a\nb", thread="t"), 60, colour=False)
    )
    assert spoken_rows("x", NOON, 60, colour=False, thread=True)[0].startswith("  ┊ ")
