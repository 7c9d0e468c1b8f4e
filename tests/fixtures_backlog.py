"""A backlog for tests: the pure model and the real store on both tiers, one after the other."""

from collections.abc import AsyncIterator

import pytest

from storage.database import Database
from tests.stages.backlog import BacklogStage, clear, memory_stage, postgres_stage
from tests.stages.postgres import Tier


@pytest.fixture(scope="module", params=["memory", "embedded", "server"])
def backlog_tier(request: pytest.FixtureRequest) -> Tier | None:
    """Each tier in turn, None for the model."""
    if request.param == "memory":
        return None
    found: Tier = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
async def backlog_database(backlog_tier: Tier | None) -> AsyncIterator[Database | None]:
    """One database a module: its tests begin with an empty backlog, not with a new database."""
    if backlog_tier is None:
        yield None
        return
    async with backlog_tier.database() as database:
        yield database


@pytest.fixture
async def backlog(backlog_database: Database | None) -> BacklogStage:
    """An empty backlog of each implementation in turn."""
    if backlog_database is None:
        return memory_stage()
    await clear(backlog_database)
    return postgres_stage(backlog_database)
