"""Acceptance criteria that are met one by one, in Postgres."""

from dataclasses import replace

from bot.backlog.cards import Card
from bot.backlog.checklist import tick
from bot.model import Caller
from storage.backlog.rows import CardRows, writable
from storage.database import Database
from storage.queries import Queries


class PostgresChecklists:
    """The port Checklists."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cards = Queries.load("cards")
        self._rows = CardRows()

    async def tick(self, card_id: str, number: int, by: Caller, *, done: bool) -> Card:
        """Mark one item, counted from 1, as met or open; UserError for a card without a checklist."""
        async with self._database.transaction() as connection:
            before = await self._rows.hold(connection, card_id)
            acceptance = tick(before, number, done=done)
            if acceptance == before.acceptance:
                return before
            wanted = replace(before, acceptance=acceptance)
            await self._cards.write_card.execute(connection, **writable(wanted))
            return await self._rows.settle(connection, before, card_id, by, "check")
