"""Every connector goes through every fault, and what was seen is the table in docs/reference/faults.md."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from connectors.faults import FaultStage, FaultSuite
from tests.stages.bad_line import BadLine
from tests.stages.discord import discord_stage
from tests.stages.discord_faults import DiscordFaultStage
from tests.stages.faults import ConsoleFaultStage, MatrixFaultStage, MemoryFaultStage
from tests.stages.line import Line
from tests.stages.matrix import meet
from tests.stages.synapse import Town


class TestMemoryFaults(FaultSuite):
    @pytest.fixture
    async def stage(self) -> FaultStage:
        return MemoryFaultStage()


class TestTmuxFaults(FaultSuite):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[FaultStage]:
        with tempfile.TemporaryDirectory(prefix="mosaic-") as directory:
            stage = ConsoleFaultStage(Path(directory) / "api.sock")
            await stage.start()
            running = asyncio.create_task(stage.client.run())
            yield stage
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await stage.stop()


class TestMatrixFaults(FaultSuite):
    @pytest.fixture
    async def stage(self, matrix_town: Town) -> AsyncIterator[FaultStage]:
        bad = BadLine(matrix_town.url)
        await bad.open()
        ann, bot = await meet(matrix_town)
        other = await matrix_town.room(bot.account, ann.account)
        line = Line(urlsplit(matrix_town.url).port or 0)
        stage = MatrixFaultStage(ann, bot, line, bad, other)
        yield stage
        await stage.close()
        await bad.close()


class TestDiscordFaults(FaultSuite):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[FaultStage]:
        stage = await discord_stage(DiscordFaultStage)
        yield stage
        await stage.close()
