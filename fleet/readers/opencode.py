"""opencode, as seen in 1.18: a box with a bar on its left, closed by a row of half blocks."""

import re

from fleet.readers.box import last_like, prompt_or_draft, question_above, shows, working
from fleet.screen import Reader, Reading, Screen, ScreenState

_BAR = re.compile(r"^\s*┃(?P<text>.*)$")
_FOOT = re.compile(r"^\s*╹▀{10,}")
_INTERRUPT = re.compile(r"\besc (again to )?interrupt\b")
_QUEUED = re.compile(r"\bQUEUED\b")
_PERMISSION = re.compile(r"Permission required|Allow once\s+Allow always")
_SUGGESTION = re.compile(r"^Ask anything…")


def _read(screen: Screen) -> Reading:
    """Read the box in which the cursor stands."""
    if shows(screen, _PERMISSION, 0, len(screen.rows)):
        options = next(at for at, row in enumerate(screen.rows) if _PERMISSION.search(row))
        return Reading(ScreenState.BLOCKED, dialog=_title(screen, options), reader="opencode")
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


def _title(screen: Screen, options: int) -> str:
    rows = (row.strip(" ┃△") for row in screen.rows[options : options + 4])
    said = " ".join(row for row in rows if row)
    return said[:80] or question_above(screen, options)


def _caret(screen: Screen) -> int | None:
    foot = last_like(screen, _FOOT)
    return last_like(screen, _PERMISSION) if foot is None else foot - 1


READER = Reader(_read, _caret)
