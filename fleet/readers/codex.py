"""Codex, as seen in 0.169: a prompt row near the bottom without a frame, dialogs that hide the cursor."""

import re

from fleet.readers.box import last_like, prompt_or_draft, question_above, shows, working
from fleet.tmux.screen import Reader, Reading, Screen, ScreenState

_PROMPT = re.compile(r"^›(?: (?P<text>.*))?$")  # noqa: RUF001 - its glyph
_OPTION = re.compile(r"^› \d+\. ")  # noqa: RUF001 - its glyph
_LEAVE = re.compile(r"\benter\b.*\besc\b", re.IGNORECASE)
_WORKING = re.compile(r"^\s*[•◦] .*\(.*\besc to interrupt\b")
_QUEUED = re.compile(r"Queued follow-up|Messages to be submitted after")
_SUGGESTION = re.compile(r"^Ask Codex to do anything$")
_ASKS = re.compile(r"^\s*(?P<question>(?:Would you like|Do you|Allow|Trust|Enable)\b[^?]*\?)\s*$")
_ACTION = "[ ! ]"
_NEAR = 12


def _read(screen: Screen) -> Reading:
    """Read a dialog if its options are the last thing offered, else the prompt at the cursor."""
    options = _options(screen)
    if options is not None or screen.title.startswith(_ACTION):
        at = len(screen.rows) if options is None else options
        return Reading(ScreenState.BLOCKED, dialog=_title(screen, at), reader="codex")
    top = next((at for at in range(screen.cursor_y, -1, -1) if _is_prompt(screen, at)), None)
    if top is None or screen.cursor_y >= len(screen.rows):
        return Reading(ScreenState.UNKNOWN, reader="codex")
    text = _text(screen, top)
    if shows(screen, _WORKING, top - _NEAR, top):
        return working(text, "codex", queued=shows(screen, _QUEUED, top - _NEAR, top))
    return prompt_or_draft(text, "codex")


def _title(screen: Screen, options: int) -> str:
    """Return the program's own question: below it stand the model's reason and command, which may ask too."""
    asked = (_ASKS.match(screen.rows[at]) for at in range(options - 1, -1, -1))
    found = next((one for one in asked if one is not None), None)
    return question_above(screen, options) if found is None else found["question"][-80:]


def _is_prompt(screen: Screen, at: int) -> bool:
    return at < len(screen.rows) and _PROMPT.match(screen.rows[at].rstrip()) is not None


def _options(screen: Screen) -> int | None:
    """Return the row of the option that Enter would take, None when no dialog is open."""
    marked = [at for at in range(len(screen.rows)) if _is_prompt(screen, at)]
    if not marked or _OPTION.match(screen.rows[marked[-1]]) is None:
        return None
    return marked[-1] if shows(screen, _LEAVE, marked[-1], len(screen.rows)) else None


def _text(screen: Screen, top: int) -> str:
    found = _PROMPT.match(screen.typed(top))
    first = "" if found is None or found["text"] is None else found["text"].strip()
    if _SUGGESTION.match(first):
        first = ""
    rest = (screen.typed(at).strip() for at in range(top + 1, screen.cursor_y + 1))
    return "\n".join((first, *rest)).strip()


def _caret(screen: Screen) -> int | None:
    return last_like(screen, _PROMPT)


READER = Reader(_read, _caret)
