"""The daemon's door for consoles, alone: a WebSocket on a unix socket that leads to ``attend``."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from bot.model import Principal
from bot.ports import Consoles
from connectors.tmux.client import CONSOLE_PATH

OPERATOR = Principal("local:1000", "ann")


class WebSocketLine:
    """A ``bot.ports.ConsoleLine`` over one WebSocket."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket

    async def push(self, frame: dict[str, Any]) -> None:
        await self._socket.send_json(frame)

    async def frames(self) -> AsyncIterator[dict[str, Any]]:
        async for message in self._socket:
            if message.type is WSMsgType.TEXT:
                yield json.loads(message.data)


class ConsoleServer:
    """Serves consoles at a path; ``stop`` breaks every line, as a daemon that dies does."""

    def __init__(self, path: Path, consoles: Consoles, principal: Principal = OPERATOR) -> None:
        self.path = path
        self.consoles = consoles
        self._principal = principal
        self._runner: web.AppRunner | None = None
        self._sockets: set[web.WebSocketResponse] = set()

    async def start(self) -> None:
        application = web.Application()
        application.router.add_get(CONSOLE_PATH, self._attend)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self.path)).start()

    async def stop(self) -> None:
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        for socket in tuple(self._sockets):
            await socket.close()
        await runner.cleanup()
        self.path.unlink(missing_ok=True)

    def _line(self, socket: web.WebSocketResponse) -> WebSocketLine:
        return WebSocketLine(socket)

    async def _attend(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            await self.consoles.attend(self._principal, self._line(socket))
        finally:
            self._sockets.discard(socket)
        return socket
