"""One attached console, as the daemon sees it."""

import asyncio

import structlog

from bot.errors import TransientError
from bot.model import Principal
from bot.ports import ConsoleLine
from connectors.tmux.frames import (
    Hello,
    Reaction,
    Refused,
    Said,
    Spoken,
    Status,
    Taken,
    Typing,
)

Outgoing = Said | Reaction | Spoken | Taken | Refused | Typing | Status
_WAITING = 2_000


class Desk:
    """A console with what waits to be pushed to it.

    ``push`` never waits: who reads too slowly is overrun and hung up on, and gets what it missed when it
    comes back.
    """

    def __init__(self, principal: Principal, line: ConsoleLine) -> None:
        self.principal = principal
        self.line = line
        self.hello: Hello | None = None
        self.overrun = asyncio.Event()
        self._waiting: asyncio.Queue[Outgoing] = asyncio.Queue(_WAITING)
        self._log = structlog.get_logger(part="tmux")

    @property
    def client_id(self) -> str:
        """The console's own id, empty before it said hello."""
        return self.hello.client_id if self.hello else ""

    def push(self, frame: Outgoing) -> None:
        """Put a frame in line for this console."""
        try:
            self._waiting.put_nowait(frame)
        except asyncio.QueueFull:
            self.overrun.set()

    async def write(self) -> None:
        """Push what waits until the console hangs up."""
        try:
            while True:
                frame = await self._waiting.get()
                await self.line.push(frame.json_ready())
        except (ConnectionError, TransientError) as error:
            self._log.info("console hung up", client_id=self.client_id, error=str(error))
