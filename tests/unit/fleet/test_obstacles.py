"""What stands in the way of a message, and what a hatch need not mind."""

import pytest

from bot.model import Queueing
from fleet.delivery.obstacles import obstacle
from fleet.tmux.screen import Reading, ScreenState

DRAFT = "a draft stands in its prompt"


@pytest.mark.parametrize(
    ("reading", "queueing", "typed", "handed_over"),
    [
        (Reading(ScreenState.PROMPT), Queueing.WHEN_IDLE, None, None),
        (Reading(ScreenState.DRAFT, draft_tail="x"), Queueing.WHEN_IDLE, DRAFT, None),
        (Reading(ScreenState.BUSY), Queueing.WHEN_IDLE, "it is busy", "it is busy"),
        (Reading(ScreenState.BUSY), Queueing.NOW, None, None),
        (Reading(ScreenState.BUSY, draft_tail="x"), Queueing.NOW, DRAFT, None),
        (Reading(ScreenState.BUSY, draft_tail="x"), Queueing.WHEN_IDLE, "it is busy", "it is busy"),
    ],
)
def test_a_draft_is_all_that_a_hatch_need_not_wait_for(
    reading: Reading, queueing: Queueing, typed: str | None, handed_over: str | None
) -> None:
    assert obstacle(reading, queueing, queues=True) == typed
    assert obstacle(reading, queueing, queues=True, spares_drafts=True) == handed_over


@pytest.mark.parametrize(
    "state", [ScreenState.BLOCKED, ScreenState.COPY_MODE, ScreenState.UNKNOWN, ScreenState.DEAD]
)
@pytest.mark.parametrize("queueing", list(Queueing))
def test_everything_else_stands_in_the_way_of_both(state: ScreenState, queueing: Queueing) -> None:
    reading = Reading(state, dialog="Permission")
    reasons = {
        obstacle(reading, queueing, queues=True, spares_drafts=spares) for spares in (False, True)
    }
    assert len(reasons) == 1
    assert None not in reasons
