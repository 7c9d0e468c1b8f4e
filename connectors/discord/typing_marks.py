"""Showing that we are at work: Discord shows it for ten seconds, so it is said again until it ends."""

import asyncio
import contextlib
from datetime import timedelta

from bot.errors import MosaicError
from connectors.discord.api import Api

_AGAIN = timedelta(seconds=8)
_LASTS = timedelta(seconds=45)
"""Then it ends by itself, should nobody end it."""


class TypingMarks:
    """Keeps marks up, one for each channel or thread; a signal that does not get through is dropped."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._showing: dict[int, asyncio.Task[None]] = {}

    def show(self, channel_id: int) -> None:
        """Show work from now on."""
        self.end(channel_id)
        self._showing[channel_id] = asyncio.create_task(self._keep_up(channel_id))

    def end(self, channel_id: int) -> None:
        """Say it no more; what is shown fades within ten seconds, or with our next words."""
        showing = self._showing.pop(channel_id, None)
        if showing is not None:
            showing.cancel()

    async def close(self) -> None:
        """End all of them."""
        showing = list(self._showing.values())
        for channel_id in list(self._showing):
            self.end(channel_id)
        await asyncio.gather(*showing, return_exceptions=True)

    async def _keep_up(self, channel_id: int) -> None:
        with contextlib.suppress(MosaicError, TimeoutError):
            async with asyncio.timeout(_LASTS.total_seconds()):
                while True:
                    await self._api.type(channel_id)
                    await asyncio.sleep(_AGAIN.total_seconds())
