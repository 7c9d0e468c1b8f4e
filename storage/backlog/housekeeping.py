"""What keeps claims cheap over the years, in Postgres: old cards put away, old snapshots found."""

from collections.abc import Sequence
from datetime import timedelta

from bot.backlog.cards import OldTransaction
from bot.model import Caller
from storage.backlog.rows import CardRows
from storage.database import APPLICATION, Database
from storage.queries import Queries

_BATCH = 1000


class PostgresHousekeeping:
    """The port Housekeeping."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("keeping")
        self._rows = CardRows()

    async def archive_finished(self, age: timedelta, by: Caller) -> int:
        """Archive cards that are done and untouched for so long; return how many."""
        count = 0
        while True:
            async with self._database.transaction() as connection:
                rows = await self._queries.archive_finished.fetch(
                    connection, age=age, row_limit=_BATCH
                )
                ids = [row["id"] for row in rows]
                details = [{"archived": {"from": False, "to": True}} for _ in ids]
                await self._rows.note_all(connection, ids, details, by, "archive")
            count += len(ids)
            if len(ids) < _BATCH:
                return count

    async def old_transactions(self, age: timedelta) -> Sequence[OldTransaction]:
        """Return transactions on our database that have lasted longer, the oldest first."""
        async with self._database.connection() as connection:
            rows = await self._queries.old_transactions.fetch(connection, age=age)
        return [
            OldTransaction(
                pid=row["pid"],
                program=row["application_name"] or "",
                user=row["user_name"] or "",
                state=row["state"] or "",
                age=timedelta(seconds=row["seconds"]),
                ours=row["application_name"] == APPLICATION,
            )
            for row in rows
        ]

    async def end(self, transaction: OldTransaction) -> bool:
        """End a session; false when it had ended already or is not ours to end."""
        async with self._database.connection() as connection:
            ended = await self._queries.end_session.fetchval(connection, pid=transaction.pid)
        return bool(ended)
