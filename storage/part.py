"""The daemon's database part: a server, its pool and its schema, kept alive."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import structlog

from bot.errors import TransientError
from storage.database import Database, Hint, Target
from storage.migrate import migrate
from storage.server.embedded import EmbeddedServer

_CALM = 10.0  # seconds: a server that dies sooner died hastily,
_HASTY = 5  # and after so many times in a row the supervision's back-off shall decide


class DatabasePart:
    """Runs the embedded server in ``data``, or uses the server at ``database_url`` when that is given.

    While it is not ready, and between a crash and the recovery, users of ``database`` get
    TransientError. A crash is noticed at once and repaired here; when that fails, or happens again and
    again, ``run`` raises TransientError. ``hints`` hear their channels' notifications: what another host has
    stored is then seen at once, and by the poll when a hint was lost.
    """

    name = "database"

    def __init__(
        self,
        database: Database,
        data: Path,
        database_url: str | None = None,
        *,
        start_timeout: timedelta = timedelta(minutes=5),
        hints: Mapping[str, Hint] = MappingProxyType({}),
    ) -> None:
        self._database = database
        self._hints = hints
        self._url = database_url
        self._server = EmbeddedServer(data, start_timeout=start_timeout)
        self._log = structlog.get_logger(part=self.name)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Serve until cancelled (spec 5-real-parts, Embedded Postgres)."""
        try:
            async with AsyncExitStack() as stack:
                for channel, hint in self._hints.items():
                    await stack.enter_async_context(self._database.listen(channel, hint))
                if self._url is not None:
                    await self._use(Target(url=self._url), ready)
                else:
                    await self._serve(ready)
        finally:
            await self._database.close()
            await self._server.stop()

    async def _use(self, target: Target, ready: Callable[[str], None]) -> None:
        await self._open(target)
        ready(f"PostgreSQL {self._database.version}")
        await self._database.broken()
        raise TransientError("the connection to the database was lost")

    async def _open(self, target: Target) -> None:
        """Bring the tables up to date, and only then let others ask: until then there may be none."""
        unseen = Database(size=1)
        await unseen.open(target)
        try:
            await migrate(unseen)
        finally:
            await unseen.close()
        await self._database.open(target)

    async def _serve(self, ready: Callable[[str], None]) -> None:
        hasty = 0
        while hasty <= _HASTY:
            started = await self._server.start()
            await self._open(started.target)
            ready(str(started))
            since = time.monotonic()
            await self._lost()
            seconds = time.monotonic() - since
            self._log.warning("database_lost", after_seconds=round(seconds, 1))
            await self._database.close()
            hasty = hasty + 1 if seconds < _CALM else 0
        raise TransientError(f"the database was lost {hasty} times, each soon after its start")

    async def _lost(self) -> None:
        waits = [
            asyncio.create_task(self._database.broken()),
            asyncio.create_task(self._server.died()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
