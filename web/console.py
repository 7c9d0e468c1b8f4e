"""One operator's console over a WebSocket."""

import json
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from bot.errors import TransientError, UsageError
from web.body import check_storable


class WebSocketLine:
    """A ConsoleLine over a WebSocket: every text message is one JSON object.

    ``push`` raises TransientError once the other side has hung up. What is not a JSON object is refused
    in a frame and not passed on.
    """

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket

    async def push(self, frame: dict[str, Any]) -> None:
        """Send one frame."""
        try:
            await self._socket.send_str(json.dumps(frame))
        except ConnectionError as error:
            raise TransientError("the console has hung up") from error

    async def frames(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the other side's frames until it hangs up."""
        async for message in self._socket:
            try:
                frame = _read_frame(message)
            except UsageError as error:
                await self.push({"frame": "refused", "reason": error.message})
            else:
                yield frame


def _read_frame(message: WSMessage) -> dict[str, Any]:
    try:
        value = json.loads(message.data) if message.type is WSMsgType.TEXT else None
    except (ValueError, RecursionError) as error:
        raise UsageError("a frame must be one JSON object") from error
    if not isinstance(value, dict):
        raise UsageError("a frame must be one JSON object")
    check_storable(value)
    return value
