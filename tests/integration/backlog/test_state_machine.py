"""The real store against the pure model: whatever is asked, in whatever order, both answer the same."""

from typing import Any

import pytest

from storage.database import Target
from tests.stages import backlog_machine
from tests.stages.postgres import Tier


@pytest.fixture
async def target(embedded: Tier) -> Any:
    """An empty database."""
    async with embedded.empty() as found:
        yield found


def test_the_store_and_the_model_answer_the_same(target: Target) -> None:
    backlog_machine.run(target, examples=20, steps=30)


@pytest.mark.slow
def test_the_store_and_the_model_answer_the_same_in_500_long_lives(target: Target) -> None:
    backlog_machine.run(target, examples=500, steps=60)
