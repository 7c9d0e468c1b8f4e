"""Blocks as a terminal shows them: coloured tables, code with its syntax, Markdown with its form."""

import io
import sys
from collections.abc import Iterable, Sequence
from textwrap import indent
from typing import TextIO

from rich import box
from rich.console import Console, RenderableType
from rich.markdown import Markdown as RichMarkdown
from rich.syntax import Syntax
from rich.table import Table as RichTable
from rich.text import Text as RichText

from bot.render.lanes import Lanes
from bot.render.markup import clean, language_of
from bot.reply import Block, Board, Code, Fields, Markdown, Table, Text

WORD_STYLES = {
    **dict.fromkeys(("ok", "ready", "running", "done", "answered", "accepted", "idle"), "green"),
    **dict.fromkeys(("claimed", "busy", "working", "typed", "stored", "waiting"), "cyan"),
    **dict.fromkeys(("retrying", "blocked", "unknown", "paused", "safe-mode", "stale"), "yellow"),
    **dict.fromkeys(("stopped", "failed", "dead", "refused", "UNMANAGED"), "red"),
}
"""Colours of the words that say how something is."""

_PIPE_WIDTH = 160


def show(blocks: Sequence[Block], file: TextIO | None = None) -> None:
    """Print blocks to standard output, in colour and as wide as the terminal if it is one.

    ``NO_COLOR`` is respected, as is everything that rich reads of the environment.
    """
    out = file or sys.stdout
    console = Console(
        file=out,
        width=None if out.isatty() else _PIPE_WIDTH,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=not out.isatty(),
    )
    _print(console, blocks)


def to_terminal(blocks: Sequence[Block], width: int, *, colour: bool) -> str:
    """Return blocks as lines of at most ``width`` columns, with colours if wanted."""
    out = io.StringIO()
    _print(_paper(out, width, colour=colour), blocks)
    return out.getvalue()


def paint(renderable: RenderableType, width: int, *, colour: bool) -> list[str]:
    """Return anything that rich can draw as lines of at most ``width`` columns."""
    out = io.StringIO()
    _paper(out, width, colour=colour).print(renderable)
    return [line.rstrip() for line in out.getvalue().removesuffix("\n").split("\n")]


def _paper(out: io.StringIO, width: int, *, colour: bool) -> Console:
    return Console(
        file=out,
        width=max(width, 1),
        force_terminal=colour,
        color_system="256" if colour else None,
        no_color=not colour,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )


def _print(console: Console, blocks: Sequence[Block]) -> None:
    for number, block in enumerate(blocks):
        if number:
            console.print()
        if console.soft_wrap and isinstance(block, Code):
            # No line of what stands as it stands is cut, however wide nobody's terminal is.
            console.print(RichText(indent(clean(block.text).rstrip("\n"), "  ")))
        else:
            # Markdown is folded even where nothing else is: rich would cut it.
            folded = isinstance(block, Markdown)
            console.print(drawn(block), soft_wrap=console.soft_wrap and not folded)


def drawn(block: Block) -> RenderableType:
    """Return a block as rich draws it; nothing in users' words is markup to rich."""
    match block:
        case Text(text):
            return RichText(clean(text))
        case Markdown(source):
            return RichMarkdown(clean(source), hyperlinks=False, code_theme="ansi_dark")
        case Code(text, language):
            return _code(clean(text), language)
        case Table(columns, rows):
            return _table(columns, rows)
        case Fields(pairs):
            return _fields(pairs)
        case Board():
            return Lanes(block)


def _code(text: str, language: str) -> RenderableType:
    return Syntax(
        text.rstrip("\n"),
        language_of(language) or "text",
        theme="ansi_dark",
        background_color="default",
        word_wrap=True,
        padding=(0, 2),
    )


def _table(columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> RenderableType:
    table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in columns:
        table.add_column(RichText(clean(name)), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(cell) for cell in row))
    return table


def _cell(text: str) -> RichText:
    return RichText(clean(text), style=WORD_STYLES.get(text, ""))


def _fields(pairs: Iterable[tuple[str, str]]) -> RenderableType:
    table = RichTable.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(RichText(clean(name)), _cell(value))
    return table
