"""The mailbox's ports in their three forms: in memory, on the embedded server, on a server by URL."""

from collections.abc import AsyncIterator

import pytest

from tests.stages.mailroom import Mailroom, memory_mailroom, postgres_mailroom
from tests.stages.postgres import Tier


@pytest.fixture(params=["memory", "embedded", "server"])
def mailroom_tier(request: pytest.FixtureRequest) -> Tier | None:
    """None stands for memory."""
    tier: Tier | None = (
        None if request.param == "memory" else request.getfixturevalue(request.param)
    )
    return tier


@pytest.fixture
async def mailroom(mailroom_tier: Tier | None) -> AsyncIterator[Mailroom]:
    if mailroom_tier is None:
        yield memory_mailroom()
        return
    async with mailroom_tier.database() as database:
        yield postgres_mailroom(database)
