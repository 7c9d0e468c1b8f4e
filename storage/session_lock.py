"""A lock over all daemons of a database, which goes with its holder's connection, however that ends.

Source: PostgreSQL documentation, "Advisory Locks" (session level).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from storage.database import Connection, Database
from storage.queries import Queries


@dataclass(frozen=True, slots=True)
class SessionLock:
    """A lock that is held; ``lost`` is set when its connection has ended, and somebody else may hold it."""

    connection: Connection
    lost: asyncio.Event


@asynccontextmanager
async def session_lock(database: Database, number: int) -> AsyncIterator[SessionLock | None]:
    """Lend a lock, None when somebody else has it; it is let go at the block's end.

    When a holder is killed, the server frees its lock at once. ``number`` has 64 bits, with its sign.
    """
    queries = Queries.load("locks")
    async with database.connection() as connection:
        if not await _take(queries, connection, number):
            yield None
            return
        lost = asyncio.Event()

        def note_loss(_connection: Connection) -> None:
            lost.set()

        connection.add_termination_listener(note_loss)
        try:
            yield SessionLock(connection, lost)
        finally:
            if not lost.is_set():
                connection.remove_termination_listener(note_loss)
                await _let_go(queries, connection, number)


async def _take(queries: Queries, connection: Connection, number: int) -> bool:
    try:
        return bool(await queries.try_lock.fetchval(connection, number=number))
    except BaseException:  # cut short, it may be ours already: the pool would keep it
        connection.terminate()
        raise


async def _let_go(queries: Queries, connection: Connection, number: int) -> None:
    try:
        await queries.unlock.execute(connection, number=number)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()
    except BaseException:  # as above
        connection.terminate()
        raise
