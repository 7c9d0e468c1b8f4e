"""What stands in a pane, as values: the rows, what of them is faint, and what a reader concludes."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fleet.tmux.panes import Pane

NOWHERE = -1


class ScreenState(StrEnum):
    """What the program in a pane waits for."""

    PROMPT = "prompt"
    DRAFT = "draft"
    BUSY = "busy"
    QUEUED = "queued"
    BLOCKED = "blocked"
    COPY_MODE = "copy-mode"
    DEAD = "dead"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Screen:
    """What stands in a pane: its rows from the top, and what tmux says of it.

    ``cursor_y`` is ``NOWHERE`` when nobody said where the cursor stands.
    ``bright`` are the rows with blanks for what is drawn faint (a prompt's suggestion, as a rule); empty
    when a capture says nothing of that.
    """

    rows: Sequence[str]
    cursor_x: int
    cursor_y: int
    command: str = ""
    title: str = ""
    dead: bool = False
    in_mode: bool = False
    alternate: bool = False
    bright: Sequence[str] = ()

    def row(self, above_cursor: int = 0) -> str:
        """Return the row of the cursor, or one above it; rows beyond the screen are empty."""
        at = self.cursor_y - above_cursor
        return self.rows[at].rstrip() if 0 <= at < len(self.rows) else ""

    def typed(self, at: int) -> str:
        """Return what may be a person's text in a row: without what is faint, nor a faint word's first cell.

        A cursor that stands on a suggestion shows the cell below it bright.
        """
        shown = self.rows[at].rstrip(" ")
        lit = (self.bright[at] if at < len(self.bright) else shown).rstrip(" ")
        if lit != shown and at == self.cursor_y and _columns(lit) == self.cursor_x + 1:
            return lit[:-1].rstrip(" ")
        return lit


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader concludes. ``dialog`` is an open dialog's title, ``draft_tail`` a draft's visible end."""

    state: ScreenState
    dialog: str | None = None
    draft_tail: str | None = None
    reader: str = ""


Read = Callable[[Screen], Reading]
Caret = Callable[[Screen], int | None]


@dataclass(frozen=True, slots=True)
class Reader:
    """How one program's screens are read. ``caret`` finds the row of its input when the cursor is not known."""

    read: Read
    caret: Caret


_ESCAPE = re.compile(
    r"\x1b(?:\[(?P<style>[0-9;:]*)m|\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|[\x0e\x0f\r]"
)
_FAINT = re.compile(r"\x1b\[(?:[0-9;:]*[;:])?2[;:m]")
_DEAD = re.compile(r"^Pane is dead \((status|signal) ")
_META = re.compile(r"(\w+)=(.*?)(?= \w+=|$)")


def screen_of(pane: Pane, text: str) -> Screen:
    """Return a pane and what ``capture-pane -e`` said of it as a screen to be read."""
    rows, bright = read_styles(text)
    return Screen(
        rows=rows,
        bright=bright,
        cursor_x=pane.cursor_x,
        cursor_y=pane.cursor_y,
        command=pane.command,
        title=pane.title,
        dead=pane.dead,
        in_mode=pane.in_mode,
        alternate=pane.alternate,
    )


def read_capture(text: str, meta: str | None) -> Screen:
    """Return a capture from a file (plain or ANSI) with the last line of its meta file.

    Meta is ``dead=0 mode=0 cmd=claude cur=2,37 alt=1 … title=…``. Raises ValueError for numbers that are
    none.
    """
    rows, bright = read_styles(text)
    if meta is None or not meta.strip():
        dead = any(_DEAD.match(row) for row in rows)
        return Screen(rows, cursor_x=0, cursor_y=NOWHERE, bright=bright, dead=dead)
    facts = {found[1]: found[2] for found in _META.finditer(meta.strip().splitlines()[-1])}
    x, _, y = facts.get("cur", f"0,{NOWHERE}").partition(",")
    return Screen(
        rows=rows,
        bright=bright,
        cursor_x=int(x),
        cursor_y=int(y),
        command=facts.get("cmd", ""),
        title=facts.get("title", ""),
        dead=facts.get("dead") == "1",
        in_mode=facts.get("mode", "0") not in {"", "0"},
        alternate=facts.get("alt") == "1",
    )


def read_styles(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the rows of a capture without escapes, and the same rows with blanks for what is faint.

    A style goes on over the end of a row until it is taken back (ECMA-48, SGR 2 and 22).
    """
    if _FAINT.search(text) is None:
        plain = tuple(_ESCAPE.sub("", line) for line in text.split("\n"))
        return plain, plain
    rows, bright = [], []
    faint = False
    for line in text.split("\n"):
        shown, lit, at = "", "", 0
        for found in _ESCAPE.finditer(line):
            piece = line[at : found.start()]
            shown += piece
            lit += " " * len(piece) if faint else piece
            faint = _is_faint(found["style"], before=faint)
            at = found.end()
        rows.append(shown + line[at:])
        bright.append(lit + (" " * len(line[at:]) if faint else line[at:]))
    return tuple(rows), tuple(bright)


def _is_faint(style: str | None, *, before: bool) -> bool:
    if style is None:
        return before
    codes = iter(re.split("[;:]", style))
    faint = before
    for code in codes:
        match code:
            case "" | "0" | "22":
                faint = False
            case "2":
                faint = True
            case "38" | "48" | "58":  # a colour takes the next numbers with it
                for _ in range(1 if next(codes, "") == "5" else 3):
                    next(codes, "")
    return faint


def last_row(screen: Screen) -> int:
    """Return the last row that holds anything."""
    return max((at for at, row in enumerate(screen.rows) if row.strip()), default=0)


def shows_end(screen: Screen, mark: str, rows: int = 3) -> bool:
    """Whether the text up to the cursor ends with ``mark``, however the program wrapped it.

    A narrow prompt may show only the mark's end: eight characters of it are enough, being part of an id
    that is unique.
    """
    wanted = "".join(mark.split())
    shown = ""
    for above in range(rows):
        row = screen.row(above)
        shown = "".join((_before(row, screen.cursor_x) if above == 0 else row).split()) + shown
        if shown.endswith(wanted):
            return True
    tail = re.split(r"[❯…›>]", shown)[-1]  # noqa: RUF001 - prompt glyphs
    return len(tail) >= 8 and wanted.endswith(tail)


def _before(row: str, column: int) -> str:
    """Return what stands in a row before a column of the terminal.

    A character takes up to two columns, one that joins the character before it none. Where programs and
    terminals disagree (emoji), too much is better than too little: nothing but blanks follows a draft.
    """
    width = 0
    for at, character in enumerate(row):
        width += _width(row, at, character)
        if width > column:
            return row[:at]
    return row


def _columns(row: str) -> int:
    return sum(_width(row, at, character) for at, character in enumerate(row))


def _width(row: str, at: int, character: str) -> int:
    if " " <= character <= "~" and row[at - 1 : at] != "\u200d":
        return 1
    joins = unicodedata.category(character) in {"Mn", "Me", "Cf"} or row[at - 1 : at] == "\u200d"
    if joins or "\U0001f3fb" <= character <= "\U0001f3ff":  # skin tones
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
