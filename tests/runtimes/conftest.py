"""What all tests with real agent programs share."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from fleet.runtimes.gemini import shared_parent
from fleet.watch.rollouts import Rollouts
from tests.stages.campaign import BY_KEYS, VERDICTS, Campaign
from tests.stages.host import Stage, new_socket_name
from tests.stages.model_stand_in import ModelStandIn, model_stand_in
from tests.stages.programs import KEY, PROGRAMS, agent_with_home, version_of
from tests.stages.watch import COUNTS, Watch


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count."""
    config.stash[COUNTS] = {}
    config.stash[VERDICTS] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what became of every message to a real program, and how much of it was wrong."""
    stash = terminalreporter.config.stash
    for runtime, counts in stash[COUNTS].items():
        version = version_of(runtime.partition(" ")[0])
        terminalreporter.write_line(f"{runtime} {version}: {counts.total()} receipts")
        for what, count in counts.items():
            terminalreporter.write_line(f"  {count:3}  {what}")
        found = stash[VERDICTS].get(runtime, Counter())
        said = ", ".join(f"{what} {count}" for what, count in found.items())
        terminalreporter.write_line(f"  held against the truth: {said or 'not at all'}")


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
async def work(place: Path) -> Path:
    """The directory in which an agent works."""
    work = place / "work"
    work.mkdir()
    return work


@pytest_asyncio.fixture
async def stage(place: Path) -> AsyncIterator[Stage]:
    environment = dict(os.environ) | {"ANTHROPIC_API_KEY": KEY}
    stage = Stage(place / "home", new_socket_name(), environment)
    stage.holds_line = True  # as the daemon does
    try:
        yield stage
    finally:
        if stage.fleet.is_known:
            await stage.fleet.release_lines()
            await stage.fleet.shutdown()


@pytest_asyncio.fixture
async def following() -> AsyncIterator[list[asyncio.Task[None]]]:
    """Parts of the daemon that run beside a test."""
    tasks: list[asyncio.Task[None]] = []
    yield tasks
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest_asyncio.fixture(params=[*sorted(PROGRAMS), BY_KEYS])
async def campaign(
    request: pytest.FixtureRequest,
    stage: Stage,
    model: ModelStandIn,
    work: Path,
    following: list[asyncio.Task[None]],
) -> AsyncIterator[Campaign]:
    """One program after the other, launched and followed; its receipts are held against the truth at the end."""
    kind: str = request.param
    runtime = kind.partition(" ")[0]
    line = json.loads(agent_with_home(runtime, work.parent / "person", work, model.url))
    if kind == BY_KEYS:
        line["env"]["OPENCODE_TUI_CONFIG"] = str(work.parent / "person" / "tui.json")
    fleet = await stage.open(json.dumps(line))
    following.append(asyncio.create_task(Rollouts(fleet).run(lambda _: None)))
    counts = request.config.stash[COUNTS].setdefault(kind, Counter())
    campaign = Campaign(stage, model, runtime, Watch(stage), work, counts)
    yield campaign
    found = campaign.verdict()
    so_far = request.config.stash[VERDICTS].setdefault(kind, Counter())
    so_far.update(found)  # with the noughts
    assert not found.total(), f"{kind}: {found}"
