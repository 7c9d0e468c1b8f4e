"""The bytes of files, in Postgres: every host of the fleet reaches them there, a piece at a time."""

from collections.abc import AsyncIterator

from bot.errors import UserError
from storage.database import Database
from storage.queries import Queries

PIECE = 256 * 1024
"""Bytes: what one statement carries, so that a file of any size takes so much memory and no more."""


class PostgresContents:
    """The port Contents."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("contents")

    async def keep(self, content_id: str, chunks: AsyncIterator[bytes]) -> int:
        """Store bytes; until the last one is stored, nobody finds any of them."""
        async with self._database.transaction() as connection:
            await self._queries.forget_content.execute(connection, id=content_id)
            await self._queries.begin_content.execute(connection, id=content_id)
        total = number = 0
        async for piece in _regular(chunks):
            async with self._database.connection() as connection:
                await self._queries.add_piece.execute(
                    connection, content_id=content_id, number=number, bytes=piece
                )
            total, number = total + len(piece), number + 1
        async with self._database.connection() as connection:
            await self._queries.end_content.execute(connection, id=content_id, bytes=total)
        return total

    async def read(self, content_id: str) -> AsyncIterator[bytes]:
        """Give a file's bytes; UserError ``gone`` when it is not kept, or was removed meanwhile."""
        async with self._database.connection() as connection:
            size = await self._queries.find_content.fetchval(connection, id=content_id)
        if size is None:
            raise _gone(content_id)
        for number in range(-(-size // PIECE)):
            async with self._database.connection() as connection:
                piece = await self._queries.find_piece.fetchval(
                    connection, content_id=content_id, number=number
                )
            if piece is None:
                raise _gone(content_id)
            yield piece


async def _regular(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Give bytes in pieces that are all of one size, but for the last one."""
    held = bytearray()
    async for chunk in chunks:
        held += chunk
        while len(held) >= PIECE:
            yield bytes(held[:PIECE])
            del held[:PIECE]
    if held:
        yield bytes(held)


def _gone(content_id: str) -> UserError:
    return UserError(f"the file's bytes {content_id} are not kept (any more)", code="gone")
