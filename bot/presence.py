"""Showing that work is going on: a typing mark that is kept fresh, and lost without harm."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import structlog

from bot.errors import MosaicError
from bot.model import Address
from bot.ports import ShowsTyping

_REFRESH = timedelta(seconds=20)


class Typing:
    """Keeps a place's typing mark up while anything works there.

    ``shower`` answers for a connector's kind, None for one that shows no typing.
    """

    def __init__(self, shower: Callable[[str], ShowsTyping | None]) -> None:
        self._shower = shower
        self._log = structlog.get_logger(part="typing")

    @contextlib.asynccontextmanager
    async def working(self, address: Address) -> AsyncIterator[None]:
        """Show typing in ``address`` until the context ends."""
        shower = self._shower(address.kind)
        if shower is None:
            yield
            return
        showing = asyncio.create_task(self._keep_fresh(shower, address))
        try:
            yield
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
            await self._show(shower, address, active=False)

    async def _keep_fresh(self, shower: ShowsTyping, address: Address) -> None:
        while True:
            await self._show(shower, address, active=True)
            await asyncio.sleep(_REFRESH.total_seconds())

    async def _show(self, shower: ShowsTyping, address: Address, *, active: bool) -> None:
        try:
            await shower.typing(address, active=active)
        except MosaicError as error:
            self._log.debug("typing not shown", place=str(address), error=error.message)
