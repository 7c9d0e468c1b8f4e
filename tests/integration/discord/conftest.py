"""A Discord server on the stand-in, and an office for a set-up, for each test its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.config.places import Places
from tests.stages.discord import DiscordStage, discord_stage
from tests.stages.discord_office import DiscordOffice, discord_office


@pytest.fixture
async def stage() -> AsyncIterator[DiscordStage]:
    found = await discord_stage(DiscordStage)
    yield found
    await found.close()


@pytest.fixture
async def office() -> AsyncIterator[DiscordOffice]:
    async with discord_office() as found:
        yield found


@pytest.fixture
def places(tmp_path: Path, office: DiscordOffice) -> Places:
    """Return a home whose settings lead to the office."""
    found = Places(tmp_path / "home")
    found.prepare()
    found.settings_file.write_text(f'[connectors.discord]\napi_url = "{office.url}"\n')
    return found
