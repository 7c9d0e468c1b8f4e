"""Programs whose prompt is one row that begins with a mark: dogfood, python, shells, and any other."""

import re

from fleet.readers.box import prompt_or_draft, working
from fleet.tmux.screen import Read, Reader, Reading, Screen, ScreenState, last_row

_DOGFOOD = re.compile(r"^dogfood (?P<mark>[❯…?])(?: (?P<rest>.*))?$")  # noqa: RUF001 - its glyph
_WORKING = re.compile(r"^working(?: · (?P<queued>\d+) queued)?(?: · (?P<draft>.*))?$")
_TITLE = re.compile(r"^┌─ (?P<title>.+?) ─+$")
_PYTHON = re.compile(r"^(?P<mark>>>>|\.\.\.)(?: (?P<rest>.*))?$")
_SHELL = re.compile(r"^(?P<mark>[^$#%>]*[$#%>])(?: (?P<rest>.*))?$")
_GENERIC = re.compile(r"^[\s│┃|]*(?P<mark>[>❯›»$#%])(?:[\s\u00a0]+(?P<rest>.*?))?[\s│┃|]*$")  # noqa: RUF001


def _read_dogfood(screen: Screen) -> Reading:
    found = _DOGFOOD.match(screen.row())
    if found is None:
        return Reading(ScreenState.UNKNOWN, reader="dogfood")
    rest = found["rest"] or ""
    match found["mark"]:
        case "?":
            return Reading(ScreenState.BLOCKED, dialog=_dialog_above(screen), reader="dogfood")
        case "…":
            said = _WORKING.match(rest)
            queued, draft = (said["queued"], said["draft"]) if said else (None, rest)
            return working(draft or "", "dogfood", queued=queued is not None)
    return prompt_or_draft(rest, "dogfood")


def _dialog_above(screen: Screen) -> str:
    for above in range(1, screen.cursor_y + 1):
        found = _TITLE.match(screen.row(above))
        if found is not None:
            return found["title"]
    return "untitled"


def _by_cursor_row(pattern: re.Pattern[str], reader: str, otherwise: ScreenState) -> Read:
    def read(screen: Screen) -> Reading:
        found = pattern.match(screen.row())
        if found is None:
            return Reading(otherwise, reader=reader)
        return prompt_or_draft(found["rest"] or "", reader)

    return read


DOGFOOD = Reader(_read_dogfood, last_row)
PYTHON = Reader(_by_cursor_row(_PYTHON, "python", ScreenState.BUSY), last_row)
SHELL = Reader(_by_cursor_row(_SHELL, "bash", ScreenState.BUSY), last_row)
GENERIC = Reader(_by_cursor_row(_GENERIC, "generic", ScreenState.UNKNOWN), last_row)
