"""Showing that work is going on: a typing mark that is kept fresh, and lost without harm."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import structlog

from bot.errors import MosaicError
from bot.model import Address
from bot.ports import ShowsTyping

_REFRESH = timedelta(seconds=20)


class Typing:
    """Keeps a place's typing mark up while anything works there; threads share their room's, as people see it.

    ``shower`` answers for a connector's kind, None for one that shows no typing.
    """

    def __init__(
        self, shower: Callable[[str], ShowsTyping | None], *, refresh: timedelta = _REFRESH
    ) -> None:
        self._shower = shower
        self._refresh = refresh
        self._works: Counter[str] = Counter()
        self._showing: dict[str, asyncio.Task[None]] = {}
        self._log = structlog.get_logger(part="typing")

    @contextlib.asynccontextmanager
    async def working(self, address: Address) -> AsyncIterator[None]:
        """Show typing in ``address`` until the context ends, and everybody else's there."""
        shower = self._shower(address.kind)
        if shower is None:
            yield
            return
        self._works[address.lane] += 1
        if address.lane not in self._showing:
            task = asyncio.create_task(self._keep_fresh(shower, address))
            self._showing[address.lane] = task
        try:
            yield
        finally:
            self._works[address.lane] -= 1
            if not self._works[address.lane]:
                await self._end(shower, address)

    async def _end(self, shower: ShowsTyping, address: Address) -> None:
        del self._works[address.lane]
        showing = self._showing.pop(address.lane)
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
        if not self._works[address.lane]:  # nobody began meanwhile
            await self._show(shower, address, active=False)

    async def _keep_fresh(self, shower: ShowsTyping, address: Address) -> None:
        while True:
            await self._show(shower, address, active=True)
            await asyncio.sleep(self._refresh.total_seconds())

    async def _show(self, shower: ShowsTyping, address: Address, *, active: bool) -> None:
        try:
            await shower.typing(address, active=active)
        except MosaicError as error:
            self._log.debug("typing not shown", place=str(address), error=error.message)
