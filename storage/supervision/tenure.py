"""What there may be only one of over all daemons of a database: an advisory lock, which goes with its holder's connection."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.errors import SetupError, TransientError
from storage.database import Connection, Database
from storage.queries import Queries


class PostgresTenure:
    """The port Tenure. When a holder is killed, the server frees its lock at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("supervision")

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[asyncio.Event]:
        """Hold a name until the block's end, whatever ends it."""
        lock = _lock_of(name)
        async with self._database.connection() as connection:
            if not await self._queries.try_lead.fetchval(connection, lock=lock):
                raise SetupError(
                    "another process on this database is this bot already",
                    hint="stop the other one; this one tries again by itself",
                )
            lost = asyncio.Event()

            def note_loss(_connection: Connection) -> None:
                lost.set()

            connection.add_termination_listener(note_loss)
            try:
                yield lost
            finally:
                if not lost.is_set():  # or the connection went, and the lock with it
                    connection.remove_termination_listener(note_loss)
                    await self._let_go(connection, lock)

    async def _let_go(self, connection: Connection, lock: int) -> None:
        try:
            await self._queries.stop_leading.execute(connection, lock=lock)
        except (OSError, TransientError):
            connection.terminate()


def _lock_of(name: str) -> int:
    """Return the number under which a name is locked: 64 bits, as Postgres has them."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
