"""What there may be only one of over all daemons of a database: whoever holds the lock of its name."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.errors import SetupError
from storage.database import Database
from storage.session_lock import session_lock


class PostgresTenure:
    """The port Tenure. When a holder is killed, the server frees its lock at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[asyncio.Event]:
        """Hold a name until the block's end, whatever ends it."""
        async with session_lock(self._database, _number_of(name)) as lock:
            if lock is None:
                raise SetupError(
                    "another process on this database is this bot already",
                    hint="stop the other one; this one tries again by itself",
                )
            yield lock.lost


def _number_of(name: str) -> int:
    """Return the number under which a name is locked: 64 bits, as Postgres has them."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
