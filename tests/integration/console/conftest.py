"""A daemon's door with consoles before it."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.stage import Ledger
from tests.integration.console.door import Door


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """A door that is open and listened at."""
    with tempfile.TemporaryDirectory(prefix="mosaic-") as directory:
        door = Door(Path(directory) / "api.sock", Ledger())
        await door.open()
        listening = asyncio.create_task(door.listen())
        yield door
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        await door.close()
