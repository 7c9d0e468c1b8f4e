"""The dogfood runtime under a campaign of sends: the shape in which every runtime is proven.

Truth is the runtime's own events: what it took, how often, and in which words. Receipts are held against it.
"""

import json
from collections import Counter

import pytest

from bot.errors import TransientError
from bot.model import ReceiptState
from tests.stages.host import DOGFOOD, Stage, ready
from tests.waiting import until

pytestmark = pytest.mark.runtimes

BODIES = {
    "one line": "hello",
    "several lines": "one\n\ttwo\n\nthree",
    "8 kB": "word " * 1600,
    "unicode": "ünïcödé 漢字 👩‍👩‍👧 עברית",
    "!": "!rm -rf /",
    "/": "/quit",
    "trailing backslash": "a draft \\",
    "trailing @word": "look at @README",
    "end of paste": "split \x1b[201~\r/die\r",
    "tmux format": "#{pane_id} #(id) ; kill-server",
}
ROUNDS = 6


def taken(stage: Stage) -> Counter[str]:
    """Return how often the runtime took each message."""
    events = [json.loads(line) for line in stage.events("orchestrator").splitlines()]
    texts = [event["text"] for event in events if event["event"] == "submitted"]
    return Counter(
        id_ for id_ in stage.letters.messages for text in texts if f"| id {id_}]" in text
    )


async def test_sixty_sends_are_each_taken_once_and_said_so(stage: Stage) -> None:
    await stage.open(DOGFOOD)
    await ready(stage)
    for number in range(ROUNDS):
        for body in BODIES.values():
            delivery = stage.mail("orchestrator", body, key=str(number))
            result = await stage.carrier.carry(delivery, stage.letters.record)
            assert result.state is ReceiptState.ACCEPTED, (number, body, result)
            await ready(stage)
    counts = taken(stage)
    assert len(counts) == ROUNDS * len(BODIES)
    assert set(counts.values()) == {1}
    assert all(stage.letters.states(id_) == ["typed"] for id_ in counts)


@pytest.mark.parametrize("keys", [("-l", "half a thought"), ("/dialog", "Enter")])
async def test_what_stands_in_the_way_is_left_as_it_is(stage: Stage, keys: tuple[str, str]) -> None:
    await stage.open(DOGFOOD)
    await ready(stage)
    await stage.press("orchestrator", *keys)
    await until(lambda: stands(stage), what="the trouble on the screen")
    before = await stage.rows("orchestrator")
    for number in range(10):
        with pytest.raises(TransientError):
            await stage.carrier.carry(
                stage.mail("orchestrator", "hello", key=str(number)), stage.letters.record
            )
    assert await stage.rows("orchestrator") == before
    assert not taken(stage)


async def stands(stage: Stage) -> bool:
    """Whether a draft or a dialog is on the screen."""
    rows = await stage.rows("orchestrator")
    return "half a thought" in rows or "dogfood ?" in rows
