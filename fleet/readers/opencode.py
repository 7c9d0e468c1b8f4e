"""opencode, as seen in 1.18: a box with a bar on its left, closed by a row of half blocks."""

import re

from fleet.readers.box import last_like, prompt_or_draft, question_above, shows, working
from fleet.tmux.screen import Reader, Reading, Screen, ScreenState

_BAR = re.compile(r"^\s*┃(?P<text>.*)$")
_FOOT = re.compile(r"^\s*╹▀{10,}")
_INTERRUPT = re.compile(r"\besc (again to )?interrupt\b")
_QUEUED = re.compile(r"\bQUEUED\b")
_PERMISSION = re.compile(r"Permission required|Allow once\s+Allow always")
_TITLE = re.compile(r"△ Permission required")
_SUGGESTION = re.compile(r"^Ask anything…")


def _read(screen: Screen) -> Reading:
    """Read the box in which the cursor stands."""
    if (title := _asks(screen)) is not None:
        return Reading(ScreenState.BLOCKED, dialog=title, reader="opencode")
    box = _box(screen)
    if box is None:
        return Reading(ScreenState.UNKNOWN, reader="opencode")
    top, foot = box
    text = _text(screen, top, foot)
    if shows(screen, _INTERRUPT, foot, len(screen.rows)):
        return working(text, "opencode", queued=shows(screen, _QUEUED, 0, top))
    return prompt_or_draft(text, "opencode")


def _box(screen: Screen) -> tuple[int, int] | None:
    """Return the first row of the box and the row that closes it, None when the cursor is elsewhere."""
    at = screen.cursor_y
    while at < len(screen.rows) and _BAR.match(screen.rows[at]):
        at += 1
    if at == screen.cursor_y or at >= len(screen.rows) or not _FOOT.match(screen.rows[at]):
        return None
    top = screen.cursor_y
    while top > 0 and _BAR.match(screen.rows[top - 1]):
        top -= 1
    return top, at


def _text(screen: Screen, top: int, foot: int) -> str:
    """Return what stands in the box above its last words, which name agent and model.

    On a wide screen other things stand to the right of the box: its foot tells how wide it is.
    """
    width = len(screen.rows[foot].rstrip())
    found = (_BAR.match(screen.typed(at)[:width]) for at in range(top, foot))
    rows = ["" if one is None else one["text"].strip() for one in found]
    while rows and not rows[-1]:
        rows.pop()
    text = "\n".join(rows[:-1]).strip()
    return "" if _SUGGESTION.match(text) else text


def _asks(screen: Screen) -> str | None:
    """Return the title of an open dialog: it stands where the box would be, and words like it may be quoted above."""
    options, foot = last_like(screen, _PERMISSION), last_like(screen, _FOOT)
    if options is None or (foot is not None and foot > options):
        return None
    begin = last_like(screen, _TITLE)
    at = options if begin is None else begin
    said = " ".join(filter(None, (row.strip(" ┃△") for row in screen.rows[at : at + 4])))
    return said[:80] or question_above(screen, at)


def _caret(screen: Screen) -> int | None:
    foot = last_like(screen, _FOOT)
    return last_like(screen, _PERMISSION) if foot is None else foot - 1


READER = Reader(_read, _caret)
