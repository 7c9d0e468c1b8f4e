"""A console's side of its line to the daemon: it comes back by itself, loses nothing, shows nothing twice."""

import asyncio
import os
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import aiohttp

from bot.clock.backoff import Backoff
from bot.errors import UserError
from bot.render.markup import storable
from connectors.tmux.frames import (
    LONGEST,
    Hello,
    Line,
    Reaction,
    Refused,
    Said,
    Seen,
    Shown,
    Spoken,
    Status,
    Taken,
    Typing,
    read_from_daemon,
)

CONSOLE_PATH = "/v1/console"
_BACKOFF = Backoff(timedelta(milliseconds=200), timedelta(seconds=3))
_HEARTBEAT = 15.0  # seconds; a daemon that hangs is as good as gone
_REMEMBERED = 1_000
_FORBIDDEN = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Away:
    """The line is broken; the next try comes after ``wait``."""

    reason: str
    wait: timedelta


Key = TypeVar("Key")
Incoming = Said | Reaction | Spoken | Taken | Refused | Typing | Status
Show = Callable[[Incoming | Away], Awaitable[None]]


class ConsoleClient:
    """One console. ``show`` gets every frame once and returns when a person can see it.

    ``say`` may be called at any time, also while the daemon is away: lines are kept, sent in order, and
    sent again with the same id until the daemon has taken them.
    """

    def __init__(self, socket_path: Path, show: Show, *, backoff: Backoff = _BACKOFF) -> None:
        self.client_id = uuid.uuid4().hex
        self._socket_path = socket_path
        self._show = show
        self._backoff = backoff
        self._untaken: OrderedDict[str, Line] = OrderedDict()
        self._seen: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._spoken: OrderedDict[str, None] = OrderedDict()
        self._outgoing: asyncio.Queue[Hello | Line | Shown] | None = None

    @property
    def connected(self) -> bool:
        """Whether the daemon answers at this moment."""
        return self._outgoing is not None

    @property
    def untaken(self) -> int:
        """How many lines the daemon has not stored yet."""
        return len(self._untaken)

    def say(self, text: str, thread: str | None = None) -> str:
        """Send a line, now or when the daemon is back; return its event id.

        Raises UserError for a line in which nothing can be read, and for one that is too long.
        """
        words = storable(text)
        if not words.strip():
            raise UserError("the line is empty")
        if len(words) > LONGEST:
            raise UserError(f"the line has {len(words)} characters; at most {LONGEST} are allowed")
        line = Line(event_id=uuid.uuid4().hex, text=words, thread=thread)
        self._untaken[line.event_id] = line
        _remember(self._spoken, line.event_id)
        if self._outgoing is not None:
            self._outgoing.put_nowait(line)
        return line.event_id

    async def run(self) -> None:
        """Keep the line up until cancelled; UserError when the daemon does not let us in."""
        attempt = 0
        while True:
            reason = "the daemon hung up"
            try:
                async with self._dial() as socket:
                    attempt = 0
                    await self._talk(socket)
            except (aiohttp.ClientError, OSError) as error:
                reason = _reason_of(error)
            attempt += 1
            wait = self._backoff.wait(attempt)
            await self._show(Away(reason, wait))
            await asyncio.sleep(wait.total_seconds())

    @asynccontextmanager
    async def _dial(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        connector = aiohttp.UnixConnector(str(self._socket_path))
        async with aiohttp.ClientSession(connector=connector) as session:
            try:
                socket = await session.ws_connect(
                    f"http://daemon{CONSOLE_PATH}", heartbeat=_HEARTBEAT
                )
            except aiohttp.WSServerHandshakeError as error:
                if error.status in _FORBIDDEN:
                    raise UserError("the daemon does not let this console in") from error
                raise
            async with socket:
                yield socket

    async def _talk(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        outgoing: asyncio.Queue[Hello | Line | Shown] = asyncio.Queue()
        seen = tuple(Seen(message_id=key[0], part=key[1]) for key in self._seen)
        outgoing.put_nowait(Hello(client_id=self.client_id, pid=os.getpid(), seen=seen))
        for line in self._untaken.values():
            outgoing.put_nowait(line)
        self._outgoing = outgoing
        writer = asyncio.create_task(_write(socket, outgoing))
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._hear(message.json(), outgoing)
        finally:
            self._outgoing = None
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _hear(self, values: object, outgoing: asyncio.Queue[Hello | Line | Shown]) -> None:
        try:
            frame = read_from_daemon(values)
        except UserError as error:
            await self._show(Refused(reason=f"the daemon says something new here: {error.message}"))
            return
        match frame:
            case Said() | Reaction():
                if frame.key not in self._seen:
                    await self._show(frame)
                    _remember(self._seen, frame.key)
                outgoing.put_nowait(Shown(message_id=frame.message_id, part=frame.part))
                return
            case Spoken(event_id=event_id):
                if event_id in self._spoken:
                    return
                _remember(self._spoken, event_id)
            case Taken(event_id=event_id):
                self._untaken.pop(event_id, None)
            case Refused(event_id=str(event_id)):
                self._untaken.pop(event_id, None)
        await self._show(frame)


async def _write(
    socket: aiohttp.ClientWebSocketResponse, outgoing: "asyncio.Queue[Hello | Line | Shown]"
) -> None:
    while True:
        frame = await outgoing.get()
        await socket.send_json(frame.json_ready())


def _remember(known: OrderedDict[Key, None], key: Key) -> None:
    known[key] = None
    if len(known) > _REMEMBERED:
        known.popitem(last=False)


def _reason_of(error: Exception) -> str:
    match error:
        case aiohttp.WSServerHandshakeError():
            return f"the daemon answers {error.status}"
        case FileNotFoundError() | ConnectionRefusedError() | aiohttp.ClientConnectorError():
            return "no daemon is there"
    return str(error) or type(error).__name__
