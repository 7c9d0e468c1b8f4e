"""The queue of what we say, in Postgres."""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg

from bot.errors import PausedError, UserError
from bot.model import Delivery, Letter, Receipt, ReceiptState
from bot.supervision.pause import SUPERVISOR
from storage.database import Database
from storage.mail.letters import read_delivery, receipt_values, store_letters
from storage.pauses import read_pause
from storage.queries import Queries

_AGAIN = timedelta(seconds=1)


class PostgresOutbox:
    """The port Outbox.

    Every method is one step and may be repeated after a TransientError: ``store`` and ``settle`` then
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
                connection, carriers=list(carriers), owner=owner, lease=lease, worker=SUPERVISOR.id
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

    async def postpone(
        self, delivery: Delivery, wait: timedelta, reason: str, *, anew: bool = False
    ) -> None:
        """Give a delivery back; without effect when its lease has passed to another."""
        async with self._database.connection() as connection:
            await self._mailbox.postpone_delivery.execute(
                connection,
                id=delivery.id,
                attempts=delivery.attempts,
                wait=wait,
                reason=reason,
                anew=anew,
            )

    async def record(self, receipt: Receipt) -> None:
        """Add a receipt; UserError when there is no such message.

        TYPED is the permit to type: see the port.
        """
        if receipt.state is ReceiptState.TYPED:
            await self._permit(receipt)
            return
        try:
            async with self._database.connection() as connection:
                await self._mailbox.record_receipt.execute(connection, **receipt_values(receipt))
        except asyncpg.ForeignKeyViolationError as error:
            raise _unknown(receipt.message_id) from error

    async def _permit(self, receipt: Receipt) -> None:
        async with self._database.connection() as connection:
            row = await self._mailbox.permit_typing.fetchrow(
                connection, worker=SUPERVISOR.id, **receipt_values(receipt)
            )
        if row is None:
            raise _unknown(receipt.message_id)
        if row["delivery_state"] != "due":
            raise UserError(
                f"message {receipt.message_id} was taken back or ended meanwhile", code="withdrawn"
            )
        if row["by_id"] is not None:
            raise PausedError(read_pause(row).notice(), retry_after=_AGAIN)

    async def withdraw(self, message_id: str, reason: str) -> bool:
        """Take mail back that was not typed yet; false when it may have been, or has ended."""
        async with self._database.transaction() as connection:
            await self._mailbox.hold_mail.execute(connection, message_id=message_id)
            ended = await self._mailbox.withdraw_mail.fetchval(
                connection, message_id=message_id, reason=f"withdrawn: {reason}"
            )
        return ended is not None

    async def shown(self, kind: str, platform_ids: Sequence[str]) -> frozenset[str]:
        """Return those of a platform's ids that a settled delivery has."""
        async with self._database.connection() as connection:
            rows = await self._mailbox.find_shown.fetch(
                connection, kind=kind, platform_ids=list(platform_ids)
            )
        return frozenset(row["platform_id"] for row in rows)


def _unknown(message_id: str) -> UserError:
    return UserError(f"there is no message {message_id}")
