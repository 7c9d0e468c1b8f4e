"""Claude Code, as seen in 2.1: an input box between two rules at the bottom, a status row below it."""

import re

from fleet.readers.box import (
    between_rules,
    is_rule,
    last_like,
    prompt_or_draft,
    question_above,
    rules_around,
    shows,
    working,
)
from fleet.tmux.screen import Reader, Reading, Screen, ScreenState

# Its own glyph is followed by a no-break space in the box, by a plain one before an option.
_PROMPT = re.compile(r"^(?P<mark>[❯!])\u00a0(?P<text>.*)$")  # noqa: RUF001 - its glyph
_OPTION = re.compile(r"^\s*❯ \S")  # noqa: RUF001 - its glyph
_LEAVE = re.compile(r"\b(Esc to cancel|Enter to confirm)\b")
_INTERRUPT = re.compile(r"\besc to interrupt\b")
_SPINNER = re.compile(r"^\S \w+… \(")
_QUEUED = re.compile(r"⎿\s+Queued\b|^❯\u00a0Press up to edit queued")  # noqa: RUF001 - its glyph
_SUGGESTION = re.compile(r"^(Press up to edit queued messages|Try \".*\")$")


def _read(screen: Screen) -> Reading:
    """Read the box if the cursor stands in it, else a dialog."""
    if _OPTION.match(screen.row()) and shows(screen, _LEAVE, screen.cursor_y, len(screen.rows)):
        return Reading(ScreenState.BLOCKED, dialog=_title(screen), reader="claude")
    rules = rules_around(screen)
    if rules is None:
        return Reading(ScreenState.UNKNOWN, reader="claude")
    above, below = rules
    found = _PROMPT.match(screen.typed(above + 1))
    if found is None:
        return Reading(ScreenState.UNKNOWN, reader="claude")
    text = _text(screen, found, above, below)
    if shows(screen, _INTERRUPT, below, len(screen.rows)) or shows(
        screen, _SPINNER, above - 4, above
    ):
        queued = shows(screen, _QUEUED, above - 12, below)
        return working(text, "claude", queued=queued)
    return prompt_or_draft(text, "claude")


def _text(screen: Screen, found: re.Match[str], above: int, below: int) -> str:
    """Return what stands in the box; its shell mode is somebody's draft even while it is empty."""
    first = "" if _SUGGESTION.match(found["text"].strip()) else found["text"]
    rows = [first, *(screen.typed(at).strip() for at in range(above + 2, below))]
    text = "\n".join(rows).strip()
    return f"! {text}" if found["mark"] == "!" else text


def _title(screen: Screen) -> str:
    """Return the first words below the rule that begins a dialog."""
    for at in range(screen.cursor_y - 1, -1, -1):
        if is_rule(screen.rows[at]):
            rows = (row.strip(" :") for row in screen.rows[at + 1 : screen.cursor_y])
            return next((row[:80] for row in rows if row), "untitled")
    return question_above(screen, screen.cursor_y)


def _caret(screen: Screen) -> int | None:
    option = last_like(screen, _OPTION)
    if option is not None and shows(screen, _LEAVE, option, len(screen.rows)):
        return option
    return between_rules(screen)


READER = Reader(_read, _caret)
