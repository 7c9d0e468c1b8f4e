import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from fleet.tmux import Terminal


@pytest_asyncio.fixture
async def terminal(tmp_path: Path) -> AsyncIterator[Terminal]:
    name = f"mosaic-test-{os.getpid()}-{os.urandom(3).hex()}"
    terminal = Terminal(name, environment=dict(os.environ), owner=str(tmp_path))
    try:
        yield terminal
    finally:
        for pane in await terminal.panes():
            await terminal.end_session(pane.session)
        await terminal.close_server()
