"""Fixtures with a real tmux server behind them."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from fleet.tmux.terminal import Terminal
from tests.stages.host import Stage, clear, new_socket_name


@pytest_asyncio.fixture
async def terminal(tmp_path: Path) -> AsyncIterator[Terminal]:
    terminal = Terminal(
        new_socket_name(), environment=dict(os.environ), owner=str(tmp_path), texts=tmp_path
    )
    try:
        yield terminal
    finally:
        await terminal.release_line()
        await clear(terminal)


@pytest_asyncio.fixture(params=["calls", "line"])
async def typist(terminal: Terminal, request: pytest.FixtureRequest) -> Terminal:
    """A terminal that types in each of the two ways in turn."""
    await terminal.ensure_server()
    if request.param == "line":
        await terminal.hold_line()
    return terminal


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    environment = dict(os.environ) | {
        "MATRIX_ACCESS_TOKEN": "s3cret-matrix",
        "DATABASE_URL": "s3cret-postgres",
        "ANTHROPIC_API_KEY": "s3cret-provider",
    }
    stage = Stage(tmp_path / "home", new_socket_name(), environment)
    try:
        yield stage
    finally:
        if stage.fleet.is_known:
            await stage.fleet.release_lines()
            await stage.fleet.shutdown()
            await clear(stage.fleet.terminal())
