"""The queue of what we say, in Postgres."""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg

from bot.errors import UserError
from bot.model import Delivery, Letter, Receipt
from storage.database import Database
from storage.letters import read_delivery, receipt_values, store_letters
from storage.queries import Queries


class PostgresOutbox:
    """The port Outbox.

    Every method is one statement and may be repeated after a TransientError: ``store`` and ``settle`` then
    change nothing twice, ``claim`` leases what the lost answer leased once its lease has run out,
    ``record`` may leave a second, equal receipt. Storing notifies the channel ``outbox`` with the carrier.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._mailbox = Queries.load("mailbox")

    async def store(self, letters: Sequence[Letter]) -> None:
        """Store letters in order; ValueError for one without parts."""
        async with self._database.connection() as connection:
            await store_letters(connection, self._mailbox, letters)

    async def claim(
        self, carriers: Sequence[str], owner: str, lease: timedelta
    ) -> Sequence[Delivery]:
        """Lease the due heads of lanes, oldest first; a head that waits or is leased holds its lane."""
        async with self._database.connection() as connection:
            rows = await self._mailbox.claim_heads.fetch(
                connection, carriers=list(carriers), owner=owner, lease=lease
            )
        return sorted(map(read_delivery, rows), key=lambda delivery: delivery.id)

    async def settle(self, delivery: Delivery, receipt: Receipt, platform_id: str | None) -> None:
        """End a delivery; one that has ended stays as it is, receipts and all.

        A failure is heard only from the last lease's holder: another may be about to succeed.
        """
        async with self._database.connection() as connection:
            await self._mailbox.settle_delivery.execute(
                connection,
                id=delivery.id,
                attempts=delivery.attempts,
                platform_id=platform_id,
                **receipt_values(receipt),
            )

    async def postpone(self, delivery: Delivery, wait: timedelta, reason: str) -> None:
        """Give a delivery back; without effect when its lease has passed to another."""
        async with self._database.connection() as connection:
            await self._mailbox.postpone_delivery.execute(
                connection, id=delivery.id, attempts=delivery.attempts, wait=wait, reason=reason
            )

    async def record(self, receipt: Receipt) -> None:
        """Add a receipt; UserError when there is no such message."""
        try:
            async with self._database.connection() as connection:
                await self._mailbox.record_receipt.execute(connection, **receipt_values(receipt))
        except asyncpg.ForeignKeyViolationError as error:
            raise UserError(f"there is no message {receipt.message_id}") from error
