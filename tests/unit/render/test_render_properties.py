"""What holds for whatever blocks are rendered, under whatever limit."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from bot.render.markup import clean, markdown_tokens
from bot.render.rendering import SMALLEST, Rendered, render
from bot.reply import (
    Block,
    Board,
    Code,
    Column,
    Fields,
    Markdown,
    Slip,
    Table,
    Text,
    from_json,
    to_json,
)
from tests.modesty import modest
from tests.unit.render.pages import Page

LIMITS = st.integers(SMALLEST, 2_000)
HOSTILE = st.sampled_from(
    [
        "<b>",
        "</p>",
        "<script>x</script>",
        "<!--",
        "-->",
        "&lt;",
        "&amp;quot;",
        "@room",
        "```",
        "~~~",
        "[a](javascript:x)",
        "![i](http://e.org/i.png)",
        "\x1b[31m",
        "\x00",
        "\u202e",
        "|",
        "\\",
        "*",
        "_",
        ">",
        "#",
        "-",
        "1.",
        "�",
        "🇩🇪🇫🇷",
        "é",
        "👩\u200d💻",
        "<a\thref=x>",
        "<https://e.org>",
    ]
)
WILD = st.lists(st.one_of(st.text(max_size=40), HOSTILE, st.just("\n")), max_size=20).map("".join)
BULKY = st.one_of(WILD, st.builds(lambda text, times: text * times, WILD, st.integers(1, 20)))
CELLS = st.lists(WILD, min_size=1, max_size=4).map(tuple)
SLIPS = st.builds(
    Slip,
    WILD,
    BULKY,
    st.sampled_from(["ready", "waiting", "claimed", "blocked", "done", "?"]),
    WILD,
)
COLUMNS = st.builds(
    lambda name, slips, more: Column(name, len(slips) + more, tuple(slips)),
    WILD,
    st.lists(SLIPS, max_size=6),
    st.integers(0, 9),
)
BOARDS = st.builds(Board, st.lists(COLUMNS, max_size=5).map(tuple))
BLOCKS: st.SearchStrategy[Block] = st.one_of(
    st.builds(Text, BULKY),
    st.builds(Markdown, BULKY),
    st.builds(Code, BULKY, st.sampled_from(["", "py", 'x" onload="y', "c++", "a b"])),
    st.builds(Table, CELLS, st.lists(CELLS, max_size=12).map(tuple)),
    st.builds(Fields, st.lists(st.tuples(WILD, BULKY), max_size=8).map(tuple)),
    BOARDS,
)
WORDS = st.lists(st.from_regex(r"[a-z]{1,12}", fullmatch=True), min_size=1, max_size=60).map(
    " ".join
)
FENCED = st.builds(
    lambda margin, mark, lines: "\n".join(
        [
            f"{margin}{mark}py",
            *(f"{' ' * len(margin)}{line}" for line in lines),
            " " * len(margin) + mark,
        ]
    ),
    st.sampled_from(["", "- ", "1. - "]),
    st.sampled_from(["```", "~~~~"]),
    st.lists(WORDS, max_size=12),
)
DOCUMENTS = st.lists(st.one_of(WORDS, FENCED), min_size=1, max_size=4).map("\n\n".join)


def words_of(parts: tuple[Rendered, ...]) -> str:
    return "".join(Page(part.html).words for part in parts)


def bare(text: str) -> str:
    """Return text without space, and without the backticks between which words are shown as code."""
    return re.sub(r"[\s`]", "", text)


@modest
@given(st.lists(BLOCKS, max_size=4), LIMITS)
def test_no_part_is_larger_than_the_limit(blocks: list[Block], limit: int) -> None:
    assert all(part.size <= limit for part in render(blocks, limit))


@modest
@given(st.lists(BLOCKS, max_size=4), LIMITS)
def test_only_allowed_tags_appear_and_all_are_closed(blocks: list[Block], limit: int) -> None:
    for part in render(blocks, limit):
        assert Page(part.html).faults == []


@modest
@given(st.lists(BLOCKS, max_size=4), LIMITS)
def test_links_lead_only_where_links_may_lead(blocks: list[Block], limit: int) -> None:
    links = [link for part in render(blocks, limit) for link in Page(part.html).links]
    assert all(re.match(r"(?i)(https?|ftp|mailto|magnet):", link) for link in links)


@modest
@given(st.lists(BLOCKS, max_size=4), LIMITS)
def test_no_control_byte_and_no_override_reaches_anybody(blocks: list[Block], limit: int) -> None:
    forbidden = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
    for part in render(blocks, limit):
        assert not forbidden.search(part.text + part.html)


@modest
@given(BULKY, LIMITS)
def test_the_parts_of_a_text_joined_are_the_text(text: str, limit: int) -> None:
    parts = render([Text(text)], limit)
    assert "".join(part.text for part in parts) == clean(text)
    assert bare(words_of(parts)) == bare(clean(text))


@modest
@given(BULKY, LIMITS)
def test_the_code_of_all_parts_joined_is_the_code(text: str, limit: int) -> None:
    parts = render([Code(text, "py")], limit)
    assert "".join(Page(part.html).code for part in parts) == clean(text)


@modest
@given(BULKY, LIMITS)
def test_each_part_of_code_stands_in_a_fence_of_its_own(text: str, limit: int) -> None:
    for part in render([Code(text, "py")], limit):
        first, *_, last = part.text.split("\n")
        assert first == f"{last}py"
        fence, *others = [token for token in markdown_tokens(part.text) if token.map]
        assert (fence.type, fence.map, others) == ("fence", [0, part.text.count("\n") + 1], [])


EMPTY_PLACE = "-"
"""What stands in a table where there is nothing: a list leaves it out."""


@modest
@given(CELLS, st.lists(CELLS, max_size=30).map(tuple), LIMITS)
def test_no_cell_is_lost_and_rows_keep_their_order(
    columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...], limit: int
) -> None:
    shown = bare(words_of(render([Table(columns, rows)], limit)))
    position = 0
    for cell in (cell for row in rows for cell in row if clean(cell).strip() != EMPTY_PLACE):
        position = shown.find(bare(clean(cell)), position)
        assert position >= 0
        position += len(bare(clean(cell)))


@modest
@given(BOARDS, LIMITS)
def test_no_card_of_a_board_is_lost_and_lanes_keep_their_order(board: Board, limit: int) -> None:
    shown = bare(words_of(render([board], limit)))
    position = 0
    for slip in (slip for column in board.columns for slip in column.slips):
        for word in (slip.id, slip.title, slip.note):
            position = shown.find(bare(clean(word)), position)
            assert position >= 0
            position += len(bare(clean(word)))


@modest
@given(st.lists(BLOCKS, max_size=4))
def test_what_is_stored_of_blocks_comes_back_as_it_was(blocks: list[Block]) -> None:
    assert list(from_json(json.loads(json.dumps(to_json(blocks))))) == blocks


@modest
@given(DOCUMENTS, LIMITS)
def test_markdown_keeps_its_words_and_every_fence_is_closed(source: str, limit: int) -> None:
    parts = render([Markdown(source)], limit)
    inside = [Page(part.html).code for part in parts]
    assert bare("".join(inside)) == bare(Page(render([Markdown(source)], 1 << 20)[0].html).code)
    assert bare(words_of(parts)) == bare(words_of(render([Markdown(source)], 1 << 20)))
    for part in parts:
        assert len(re.findall(r"(?m)^[ >\d.-]*(```|~~~)", part.text)) % 2 == 0


@modest
@given(BULKY)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)
