"""The backlog seen from above, in Postgres."""

from collections.abc import Sequence

from bot.backlog.cards import Card
from bot.backlog.overview import STATES, Excerpt, Glance, Lane, LaneKind
from storage.backlog.rows import CardRows, read_card
from storage.database import Database
from storage.queries import Queries


class PostgresOverview:
    """The port Overview."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("overview")
        self._rows = CardRows()

    async def lanes(self, by: LaneKind, per_lane: int) -> Sequence[Lane]:
        """Return the lanes that hold cards: by status in its order, by phase sorted, no phase last."""
        async with self._database.connection() as connection:
            rows = await self._queries.lanes.fetch(
                connection, by_phase=by is LaneKind.PHASE, per_lane=per_lane
            )
        cards: dict[str, list[Glance]] = {}
        totals: dict[str, int] = {}
        for row in rows:
            totals[row["lane"]] = row["lane_total"]
            cards.setdefault(row["lane"], []).append(
                Glance(read_card(row), tuple(row["waits_for"]), tuple(row["blocked_by"]))
            )
        names = STATES if by is LaneKind.STATUS else (*sorted(filter(None, cards)), "")
        return [Lane(name, totals[name], tuple(cards[name])) for name in names if name in cards]

    async def around(self, card_id: str, depth: int, limit: int) -> Excerpt:
        """Return a card with those up to ``depth`` steps away in either direction; UserError when unknown."""
        async with self._database.transaction() as connection:
            await self._rows.find(connection, card_id)
            found = await self._queries.near.fetch(connection, card_id=card_id, depth=depth + 1)
            ids = [row["id"] for row in found if row["steps"] <= depth][:limit]
            cards = await self._cards(connection, ids)
        return Excerpt(cards, len(found) - len(ids))

    async def whole(self, limit: int) -> Excerpt:
        """Return the first cards of all, open ones before finished ones."""
        async with self._database.connection() as connection:
            rows = await self._queries.first_cards.fetch(connection, row_limit=limit)
        total = rows[0]["total"] if rows else 0
        return Excerpt(tuple(read_card(row) for row in rows), total - len(rows))

    async def _cards(self, connection: object, ids: list[str]) -> tuple[Card, ...]:
        rows = await self._queries.find_cards.fetch(connection, ids=ids)
        return tuple(read_card(row) for row in rows)
