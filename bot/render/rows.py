"""How tables look: aligned where letters are all one width and the line is long enough, else a list of their rows.

Element's apps for telephones show no HTML table: the older ones run its cells together, Element X drops the tags
(element-x-android issue 1492, element-x-ios issue 1416). What every client shows is a block of code and a list, so in
chat a table is one of these two (docs/adr/0037-manners.md).
"""

import html
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

CHAT_WIDTH = 36
"""Columns of code that a telephone shows without scrolling sideways (360 px, letters of 13 px)."""

TERMINAL_WIDTH = 88
"""Columns that a table may take in a terminal."""

_NARROWEST = 8
_GAP = "  "
_DOT = "\N{NO-BREAK SPACE}· "  # never at the beginning of a line

_NOTHING = frozenset({"", "-"})
"""Cells that only keep a place in their row: in a list there is none to keep."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its plain ``text``, and the ``markup`` that shows it, already safe."""

    text: str
    markup: str


_EMPTY = Cell("", "")


def plain_cell(text: str) -> Cell:
    """Return a cell of plain text."""
    return Cell(text, html.escape(text))


def is_narrow(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether rows, the heading among them, can stand aligned in a chat."""
    widths = _natural(rows)
    return sum(widths) + len(_GAP) * (len(widths) - 1) <= CHAT_WIDTH


def align(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned lines, with a rule below the first; cells that are too wide for a terminal are wrapped."""
    widths = fit_widths(_natural(rows))
    rule = _GAP.join("─" * width for width in widths)
    lines = ["\n".join(_row_lines(row, widths)) for row in rows]
    return "\n".join([lines[0], rule, *lines[1:]])


def list_text(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return every row as one line: its first cell, then the others with their headings.

    Of two columns the second one says by itself what it is.
    """
    named = columns if len(columns) != 2 else (columns[0], "")
    between = _DOT if len(columns) != 2 else ": "
    return "\n".join(_item_text(named, row, between) for row in rows) or _GAP.join(columns)


def list_html(columns: Sequence[Cell], rows: Sequence[Sequence[Cell]]) -> str:
    """Return every row as an item of a list, as HTML: its first cell, and below it the others with their headings."""
    named = columns if len(columns) != 2 else (columns[0], _EMPTY)
    between = "<br>" if len(columns) != 2 else ": "
    items = "".join(f"<li>{_item_html(named, row, between)}</li>" for row in rows)
    if not items:
        return f"<p>{_GAP.join(column.markup for column in columns)}</p>"
    return f"<ul>{items}</ul>"


def aligned_html(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned lines in a block of code."""
    return f"<pre><code>{html.escape(align(rows), quote=False)}\n</code></pre>"


def _item_text(columns: Sequence[str], row: Sequence[str], between: str) -> str:
    first, *others = row or ("",)
    named = _DOT.join(
        f"{name}: {cell}" if name else cell
        for name, cell in zip_longest(columns[1:], others, fillvalue="")
        if cell not in _NOTHING
    )
    return f"{first}{between}{named}" if named else first


def _item_html(columns: Sequence[Cell], row: Sequence[Cell], between: str) -> str:
    first, *others = row or (_EMPTY,)
    named = _DOT.join(
        f"<em>{name.markup}:</em> {cell.markup}" if name.text else cell.markup
        for name, cell in zip_longest(columns[1:], others, fillvalue=_EMPTY)
        if cell.text not in _NOTHING
    )
    head = f"<strong>{first.markup}</strong>"
    return f"{head}{between}{named}" if named else head


def _natural(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(width_of, column)) for column in zip_longest(*rows, fillvalue="")]


def fit_widths(natural: Sequence[int]) -> list[int]:
    """Return column widths that fit a table into a usual terminal: the widest columns give way first."""
    room = TERMINAL_WIDTH - len(_GAP) * (len(natural) - 1)
    caps = range(min(max(natural, default=0), TERMINAL_WIDTH), _NARROWEST, -1)
    cap = next((cap for cap in caps if sum(min(cap, n) for n in natural) <= room), _NARROWEST)
    return [min(cap, width) for width in natural]


def _row_lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Return a row as lines: a cell that is wider than its column goes on below."""
    cells = [_wrap(cell, width) for cell, width in zip(row, widths, strict=False)]
    return [
        _GAP.join(map(pad, line, widths)).rstrip() for line in zip_longest(*cells, fillvalue="")
    ]


def _wrap(cell: str, width: int) -> list[str]:
    """Cut a cell at spaces into lines of at most ``width`` columns; a longer word is left whole."""
    if width_of(cell) <= width:
        return [cell]
    lines = [""]
    for word in cell.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and width_of(joined) > width:
            lines.append(word)
        else:
            lines[-1] = joined
    return lines


def pad(cell: str, width: int) -> str:
    """Return a cell with spaces up to a width."""
    return cell + " " * (width - width_of(cell))


def width_of(text: str) -> int:
    """Return how many columns text takes in a terminal: two for wide characters, none for marks."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
