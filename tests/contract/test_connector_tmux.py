"""The tmux connector keeps the connectors' contract, with a real console at the other end of the line."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clock.backoff import Backoff
from bot.ports import Connector
from connectors.stage import Stage, Standing, StandingFile
from connectors.testing import ConnectorContract
from connectors.tmux.client import Away, ConsoleClient, Incoming
from connectors.tmux.connector import PLACE, TmuxConnector
from connectors.tmux.frames import Reaction, Said
from tests.fakes.console_server import ConsoleServer
from tests.fakes.contents import MemoryContents

QUICK = Backoff(timedelta(milliseconds=10), timedelta(milliseconds=50))


class ConsoleStage:
    """A daemon's door and one console that remembers what it shows."""

    def __init__(self, path: Path) -> None:
        self.place = PLACE
        self.frames: list[Incoming | Away] = []
        self.contents = MemoryContents()
        self._tmux = self.make()
        self._server = ConsoleServer(path, self._tmux)
        self.client = ConsoleClient(path, self._show, backoff=QUICK)

    @property
    def connector(self) -> Connector:
        return self._tmux

    def make(self) -> TmuxConnector:
        return TmuxConnector(patience=timedelta(seconds=2))

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    async def _show(self, frame: Incoming | Away) -> None:
        self.frames.append(frame)

    async def speak(self, text: str, thread: str | None = None) -> str:
        return self.client.say(text, thread)

    async def send_file(self, name: str, content: bytes, media_type: str, caption: str = "") -> str:
        raise AssertionError("nobody sends files from a console")

    async def files(self) -> Sequence[StandingFile]:
        return []

    async def edit(self, event_id: str, text: str) -> str:
        raise AssertionError("a console has no edits")

    async def react(self, event_id: str, mark: str) -> str:
        raise AssertionError("a console has no marks of its own person")

    async def redact(self, event_id: str) -> str:
        raise AssertionError("on a console nothing is taken back")

    async def standing(self) -> Sequence[Standing]:
        return [Standing(one.text, one.thread) for one in self.frames if isinstance(one, Said)]

    async def marks(self, event_id: str) -> Sequence[str]:
        marks = (one for one in self.frames if isinstance(one, Reaction))
        return [one.mark for one in marks if one.event_id == event_id][-1:]  # a line shows one

    async def restart(self) -> None:
        await self._server.stop()
        self._tmux = self.make()
        self._server.consoles = self._tmux
        await self._server.start()

    async def cut(self) -> None:
        await self._server.stop()

    async def restore(self) -> None:
        await self._server.stop()
        await self._server.start()


class TestTmuxConnector(ConnectorContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        with tempfile.TemporaryDirectory(prefix="mosaic-") as directory:
            stage = ConsoleStage(Path(directory) / "api.sock")
            await stage.start()
            running = asyncio.create_task(stage.client.run())
            yield stage
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await stage.stop()
