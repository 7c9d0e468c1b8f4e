"""The counters of unmet dependencies, compared with the edges, in Postgres."""

from collections.abc import Sequence

from bot.backlog.cards import Drift
from bot.model import Caller
from storage.backlog.edges import Edges
from storage.backlog.rows import CardRows
from storage.database import Database
from storage.queries import Queries


class PostgresRecount:
    """The port Recount. It reads everything once without a lock, and locks only what looks wrong."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("keeping")
        self._rows = CardRows()
        self._edges = Edges()

    async def recount(self, by: Caller) -> Sequence[Drift]:
        """Set every wrong counter right and return what was wrong; each leaves a line in its card's history."""
        async with self._database.connection() as connection:
            rows = await self._queries.find_drift.fetch(connection)
        suspects = [Drift(row["id"], row["stored"], row["counted"]) for row in rows]
        return [drift for drift in suspects if await self._mend(drift, by)]

    async def _mend(self, drift: Drift, by: Caller) -> bool:
        async with self._database.transaction() as connection:
            await self._edges.hold(connection)
            changed = await self._queries.set_unmet.fetchval(connection, card_id=drift.card_id)
            if changed is None:
                return False
            detail = {"unmet_deps": {"from": drift.stored, "to": drift.counted}}
            await self._rows.note_all(connection, [drift.card_id], [detail], by, "recount")
            return True
