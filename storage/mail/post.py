"""Mail between agents, from Postgres."""

from collections.abc import Sequence
from datetime import timedelta

from bot.mail.post import Item
from bot.model import Message, ReceiptState
from storage.database import Database
from storage.mail.letters import read_message
from storage.queries import Queries


class PostgresPost:
    """The port Post."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("post")

    async def inbox(self, reader: str, place: str, limit: int) -> Sequence[Item]:
        """Return what waits for a reader, oldest first."""
        async with self._database.connection() as connection:
            rows = await self._queries.list_inbox.fetch(
                connection, place=place, author=reader, count=limit
            )
        return [
            Item(
                read_message(row),
                ReceiptState(row["standing"]),
                row["answer"],
                row["stored_at"],
                row["reason"],
            )
            for row in rows
        ]

    async def acknowledge(self, message_id: str, reader: str) -> None:
        """Put a message out of a reader's inbox; repeatable."""
        async with self._database.connection() as connection:
            await self._queries.acknowledge.execute(
                connection, message_id=message_id, principal_id=reader
            )

    async def cause(self, place: str, quiet: timedelta) -> Message | None:
        """Return the mail that an agent is working on, or whose turn ended less than ``quiet`` ago."""
        async with self._database.connection() as connection:
            rows = await self._queries.find_cause.fetch(connection, place=place, quiet=quiet)
        return read_message(rows[0]) if rows else None

    async def between(self, one: str, other: str, within: timedelta) -> int:
        """Return how many messages two agents (``HOST/NAME``) wrote to each other within that time."""
        async with self._database.connection() as connection:
            count = await self._queries.count_between.fetchval(
                connection,
                author=f"agent:{one}",
                place=other,
                other_author=f"agent:{other}",
                other_place=one,
                within=within,
            )
        return int(count)

    async def attempts(self, message_id: str) -> int:
        """Return how often its delivery was tried."""
        async with self._database.connection() as connection:
            count = await self._queries.count_attempts.fetchval(connection, message_id=message_id)
        return int(count)
