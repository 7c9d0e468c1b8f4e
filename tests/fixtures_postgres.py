"""Fixtures with a real PostgreSQL behind them, on both tiers: embedded, and a server by URL."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from storage.database import Database
from tests.stages.postgres import Tier, embedded_tier, external_binaries, server_tier

_ROOM = 2_000_000_000  # bytes


def pytest_report_header() -> str:
    return _tiers()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it at the end too: a quiet run prints no header."""
    terminalreporter.write_line(_tiers())


def _tiers() -> str:
    binaries, _ = external_binaries()
    return f"postgres tiers: embedded (the wheel's), server on 127.0.0.1 ({binaries.directory})"


@pytest.fixture(scope="session")
def short_directory() -> Iterator[Path]:
    """A private directory whose path leaves room for a unix socket's name; in memory if there is room."""
    memory, disk = Path("/dev/shm"), Path("/tmp")  # noqa: S108 - a private directory in either
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > _ROOM
    with tempfile.TemporaryDirectory(prefix="mo-", dir=memory if roomy else disk) as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
async def embedded(short_directory: Path) -> AsyncIterator[Tier]:
    async with embedded_tier(short_directory) as tier:
        yield tier


@pytest.fixture(scope="session")
async def server(short_directory: Path) -> AsyncIterator[Tier]:
    async with server_tier(short_directory) as tier:
        yield tier


@pytest.fixture(params=["embedded", "server"])
def tier(request: pytest.FixtureRequest) -> Tier:
    """Each of the two servers in turn."""
    found: Tier = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def database(tier: Tier) -> AsyncIterator[Database]:
    """A migrated database of the test's own, on each of the two servers in turn."""
    async with tier.database() as fresh:
        yield fresh


@pytest.fixture
async def embedded_database(embedded: Tier) -> AsyncIterator[Database]:
    """A migrated database of the test's own, on the embedded server alone."""
    async with embedded.database() as fresh:
        yield fresh
