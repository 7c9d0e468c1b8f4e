"""What people ask of the backlog, in Postgres."""

from collections.abc import Sequence

from bot.backlog.cards import Card, CardStatus
from bot.backlog.inquiry import Situation
from storage.backlog.rows import CardRows, read_card
from storage.database import Connection, Database
from storage.queries import Queries


class PostgresInquiry:
    """The port Inquiry."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("inquiry")
        self._rows = CardRows()

    async def situation(self, card_id: str) -> Situation:
        """Return a card with what explains where it stands; UserError when it is unknown."""
        async with self._database.transaction() as connection:
            card = await self._rows.find(connection, card_id)
            rows = await self._queries.open_below.fetch(connection, card_id=card_id)
            below = [read_card(row) for row in rows]
            moved = await self._queries.last_move.fetchrow(connection, card_id=card_id)
            return Situation(
                card=card,
                waits_for=tuple(
                    read_card(row) for row in rows if row["direct_position"] is not None
                ),
                roots=tuple(one for one in below if one.unmet_deps == 0),
                ahead=await self._ahead(connection, card),
                since=None if moved is None else moved["at"],
                who=None if moved is None else moved["actor"],
            )

    async def search(self, text: str, limit: int) -> Sequence[Card]:
        """Return cards that hold every word of a text in id, title or body, whatever its case; best first."""
        words = text.lower().split()
        async with self._database.connection() as connection:
            rows = await self._queries.search_cards.fetch(connection, words=words, row_limit=limit)
        return [read_card(row) for row in rows]

    async def _ahead(self, connection: Connection, card: Card) -> int:
        if card.status is not CardStatus.READY:
            return 0
        count: int = await self._queries.count_ahead.fetchval(
            connection, priority=card.priority, created_at=card.created_at, card_id=card.id
        )
        return count
