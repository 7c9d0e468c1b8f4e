"""Words in the Markdown of chat platforms such as Discord's, which is less than CommonMark and unlike it in places.

Source: Discord's help pages, "Markdown Text 101". Its clients know three headings, one sort of fence (three
backticks), no tables and no pictures; a backslash takes the meaning of the sign after it.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bot.render.markup import language_of, markdown_tokens
from bot.render.rows import align, is_narrow, list_text
from bot.render.split import close_fence

if TYPE_CHECKING:
    from markdown_it.token import Token

_KEPT = re.compile(r"`[^`\n]+`|https?://[^\s<>]+")
"""What is to be typed, or leads somewhere: a backslash in it would be shown, or lead elsewhere."""

_SIGNS = re.compile(r"[\\*_~|`<\[]")
_LINE_SIGNS = re.compile(r"^([ \t]*)(>|#|-|\+|\d+(?=\.))", re.MULTILINE)
_FENCE = "```"
_GAP_IN_FENCE = "``\N{ZERO WIDTH SPACE}`"
_PICTURE = re.compile(r"!\[([^\]\n]*)\]\(([^)\s]+)\)")
_DEEPEST_HEADING = 3


def plain(text: str) -> str:
    """Return plain text so that none of its signs means anything; what stands between backticks is code."""
    pieces: list[str] = []
    done = 0
    for found in _KEPT.finditer(text):
        pieces += [_SIGNS.sub(r"\\\g<0>", text[done : found.start()]), found[0]]
        done = found.end()
    pieces.append(_SIGNS.sub(r"\\\g<0>", text[done:]))
    return _LINE_SIGNS.sub(_without_meaning, "".join(pieces))


def _without_meaning(found: re.Match[str]) -> str:
    """Take the meaning of a sign at the beginning of a line: of a number it is the dot after it that has one."""
    margin, sign = found.groups()
    return f"{margin}{sign}\\" if sign.isdigit() else f"{margin}\\{sign}"


def code(text: str, language: str = "") -> str:
    """Return lines as a block of code; what would end it early is broken by a sign that nobody sees."""
    inside = text.replace(_FENCE, _GAP_IN_FENCE)
    if inside.endswith("`"):
        inside += "\N{ZERO WIDTH SPACE}"
    return f"{_FENCE}{language_of(language).lower()}\n{inside.rstrip(chr(10))}\n{_FENCE}"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table: aligned in a block of code where that fits a telephone, else a line for each row."""
    everything = (columns, *rows)
    return code(align(everything)) if is_narrow(everything) else plain(list_text(columns, rows))


def fields(pairs: Sequence[tuple[str, str]]) -> str:
    """Return names with their values, one a line."""
    return "\n".join(f"**{plain(name)}:** {plain(value)}".rstrip() for name, value in pairs)


def adapted(source: str) -> str:
    """Return CommonMark with what these platforms do not know said in another way."""
    closed = close_fence(source)
    lines = closed.split("\n")
    for token in reversed([one for one in markdown_tokens(closed) if one.level == 0 and one.map]):
        draw = _DRAWN.get(token.type)
        if draw is not None and token.map:
            first, end = token.map
            lines[first:end] = draw(token, lines[first:end])
    return "\n".join(lines)


def _fence(token: "Token", _lines: Sequence[str]) -> list[str]:
    return code(token.content, token.info).split("\n")


def _table(_token: "Token", lines: Sequence[str]) -> list[str]:
    rows = [_cells(line) for line in lines if line.strip()]
    return table(rows[0], rows[2:]).split("\n") if len(rows) > 1 else list(lines)


def _cells(line: str) -> list[str]:
    """Return the cells of a line of a table; a vertical line after a backslash is part of its cell."""
    bare = line.strip().removeprefix("|").removesuffix("|")
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", bare)]


def _heading(token: "Token", lines: Sequence[str]) -> list[str]:
    words = " ".join(line.strip() for line in lines if line.strip("=- \t")).strip("# \t")
    level = int(token.tag[1:])
    return [f"{'#' * level} {words}" if level <= _DEEPEST_HEADING else f"**{words}**"]


def _words(_token: "Token", lines: Sequence[str]) -> list[str]:
    return [_PICTURE.sub(_link, line) for line in lines]


def _link(found: re.Match[str]) -> str:
    return f"[{found[1]}]({found[2]})" if found[1] else found[2]


_DRAWN: dict[str, Callable[["Token", Sequence[str]], list[str]]] = {
    "fence": _fence,
    "code_block": _fence,
    "table_open": _table,
    "heading_open": _heading,
    "paragraph_open": _words,
}
