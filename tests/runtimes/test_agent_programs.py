"""Real agent programs, launched by a roster: each is told who it is, is seen as ready, and takes a message."""

import asyncio
from pathlib import Path

import pytest

from bot.model import ReceiptState
from fleet.delivery.carrier import AgentCarrier
from fleet.delivery.keyboard import Patience
from fleet.host.sessions import LocalSessions
from fleet.turns.records import doing_of
from fleet.watch.rollouts import Rollouts
from tests.fakes.pauses import MemoryPauses
from tests.stages.host import HOST, Stage
from tests.stages.model_stand_in import ANSWER, ModelStandIn
from tests.stages.programs import PROGRAMS, agent_with_home
from tests.stages.watch import START_SECONDS, Watch, answer_to
from tests.waiting import until

pytestmark = pytest.mark.runtimes

ROLE = "You build and mend software: one card, one branch, one pull request"
COMMS = "Peers write to you as `testhost:"


@pytest.mark.parametrize("runtime", sorted(PROGRAMS))
async def test_a_program_is_told_who_it_is_and_takes_a_message(
    stage: Stage,
    model: ModelStandIn,
    work: Path,
    following: list[asyncio.Task[None]],
    runtime: str,
) -> None:
    line = agent_with_home(runtime, work.parent / "person", work, model.url)
    fleet = await stage.open(line, "{name: lead, class: orchestrator, runtime: dogfood}")
    watch = Watch(stage)
    await watch.until_available(runtime)
    assert watch.dialogs == []
    drifting = [record.name for record in await fleet.observe() if record.flags]
    assert drifting == []

    delivery = stage.mail(runtime, "please say that you are there")
    following.append(asyncio.create_task(Rollouts(fleet).run(lambda _: None)))
    carrier = AgentCarrier(fleet, MemoryPauses(), Patience())
    result = await carrier.carry(delivery, stage.letters.record)
    assert result.state is ReceiptState.ACCEPTED, (result, await stage.rows(runtime))
    assert result.by == "submitted", (result, stage.events(runtime))

    mark = f"[end {delivery.outbound.message_id}]"

    def reached() -> str | None:
        # A program may ask for a title too: that question need not say who it is.
        return next((text for text in model.texts() if mark in text and ROLE in text), None)

    await until(reached, START_SECONDS, "the message at the model, with the role")
    asked = reached() or ""
    assert COMMS in asked
    assert "mosaic agent send lead" in asked

    await until(
        lambda: answer_to(stage, runtime, delivery.outbound.message_id) == ANSWER,
        START_SECONDS,
        "the answer in its own words",
    )

    place, words = f"{HOST}/{runtime}", "" if runtime == "gemini" else ANSWER

    async def recorded() -> bool:
        # Gemini CLI writes a turn down at its end, in another form; Claude Code a little after its hook.
        said = await doing_of(stage.fleet.places, place, delivery.outbound.message_id)
        return said == words

    await until(recorded, START_SECONDS, "the words in its record")

    async def answered() -> bool:
        return ANSWER in await stage.rows(runtime)

    await until(answered, START_SECONDS, "the answer on the screen")
    scene = await LocalSessions(fleet).scene(runtime, 48)
    assert any(ANSWER in row for row in scene.rows), "the end of its screen, alternate or not"
    await watch.until_available(runtime)
