"""Real agent programs, launched by a roster: each is told who it is, is seen as ready, and takes a message."""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from bot.model import ReceiptState
from fleet.delivery import AgentCarrier
from fleet.events import read_events
from fleet.keyboard import Patience
from fleet.lookout import Dialog, Lookout
from fleet.rollouts import Rollouts
from fleet.runtimes.gemini import shared_parent
from fleet.sessions import LocalSessions
from tests.stages.host import Stage, new_socket_name
from tests.stages.model_stand_in import ANSWER, ModelStandIn, model_stand_in
from tests.stages.programs import KEY, PROGRAMS, agent_with_home
from tests.waiting import until

pytestmark = pytest.mark.runtimes

ROLE = "You build and mend software, one card at a time."
COMMS = "Peers write to you as `testhost:"
START_SECONDS = 60.0


@pytest_asyncio.fixture
async def model() -> AsyncIterator[ModelStandIn]:
    async with model_stand_in() as served:
        yield served


@pytest_asyncio.fixture
async def place() -> AsyncIterator[Path]:
    """A directory such as a person's: nobody else can write to it, or to one above it."""
    wanted = (Path(sys.prefix), Path.home(), Path("/var/lib"), Path("/opt"))
    usable = [one for one in wanted if os.access(one, os.W_OK) and shared_parent(one / "x") is None]
    assert usable, (
        f"Gemini CLI needs a directory that nobody else can write, and none of {wanted} is one"
    )
    place = Path(tempfile.mkdtemp(prefix="programs-", dir=usable[0]))
    try:
        yield place
    finally:
        shutil.rmtree(place)


@pytest_asyncio.fixture
async def stage(place: Path) -> AsyncIterator[Stage]:
    environment = dict(os.environ) | {"ANTHROPIC_API_KEY": KEY}
    stage = Stage(place / "home", new_socket_name(), environment)
    try:
        yield stage
    finally:
        if stage.fleet.is_known:
            await stage.fleet.shutdown()


@pytest_asyncio.fixture
async def following() -> AsyncIterator[list[asyncio.Task[None]]]:
    """Parts of the daemon that run beside a test."""
    tasks: list[asyncio.Task[None]] = []
    yield tasks
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Watch:
    """The lookout, looking as often as it is asked."""

    def __init__(self, stage: Stage) -> None:
        self.dialogs: list[Dialog] = []
        self.stage = stage
        self.lookout = Lookout(stage.fleet, self.dialogs.append, timedelta(0))

    async def readiness(self, name: str) -> tuple[str, str]:
        await self.lookout.look()
        records = {record.name: record for record in await self.stage.fleet.observe()}
        return records[name].readiness, records[name].evidence

    async def until_available(self, name: str) -> None:
        async def available() -> bool:
            await asyncio.sleep(0)
            return (await self.readiness(name))[0] == "available"

        try:
            await until(available, START_SECONDS, f"{name} available")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{await self.stage.rows(name)}") from error


@pytest.mark.parametrize("runtime", sorted(PROGRAMS))
async def test_a_program_is_told_who_it_is_and_takes_a_message(
    stage: Stage,
    model: ModelStandIn,
    place: Path,
    following: list[asyncio.Task[None]],
    runtime: str,
) -> None:
    home, work = place / "person", place / "work"
    work.mkdir()
    line = agent_with_home(runtime, home, work, model.url)
    fleet = await stage.open(line, "{name: lead, class: orchestrator, runtime: dogfood}")
    watch = Watch(stage)
    await watch.until_available(runtime)
    assert watch.dialogs == []
    drifting = [record.name for record in await fleet.observe() if record.flags]
    assert drifting == []

    delivery = stage.mail(runtime, "please say that you are there")
    following.append(asyncio.create_task(Rollouts(fleet).run(lambda _: None)))
    carrier = AgentCarrier(fleet, Patience())
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

    async def answered() -> bool:
        return ANSWER in await stage.rows(runtime)

    await until(answered, START_SECONDS, "the answer on the screen")
    scene = await LocalSessions(fleet).scene(runtime, 48)
    assert any(ANSWER in row for row in scene.rows), "the end of its screen, alternate or not"
    await watch.until_available(runtime)


def answer_to(stage: Stage, runtime: str, message_id: str) -> str | None:
    """Return what a program's own words say that it answered to a message."""
    events = read_events(stage.fleet.places.events_file(runtime), 0).events
    ends = [one for one in events if one.event == "turn_ended" and one.message_id == message_id]
    return ends[0].answer if ends else None
