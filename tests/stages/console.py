"""A console of the daemon at the level of its frames."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

Frame = dict[str, Any]
_PATIENCE_SECONDS = 60.0
_numbers = itertools.count(1)


class Console:
    """One attached console; every message that it gets counts as shown."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def ask(self, text: str) -> Frame:
        """Say a line; return the message that answers it, or the frame that refuses it."""
        event_id = f"line{next(_numbers)}"
        await self.socket.send_str(
            json.dumps({"frame": "line", "event_id": event_id, "text": text})
        )
        while True:
            frame = await self.receive()
            if frame["frame"] == "refused" or frame.get("reply_to") == event_id:
                return frame

    async def receive(self) -> Frame:
        """Return the next frame."""
        frame = await next_frame(self.socket)
        if "message_id" in frame:
            shown = {"frame": "shown", "message_id": frame["message_id"], "part": frame["part"]}
            await self.socket.send_json(shown)
        return frame


async def next_frame(socket: aiohttp.ClientWebSocketResponse) -> Frame:
    """Return what the daemon says next; its pings do not count, as they would for the library's timeout."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        frame: Frame = await socket.receive_json()
    return frame


@asynccontextmanager
async def line_to(api_socket: Path) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Connect to the daemon's consoles, and say nothing yet."""
    connector = aiohttp.UnixConnector(str(api_socket))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.ws_connect("http://mosaic/v1/console") as socket,
    ):
        yield socket


@asynccontextmanager
async def console(api_socket: Path) -> AsyncIterator[Console]:
    """Lend an attached console."""
    async with line_to(api_socket) as socket:
        await socket.send_json({"frame": "hello", "client_id": f"console{next(_numbers)}"})
        yield Console(socket)
