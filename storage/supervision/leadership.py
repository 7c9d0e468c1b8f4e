"""One leader over all daemons of a database: an advisory lock, which goes with its holder's connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from bot.errors import TransientError
from storage.database import Connection, Database
from storage.queries import Queries

_LOCK = 0x6D6F736C656164  # "moslead"


class _Held:
    """The right to lead, good for as long as its connection is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def holds(self) -> bool:
        """Whether the connection that has the lock is still there."""
        return not self._connection.is_closed()


class PostgresLeadership:
    """The port Leadership. When a leader is killed, the server frees its lock at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("supervision")

    @asynccontextmanager
    async def lead(self, host: str) -> AsyncIterator[_Held | None]:
        """Try to lead; the lock is let go at the block's end, whatever ends it."""
        async with self._database.connection() as connection:
            if not await self._queries.try_lead.fetchval(connection, lock=_LOCK):
                yield None
                return
            try:
                await self._queries.note_leader.execute(connection, host=host)
                yield _Held(connection)
            finally:
                await self._let_go(connection)

    async def _let_go(self, connection: Connection) -> None:
        if connection.is_closed():
            return
        try:
            await self._queries.stop_leading.execute(connection, lock=_LOCK)
        except (OSError, TransientError):
            connection.terminate()

    async def leader(self) -> tuple[str, datetime] | None:
        """Return who led last, and since when."""
        async with self._database.connection() as connection:
            row = await self._queries.find_leader.fetchrow(connection)
        return None if row is None else (row["host"], row["since"])

    async def nudge(self) -> None:
        """Ask whoever leads for a tick now."""
        async with self._database.connection() as connection:
            await self._queries.ask_for_tick.fetchval(connection)
