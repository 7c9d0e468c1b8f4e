"""One leader over all daemons of a database: whoever holds the lock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from storage.database import Database
from storage.queries import Queries
from storage.session_lock import SessionLock, session_lock

_LOCK = 0x6D6F736C656164  # "moslead"


class _Held:
    """The right to lead, good for as long as its lock is."""

    def __init__(self, lock: SessionLock) -> None:
        self._lock = lock

    async def holds(self) -> bool:
        """Whether the lock is not lost."""
        return not self._lock.lost.is_set()


class PostgresLeadership:
    """The port Leadership. When a leader is killed, the server frees its lock at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("supervision")

    @asynccontextmanager
    async def lead(self, host: str) -> AsyncIterator[_Held | None]:
        """Try to lead; the lock is let go at the block's end, whatever ends it."""
        async with session_lock(self._database, _LOCK) as lock:
            if lock is None:
                yield None
                return
            await self._queries.note_leader.execute(lock.connection, host=host)
            yield _Held(lock)

    async def leader(self) -> tuple[str, datetime] | None:
        """Return who led last, and since when."""
        async with self._database.connection() as connection:
            row = await self._queries.find_leader.fetchrow(connection)
        return None if row is None else (row["host"], row["since"])

    async def nudge(self) -> None:
        """Ask whoever leads for a tick now."""
        async with self._database.connection() as connection:
            await self._queries.ask_for_tick.fetchval(connection)
