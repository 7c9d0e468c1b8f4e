"""Embedded servers of a test's own."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from storage.database import Database
from storage.part import DatabasePart
from storage.server.embedded import EmbeddedServer
from tests.stages.postgres import Running


@pytest.fixture
def blank(short_directory: Path) -> Iterator[Path]:
    """A place for one server's data, where nothing is yet."""
    with tempfile.TemporaryDirectory(dir=short_directory) as directory:
        yield Path(directory) / "postgres"


@pytest.fixture(scope="session")
async def pristine(short_directory: Path) -> Path:
    """The data of a server that ran once and was stopped."""
    server = EmbeddedServer(short_directory / "pristine")
    await server.start()
    await server.stop()
    return short_directory / "pristine"


@pytest.fixture
def data(blank: Path, pristine: Path) -> Path:
    """A copy of those data: making them anew would cost every test a second."""
    shutil.copytree(pristine, blank)
    return blank


@pytest.fixture
async def own_server(data: Path) -> AsyncIterator[EmbeddedServer]:
    """A server that is not started yet, and stopped afterwards whatever happened."""
    server = EmbeddedServer(data)
    yield server
    await server.stop()


@pytest.fixture
async def running(data: Path) -> AsyncIterator[Running]:
    """The embedded database part, running and ready."""
    database, said = Database(), list[str]()
    part = DatabasePart(database, data)
    task = asyncio.create_task(part.run(said.append))
    running = Running(database, data, said, task)
    await running.said_again(0)
    yield running
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
