"""pi, as seen in 0.74: an input without a mark between two rules, its state above them."""

import re

from fleet.readers.box import between_rules, prompt_or_draft, rules_around, shows, working
from fleet.tmux.screen import Reader, Reading, Screen, ScreenState

_WORKING = re.compile(r"^\s*[⠀-⣿] \S+\.\.\.")
_QUEUED = re.compile(r"^\s*(Steering|Follow-up): ")
_STATUS = re.compile(r"\d+(\.\d+)?%/\d+")
_NEAR = 12


def _read(screen: Screen) -> Reading:
    """Read the input in which the cursor stands; the row with the context's use tells that it is pi's."""
    rules = rules_around(screen)
    if rules is None or not shows(screen, _STATUS, rules[1], len(screen.rows)):
        return Reading(ScreenState.UNKNOWN, reader="pi")
    above, below = rules
    text = "\n".join(screen.typed(at).strip() for at in range(above + 1, below)).strip()
    if shows(screen, _WORKING, above - _NEAR, above):
        queued = shows(screen, _QUEUED, above - _NEAR, above)
        return working(text, "pi", queued=queued)
    return prompt_or_draft(text, "pi")


READER = Reader(_read, between_rules)
