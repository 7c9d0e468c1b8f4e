"""What people ask of messages, from Postgres."""

from collections.abc import Sequence

from bot.errors import UserError
from bot.model import Delivery, Message, Receipt, ReceiptState
from storage.database import Database
from storage.mail.letters import read_delivery, read_message, read_receipt
from storage.queries import Queries


class PostgresCorrespondence:
    """The port Correspondence."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("correspondence")

    async def message(self, id_prefix: str) -> Message | None:
        """Return the one message whose id is this or begins so; UserError when several do."""
        async with self._database.connection() as connection:
            rows = await self._queries.find_messages.fetch(connection, prefix=id_prefix)
        if len(rows) > 1 and rows[0]["id"] != id_prefix:
            raise UserError(
                f"several messages begin with {id_prefix!r}", hint="give more of the id"
            )
        return read_message(rows[0]) if rows else None

    async def receipts(self, message_id: str) -> Sequence[Receipt]:
        """Return a message's receipts, oldest first; none for an unknown id."""
        async with self._database.connection() as connection:
            rows = await self._queries.list_receipts.fetch(connection, message_id=message_id)
        return [read_receipt(row) for row in rows]

    async def dead(self, limit: int) -> Sequence[tuple[Delivery, str]]:
        """Return at most ``limit`` given-up deliveries with the reason, newest first."""
        async with self._database.connection() as connection:
            rows = await self._queries.list_dead.fetch(connection, count=limit)
        return [(read_delivery(row), row["reason"]) for row in rows]

    async def retry(self, message_id: str) -> int:
        """Put dead deliveries back in line, at their old place; their receipts say so."""
        async with self._database.connection() as connection:
            count = await self._queries.retry_dead.fetchval(connection, message_id=message_id)
        return int(count)

    async def unanswered(self, carrier: str) -> Sequence[tuple[Message, ReceiptState]]:
        """Return mail that an agent has, with its newest state, oldest first.

        That is mail with a receipt ``typed`` or ``accepted`` since its last ``failed``, and no answer.
        """
        async with self._database.connection() as connection:
            rows = await self._queries.list_unanswered.fetch(connection, carrier=carrier)
        return [(read_message(row), ReceiptState(row["standing"])) for row in rows]
