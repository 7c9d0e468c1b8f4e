"""The port Tenure in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.errors import SetupError


class MemoryTenure:
    """One holder of a name among those who share the object. ``break_off`` is what a lost connection is."""

    def __init__(self) -> None:
        self._held: dict[str, asyncio.Event] = {}

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[asyncio.Event]:
        if name in self._held:
            raise SetupError("another process on this database is this bot already")
        lost = self._held[name] = asyncio.Event()
        try:
            yield lost
        finally:
            if self._held.get(name) is lost:
                del self._held[name]

    async def break_off(self) -> None:
        held, self._held = self._held, {}
        for lost in held.values():
            lost.set()
