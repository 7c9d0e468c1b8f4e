"""What became of the backlog in a time, from Postgres."""

from datetime import datetime

from bot.backlog.activity import Tally
from storage.database import Database
from storage.queries import Queries


class PostgresActivity:
    """The port Activity."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("activity")

    async def since(self, moment: datetime) -> Tally:
        """Return what happened since a moment."""
        async with self._database.connection() as connection:
            row = await self._queries.tally.fetchrow(connection, since=moment)
        return Tally(**row)
