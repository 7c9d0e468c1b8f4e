"""A Discord server on the stand-in, for each test its own."""

from collections.abc import AsyncIterator

import pytest

from tests.stages.discord import DiscordStage, discord_stage


@pytest.fixture
async def stage() -> AsyncIterator[DiscordStage]:
    found = await discord_stage(DiscordStage)
    yield found
    await found.close()
