"""A supervisor with nothing to do says nothing: an hour of it, with a clock that a test moves."""

from datetime import timedelta

from bot.model import MessageKind
from bot.supervision.dispatch_rules import Patience
from bot.supervision.tick import Tick
from tests.stages.backlog import ANN
from tests.stages.supervision import (
    ORCHESTRATOR,
    SupervisionStage,
    memory_supervision,
    sighting,
)

FLEET = (
    sighting("lead", "orchestrator", takes=False),
    sighting("better", "enhancer", takes=False),
    sighting("coder0"),
    sighting("coder1"),
)


async def an_hour(stage: SupervisionStage) -> tuple[int, set[str]]:
    """Let an hour pass, a tick every 30 s; return how many messages were stored, and all verdicts' codes."""
    memory = stage.dispatches._memory  # type: ignore[attr-defined]
    tick = Tick(stage.seams, Patience(), lambda: ORCHESTRATOR, memory.now)
    before, codes = len(memory.room.messages), set()
    for _ in range(120):
        await stage.seen(*FLEET)
        sight = await tick.look()
        assert tick.needs(sight) is None
        codes |= {one.code for one in (await tick.run(sight)).verdicts}
        await stage.advance(timedelta(seconds=30))
    return len(memory.room.messages) - before, codes


async def test_an_empty_backlog_costs_nobody_a_word() -> None:
    assert await an_hour(memory_supervision()) == (
        0,
        {"no-card", "empty"},
    )


async def test_cards_that_nobody_can_take_cost_nobody_a_word() -> None:
    stage = memory_supervision()
    await stage.create("A1", agent_class="painter")
    await stage.create("A2", depends_on=("A1",))
    assert (await an_hour(stage))[0] == 0


async def test_the_planner_is_asked_once_when_the_last_card_is_done() -> None:
    stage = memory_supervision()
    await stage.create("A1", agent_class="painter")
    await stage.backlog.claims.complete("A1", None, ANN)
    assert (await an_hour(stage))[0] == 1
    room = stage.dispatches._memory.room  # type: ignore[attr-defined]
    (mail,) = room.messages.values()
    assert (mail.kind, mail.to) == (MessageKind.MAIL, ORCHESTRATOR)
    assert (await an_hour(stage))[0] == 0, "one request an episode"
    await stage.create("A2", agent_class="painter")
    await stage.backlog.claims.complete("A2", None, ANN)
    assert (await an_hour(stage))[0] == 1, "a new episode"
