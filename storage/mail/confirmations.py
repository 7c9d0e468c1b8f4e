"""Commands that wait for a yes, in Postgres."""

from datetime import timedelta

from bot.asked import Kept
from storage.database import Database
from storage.queries import Queries


class PostgresConfirmations:
    """The port Confirmations. Lifetimes are measured by the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("confirmations")

    async def ask(
        self,
        code: str,
        principal_id: str,
        line: str,
        lifetime: timedelta,
        preview_id: str | None = None,
    ) -> None:
        """Keep a line under a code for a person; the same code again replaces it."""
        async with self._database.connection() as connection:
            await self._queries.ask.execute(
                connection,
                principal_id=principal_id,
                code=code,
                line=line,
                lifetime=lifetime,
                preview_id=preview_id,
            )

    async def take(self, code: str, principal_id: str) -> Kept | None:
        """Return and forget the line; None when it is unknown, taken, another's or long expired."""
        async with self._database.connection() as connection:
            row = await self._queries.take.fetchrow(
                connection, principal_id=principal_id, code=code
            )
        if row is None:
            return None
        return Kept(row["line"], expired=row["expired"], preview_id=row["preview_id"])
