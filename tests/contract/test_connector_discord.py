"""The Discord connector keeps the connectors' contract, on a stand-in of Discord's API and gateway."""

from collections.abc import AsyncIterator

import pytest

from connectors.stage import Ledger, Stage, listening
from connectors.testing import ConnectorContract
from tests.stages.discord import DiscordStage, discord_stage


class TestDiscordConnector(ConnectorContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        stage = await discord_stage(DiscordStage)
        yield stage
        await stage.close()

    async def test_missed_events_are_marked_and_counted(self, stage: Stage) -> None:
        ledger = Ledger()
        async with listening(stage, ledger):
            pass
        event_id = await stage.speak("missed")
        async with listening(stage, ledger):
            event = await ledger.arrival(event_id)
        assert event.recovered
