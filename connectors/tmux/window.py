"""The window on the fleet's socket in which a person finds the console."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

import structlog

from bot.errors import SetupError
from fleet.host.chat_window import ChatWindow

_QUICK = timedelta(seconds=10)
_TRIES = 3


class TmuxWindow:
    """Keeps the console's window open, and opens it again when a person has left it.

    The window outlives this part: a console reconnects by itself after a restart. Whoever stops the whole
    installation closes the window.
    """

    name = "console window"

    def __init__(self, window: ChatWindow, *, check: timedelta = timedelta(seconds=5)) -> None:
        self._window = window
        self._check = check
        self._log = structlog.get_logger(part=self.name)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Watch the window until cancelled.

        Raises what the terminal raises, and SetupError when the console's program ends at once each time.
        """
        quick_ends = 0
        while quick_ends < _TRIES:
            pane = await self._window.open()
            opened_at = time.monotonic()
            ready(f"pane {pane.id}")
            await self._until_closed()
            lived = time.monotonic() - opened_at
            quick_ends = quick_ends + 1 if lived < _QUICK.total_seconds() else 0
            self._log.info("window closed", lived_seconds=round(lived))
        raise SetupError(
            f"the console's window closed {_TRIES} times within {_QUICK.seconds} s of its opening",
            hint="run `mosaic chat` to see why",
        )

    async def _until_closed(self) -> None:
        while await self._window.alive():  # noqa: ASYNC110 - tmux tells nobody when a window ends
            await asyncio.sleep(self._check.total_seconds())
