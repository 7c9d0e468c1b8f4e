"""Fixtures with a real Synapse behind them: one without rate limits, one with Synapse's own."""

from collections.abc import AsyncIterator

import pytest

from tests.stages.synapse import Town, town


@pytest.fixture(scope="session")
async def _open_town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with town(tmp_path_factory.mktemp("synapse")) as found:
        yield found


@pytest.fixture(scope="session")
async def _limited_town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with town(tmp_path_factory.mktemp("limited"), limited=True) as found:
        yield found


@pytest.fixture
async def matrix_town(_open_town: Town) -> AsyncIterator[Town]:
    """The homeserver without rate limits; the test makes its own people and rooms."""
    yield _open_town
    await _open_town.go_home()


@pytest.fixture
async def limited_matrix_town(_limited_town: Town) -> AsyncIterator[Town]:
    """The homeserver with Synapse's own rate limits."""
    yield _limited_town
    await _limited_town.go_home()
