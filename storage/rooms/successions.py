"""Places that took over from others, in Postgres."""

from collections.abc import Mapping

from bot.model import Address
from storage.database import Database
from storage.queries import Queries, storable


class PostgresSuccessions:
    """The port Successions. Both methods may be repeated after a TransientError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("successions")

    async def note(self, old: Address, new: Address) -> None:
        """Keep that ``new`` took over from ``old``."""
        async with self._database.connection() as connection:
            await self._queries.note_succession.execute(
                connection,
                kind=old.kind,
                old_place=storable(old.place),
                new_place=storable(new.place),
            )

    async def known(self, kind: str) -> Mapping[str, str]:
        """Return which place took over from which."""
        async with self._database.connection() as connection:
            rows = await self._queries.list_successions.fetch(connection, kind=kind)
        return {row["old_place"]: row["new_place"] for row in rows}
