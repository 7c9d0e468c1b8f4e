"""Gemini CLI, as seen in 0.61: an input box between rows of half blocks; its title says what it does."""

import re

from fleet.readers.box import last_like, prompt_or_draft, question_above, shows, working
from fleet.tmux.screen import Reader, Reading, Screen, ScreenState

_TOP = re.compile(r"^▄{10,}")
_FOOT = re.compile(r"^▀{10,}")
_PROMPT = re.compile(r"^ (?P<mark>[>!*]) (?P<text>.*)$")
_OPTION = re.compile(r"^\s*│ ● \d+\. ")
_INTERRUPT = re.compile(r"\besc to cancel\b")
_QUEUED = re.compile(r"^\s*Queued \(")
_SUGGESTION = re.compile(r"^Type your message or @path/to/file$")
_ACTION, _WORKING = "✋", "✦"
_NEAR = 12


def _read(screen: Screen) -> Reading:
    """Read the box in which the cursor stands, else a dialog."""
    box = _box(screen)
    options = [at for at, row in enumerate(screen.rows) if _OPTION.match(row)]
    if screen.title.startswith(_ACTION) or (box is None and options):
        at = options[-1] if options else len(screen.rows)
        return Reading(ScreenState.BLOCKED, dialog=question_above(screen, at), reader="gemini")
    if box is None:
        return Reading(ScreenState.UNKNOWN, reader="gemini")
    top, foot = box
    text = _text(screen, top, foot)
    if screen.title.startswith(_WORKING) or shows(screen, _INTERRUPT, top - _NEAR, top):
        return working(text, "gemini", queued=shows(screen, _QUEUED, top - _NEAR, top))
    return prompt_or_draft(text, "gemini")


def _box(screen: Screen) -> tuple[int, int] | None:
    rows = screen.rows
    top = next((at for at in range(screen.cursor_y - 1, -1, -1) if _TOP.match(rows[at])), None)
    foot = next((at for at in range(screen.cursor_y + 1, len(rows)) if _FOOT.match(rows[at])), None)
    if top is None or foot is None or _PROMPT.match(rows[top + 1]) is None:
        return None
    between = rows[top + 1 : screen.cursor_y]
    return None if any(_FOOT.match(row) for row in between) else (top, foot)


def _text(screen: Screen, top: int, foot: int) -> str:
    found = _PROMPT.match(screen.typed(top + 1))
    first = "" if found is None else found["text"].strip()
    rest = (screen.typed(at).strip() for at in range(top + 2, foot))
    text = "\n".join(("" if _SUGGESTION.match(first) else first, *rest)).strip()
    return text if found is None or found["mark"] == ">" else f"{found['mark']} {text}"


def _caret(screen: Screen) -> int | None:
    top, option = last_like(screen, _TOP), last_like(screen, _OPTION)
    return option if top is None or (option is not None and option > top) else top + 1


READER = Reader(_read, _caret)
