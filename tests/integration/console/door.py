"""The daemon's side of the tests with consoles."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.clock.backoff import Backoff
from bot.errors import TransientError
from bot.model import Address, MessageKind, OutboundMessage
from connectors.stage import Ledger
from connectors.tmux.client import Away, ConsoleClient, Incoming
from connectors.tmux.connector import PLACE, TmuxConnector
from connectors.tmux.frames import Reaction, Said, Spoken
from tests.fakes.console_server import ConsoleServer
from tests.waiting import until

QUICK = Backoff(timedelta(milliseconds=10), timedelta(milliseconds=40))


class Door:
    """A connector behind a WebSocket; ``restart`` replaces it by a new one, as a new daemon would."""

    def __init__(self, path: Path, ledger: Ledger) -> None:
        self.path = path
        self.ledger = ledger
        self.connector = TmuxConnector(patience=timedelta(seconds=5))
        self._server = ConsoleServer(path, self.connector)

    async def open(self) -> None:
        await self._server.start()

    async def close(self) -> None:
        await self._server.stop()

    async def restart(self) -> None:
        await self.close()
        self.connector = TmuxConnector(patience=timedelta(seconds=5))
        self._server.consoles = self.connector
        await self.open()

    async def listen(self) -> None:
        while True:
            connector = self.connector
            task = asyncio.create_task(connector.subscribe(self.ledger.accept, None))
            while connector is self.connector and not task.done():
                await asyncio.wait({task}, timeout=0.02)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, TransientError):
                await task

    async def attached(self, count: int) -> None:
        state = f"{count} console{'' if count == 1 else 's'} attached"

        async def known() -> bool:
            return (await self.connector.health()).state == state

        await until(known, what=state)


_numbers = itertools.count(1)


def message(
    text: str,
    reply_to: str | None = None,
    *,
    kind: MessageKind = MessageKind.REPLY,
    author: str = "mosaic",
    to: Address = PLACE,
) -> OutboundMessage:
    """Return a fresh message for the console."""
    name = f"m{next(_numbers)}"
    return OutboundMessage(name, 0, f"t-{name}", to, kind, text, reply_to=reply_to, author=author)


class ScriptedLine:
    """A console's line whose frames the test sends itself."""

    def __init__(self) -> None:
        self.pushed: list[dict[str, Any]] = []
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._frames: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    async def push(self, frame: dict[str, Any]) -> None:
        await self.flowing.wait()
        self.pushed.append(frame)

    async def frames(self) -> AsyncIterator[dict[str, Any]]:
        while (frame := await self._frames.get()) is not None:
            yield frame

    def send(self, **frame: Any) -> None:
        self._frames.put_nowait(frame)

    def hang_up(self) -> None:
        self._frames.put_nowait(None)

    def kinds(self) -> list[str]:
        return [frame["frame"] for frame in self.pushed]


class Watcher:
    """A console without a terminal that keeps every frame."""

    def __init__(self, path: Path) -> None:
        self.frames: list[Incoming | Away] = []
        self.client = ConsoleClient(path, self._show, backoff=QUICK)

    async def _show(self, frame: Incoming | Away) -> None:
        self.frames.append(frame)

    @property
    def said(self) -> list[str]:
        return [one.text for one in self.frames if isinstance(one, Said)]

    @property
    def spoken(self) -> list[str]:
        return [one.text for one in self.frames if isinstance(one, Spoken)]

    @property
    def marks(self) -> list[str]:
        return [one.mark for one in self.frames if isinstance(one, Reaction)]


@contextlib.asynccontextmanager
async def watching(door: Door) -> AsyncIterator[Watcher]:
    """Attach a console for a while."""
    watcher = Watcher(door.path)
    task = asyncio.create_task(watcher.client.run())
    try:
        await until(lambda: watcher.frames, what="a first frame")
        yield watcher
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
