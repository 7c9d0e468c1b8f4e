"""The supervisor's seams for tests: the pure model and the real store on both tiers, one after the other."""

from collections.abc import AsyncIterator

import pytest

from storage.database import Database
from tests.stages.postgres import Tier
from tests.stages.supervision import (
    SupervisionStage,
    clear,
    memory_supervision,
    postgres_supervision,
)


@pytest.fixture(scope="module", params=["memory", "embedded", "server"])
def supervision_tier(request: pytest.FixtureRequest) -> Tier | None:
    """Each tier in turn, None for the model."""
    if request.param == "memory":
        return None
    found: Tier = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
async def supervision_database(supervision_tier: Tier | None) -> AsyncIterator[Database | None]:
    """One database a module."""
    if supervision_tier is None:
        yield None
        return
    async with supervision_tier.database() as database:
        yield database


@pytest.fixture
async def supervision(supervision_database: Database | None) -> SupervisionStage:
    """Empty seams of each implementation in turn."""
    if supervision_database is None:
        return memory_supervision()
    await clear(supervision_database)
    return postgres_supervision(supervision_database)
