"""Why nothing may be typed into a pane now: pure, from how its screen is read (spec 4-receipts, step 3)."""

from bot.model import Queueing
from fleet.tmux.screen import Reading, ScreenState

WORKING = frozenset({ScreenState.BUSY, ScreenState.QUEUED})
"""States of a program that is at a turn."""

_DRAFT = "a draft stands in its prompt"
_REASONS = {
    ScreenState.DEAD: "it is dead",
    ScreenState.DRAFT: _DRAFT,
    ScreenState.COPY_MODE: "somebody scrolls in its pane (copy-mode)",
    ScreenState.BUSY: "it is busy",
    ScreenState.QUEUED: "it is busy",
    ScreenState.UNKNOWN: "its screen shows no prompt that is known",
}


def obstacle(
    reading: Reading, queueing: Queueing, *, queues: bool, spares_drafts: bool = False
) -> str | None:
    """Return the reason, None when it may be typed into.

    ``queues`` says whether the program takes a message while it works: mail for ``now`` goes in then, unless
    somebody else's draft stands there. ``spares_drafts`` says that the message takes a way that leaves drafts alone.
    """
    if reading.state is ScreenState.PROMPT or (
        spares_drafts and reading.state is ScreenState.DRAFT
    ):
        return None
    if reading.state is ScreenState.BLOCKED:
        return f"a dialog is open: {reading.dialog}"
    if reading.state in WORKING and queueing is Queueing.NOW:
        if reading.draft_tail is not None and not spares_drafts:
            return _DRAFT
        return None if queues else "it is busy, and takes nothing meanwhile"
    return _REASONS[reading.state]
