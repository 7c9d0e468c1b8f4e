"""Fixtures with a whole installation behind them, and the homeserver on which people meet it."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.stages.installation import Installation
from tests.stages.room import OpsRoom, ops_room
from tests.stages.synapse import Town


@pytest.fixture(scope="session")
async def homeserver(_open_town: Town) -> AsyncIterator[Town]:
    """The homeserver without rate limits; who is met there stays until the end."""
    async with aiohttp.ClientSession() as http:
        found = Town(_open_town.synapse, http)
        yield found
        await found.go_home()


@pytest.fixture(scope="module")
def home(short_directory: Path) -> Iterator[Path]:
    """A home that does not exist yet, in a directory that goes with the module."""
    directory = Path(tempfile.mkdtemp(dir=short_directory))
    yield directory / "home"
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
async def installation(home: Path) -> AsyncIterator[Installation]:
    """A bare home; nothing runs in it."""
    found = Installation(home)
    yield found
    await found.close()


@pytest.fixture(scope="module")
async def room(home: Path, homeserver: Town) -> AsyncIterator[OpsRoom]:
    """A running installation with the demo's agents, in a room with Ann."""
    async with ops_room(home, homeserver) as found:
        await found.installation.up()
        await found.steady()
        yield found
