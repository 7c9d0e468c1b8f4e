"""What all tests with real agent programs share."""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from fleet.runtimes.gemini import shared_parent
from tests.stages.host import Stage, new_socket_name
from tests.stages.model_stand_in import ModelStandIn, model_stand_in
from tests.stages.programs import KEY
from tests.stages.watch import COUNTS


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count."""
    config.stash[COUNTS] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what became of every message to a real program."""
    for runtime, counts in terminalreporter.config.stash[COUNTS].items():
        terminalreporter.write_line(f"{runtime}: {counts.total()} messages")
        for what, count in counts.items():
            terminalreporter.write_line(f"  {count:3}  {what}")


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
