"""What the readers share: a prompt or a draft, an input box between two rules, a dialog's question."""

import re

from fleet.tmux.screen import Reading, Screen, ScreenState

_RULE = re.compile(r"^\s*[─━]{10,}.*$")
_QUESTION = re.compile(r"[^│.?]*\?")
_FRAME = " \t│┃|"


def prompt_or_draft(text: str, reader: str) -> Reading:
    """Return a prompt when nothing is typed, else a draft with its visible end."""
    if not text.strip():
        return Reading(ScreenState.PROMPT, reader=reader)
    return Reading(ScreenState.DRAFT, draft_tail=_end(text), reader=reader)


def working(text: str, reader: str, *, queued: bool) -> Reading:
    """Return a turn that runs; a draft in its box is named, so that nobody types over it."""
    state = ScreenState.QUEUED if queued else ScreenState.BUSY
    return Reading(state, draft_tail=_end(text), reader=reader)


def _end(text: str) -> str | None:
    rows = [row.strip() for row in text.splitlines() if row.strip()]
    return rows[-1][-80:] if rows else None


def between_rules(screen: Screen) -> int | None:
    """Return the first row between the last two rules, None when there are no two."""
    rules = [at for at, row in enumerate(screen.rows) if is_rule(row)]
    return rules[-2] + 1 if len(rules) > 1 else None


def last_like(screen: Screen, pattern: re.Pattern[str]) -> int | None:
    """Return the last row that holds a pattern."""
    return next(
        (at for at in range(len(screen.rows) - 1, -1, -1) if pattern.search(screen.rows[at])), None
    )


def rules_around(screen: Screen) -> tuple[int, int] | None:
    """Return the rows of the two rules between which the cursor stands, None when it does not."""
    above = _first(screen, range(screen.cursor_y - 1, -1, -1))
    below = _first(screen, range(screen.cursor_y + 1, len(screen.rows)))
    if above is None or below is None:
        return None
    return above, below


def _first(screen: Screen, places: range) -> int | None:
    return next((at for at in places if at < len(screen.rows) and is_rule(screen.rows[at])), None)


def is_rule(row: str) -> bool:
    """Whether a row is a rule from edge to edge."""
    return _RULE.match(row) is not None


def shows(screen: Screen, pattern: re.Pattern[str], begin: int, end: int) -> bool:
    """Whether one of some rows holds a pattern."""
    rows = screen.rows[max(0, begin) : max(0, end)]
    return any(pattern.search(row) is not None for row in rows)


def question_above(screen: Screen, options: int) -> str:
    """Return the question that a dialog asks above its options, at most 80 characters of it."""
    for at in range(options - 1, -1, -1):
        found = _QUESTION.search(screen.rows[at].strip(_FRAME))
        if found is not None:
            return found[0].strip()[-80:]
    return "untitled"
