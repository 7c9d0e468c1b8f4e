"""Many may pass together, or one alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """Keeps apart what may go on at the same time from what must be alone.

    Who wants to be alone waits until all have passed, and whoever comes meanwhile waits for it: so it waits for those
    only that were before it.
    """

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._passing = 0
        self._closed = False

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Pass with all others that pass."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._closed)
            self._passing += 1
        try:
            yield
        finally:
            self._passing -= 1
            await self._tell()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Be alone until the block ends; one after the other."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._closed)
            self._closed = True
        try:
            async with self._changed:
                await self._changed.wait_for(lambda: not self._passing)
            yield
        finally:
            self._closed = False
            await self._tell()

    async def _tell(self) -> None:
        """Wake whoever waits, even when we are being cancelled."""
        await asyncio.shield(self._notify())

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
