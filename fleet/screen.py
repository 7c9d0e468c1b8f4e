"""How a captured pane is read: what the agent's program waits for (spec 4-receipts, Screens).

Pure: rows and facts in, one reading out. A prompt is only ever recognised positively; whatever is not
recognised is ``unknown``, and nothing is typed into that.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fleet.panes import Pane


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
    """What stands in a pane: its rows from the top, and what tmux says of it."""

    rows: Sequence[str]
    cursor_x: int
    cursor_y: int
    command: str = ""
    title: str = ""
    dead: bool = False
    in_mode: bool = False
    alternate: bool = False

    def row(self, above_cursor: int = 0) -> str:
        """Return the row of the cursor, or one above it; rows beyond the screen are empty."""
        at = self.cursor_y - above_cursor
        return self.rows[at].rstrip() if 0 <= at < len(self.rows) else ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader concludes. ``dialog`` is an open dialog's title, ``draft_tail`` a draft's visible end."""

    state: ScreenState
    dialog: str | None = None
    draft_tail: str | None = None
    reader: str = ""


Reader = Callable[[Screen], Reading]

_SHELLS = frozenset({"bash", "sh", "dash", "zsh", "fish", "ksh"})
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_META = re.compile(r"(\w+)=(.*?)(?= \w+=|$)")
_DOGFOOD = re.compile(r"^dogfood (?P<mark>[❯…?])(?: (?P<rest>.*))?$")  # noqa: RUF001 - its glyph
_TITLE = re.compile(r"^┌─ (?P<title>.+?) ─+$")
_PYTHON = re.compile(r"^(?P<mark>>>>|\.\.\.)(?: (?P<rest>.*))?$")
_SHELL = re.compile(r"^(?P<mark>[^$#%>]*[$#%>])(?: (?P<rest>.*))?$")
_GENERIC = re.compile(r"^[\s│┃|]*(?P<mark>[>❯›»$#%])(?:[\s\u00a0]+(?P<rest>.*?))?[\s│┃|]*$")  # noqa: RUF001


def read_screen(runtime: str, screen: Screen) -> Reading:
    """Return how a pane is to be read for a runtime; a runtime without a reader is ``generic``."""
    name = runtime if runtime in _READERS else "generic"
    if screen.dead:
        return Reading(ScreenState.DEAD, reader=name)
    if screen.in_mode:
        return Reading(ScreenState.COPY_MODE, reader=name)
    if runtime not in {"bash", "generic"} and screen.command in _SHELLS:
        # The shell below it is back: the runtime has ended.
        return Reading(ScreenState.DEAD, reader=name)
    return _READERS[name](screen)


def screen_of(pane: Pane, rows: Sequence[str]) -> Screen:
    """Return a pane that tmux showed as a screen to be read."""
    return Screen(
        rows=rows,
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

    Meta is ``dead=0 mode=0 cmd=claude cur=2,37 alt=1 … title=…``. Without it the cursor is taken to stand
    at the end of the last row that holds anything. Raises ValueError for numbers that are none.
    """
    rows = tuple(_ANSI.sub("", text).replace("\r", "").split("\n"))
    last = max((at for at, row in enumerate(rows) if row.strip()), default=0)
    if meta is None or not meta.strip():
        return Screen(rows, cursor_x=_columns(rows[last]), cursor_y=last)
    facts = {found[1]: found[2] for found in _META.finditer(meta.strip().splitlines()[-1])}
    x, _, y = facts.get("cur", f"{_columns(rows[last])},{last}").partition(",")
    return Screen(
        rows=rows,
        cursor_x=int(x),
        cursor_y=int(y),
        command=facts.get("cmd", ""),
        title=facts.get("title", ""),
        dead=facts.get("dead") == "1",
        in_mode=facts.get("mode", "0") not in {"", "0"},
        alternate=facts.get("alt") == "1",
    )


def _read_dogfood(screen: Screen) -> Reading:
    found = _DOGFOOD.match(screen.row())
    if found is None:
        return Reading(ScreenState.UNKNOWN, reader="dogfood")
    rest = found["rest"] or ""
    match found["mark"]:
        case "?":
            return Reading(ScreenState.BLOCKED, dialog=_dialog_above(screen), reader="dogfood")
        case "…":
            state = ScreenState.QUEUED if " queued" in rest else ScreenState.BUSY
            return Reading(state, reader="dogfood")
    return _prompt_or_draft(rest, "dogfood")


def _dialog_above(screen: Screen) -> str:
    for above in range(1, screen.cursor_y + 1):
        found = _TITLE.match(screen.row(above))
        if found is not None:
            return found["title"]
    return "untitled"


def _by_cursor_row(pattern: re.Pattern[str], reader: str, otherwise: ScreenState) -> Reader:
    def read(screen: Screen) -> Reading:
        found = pattern.match(screen.row())
        if found is None:
            return Reading(otherwise, reader=reader)
        return _prompt_or_draft(found["rest"] or "", reader)

    return read


def _prompt_or_draft(rest: str, reader: str) -> Reading:
    if not rest.strip():
        return Reading(ScreenState.PROMPT, reader=reader)
    return Reading(ScreenState.DRAFT, draft_tail=rest.rstrip()[-80:], reader=reader)


_READERS: Mapping[str, Reader] = {
    "dogfood": _read_dogfood,
    "python": _by_cursor_row(_PYTHON, "python", ScreenState.BUSY),
    "bash": _by_cursor_row(_SHELL, "bash", ScreenState.BUSY),
    "generic": _by_cursor_row(_GENERIC, "generic", ScreenState.UNKNOWN),
}


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
    joins = unicodedata.category(character) in {"Mn", "Me", "Cf"} or row[at - 1 : at] == "\u200d"
    if joins or "\U0001f3fb" <= character <= "\U0001f3ff":  # skin tones
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
