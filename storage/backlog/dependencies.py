"""Cards as a graph without cycles, in Postgres; and cards that a person holds back."""

from bot.backlog.cards import Card, CardStatus
from bot.errors import UserError
from bot.model import Caller
from storage.backlog.edges import Edges
from storage.backlog.limits import within_limits
from storage.backlog.rows import CardRows, holder
from storage.database import Database


class PostgresDependencies:
    """The port Dependencies. What is already as asked for is left alone and leaves no trace."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = CardRows()
        self._edges = Edges()

    async def link(self, from_id: str, to_id: str, by: Caller) -> Card:
        """Make ``from_id`` wait for ``to_id``; UserError for unknown ids, itself, and a cycle, by name."""
        async with self._database.transaction() as connection:
            await self._edges.hold(connection)
            before = await self._rows.hold(connection, from_id, "from")
            if to_id in before.depends_on:
                return before
            await self._edges.change(connection, from_id, add=[to_id], field="to")
            return await self._rows.settle(connection, before, from_id, by, "link")

    async def unlink(self, from_id: str, to_id: str, by: Caller) -> Card:
        """Let ``from_id`` wait for ``to_id`` no longer; UserError for unknown ids."""
        async with self._database.transaction() as connection:
            await self._edges.hold(connection)
            before = await self._rows.hold(connection, from_id, "from")
            if to_id not in before.depends_on:
                await self._rows.find(connection, to_id, "to")
                return before
            await self._edges.change(connection, from_id, remove=[to_id])
            return await self._rows.settle(connection, before, from_id, by, "unlink")

    async def block(self, card_id: str, reason: str | None, by: Caller) -> Card:
        """Hold a card back, which ends its claim; UserError when it is done.

        A blocked card takes the new reason, if one is given.
        """
        with within_limits({"block_reason": reason}):
            async with self._database.transaction() as connection:
                before = await self._rows.hold(connection, card_id)
                if before.status is CardStatus.DONE:
                    raise _wrong_status(before, "blocked", "ready, claimed or blocked")
                if before.status is CardStatus.BLOCKED and reason in {None, before.block_reason}:
                    return before
                await self._rows.move(connection, card_id, CardStatus.BLOCKED, reason)
                return await self._rows.settle(connection, before, card_id, by, "block")

    async def unblock(self, card_id: str, by: Caller, reason: str | None = None) -> Card:
        """Make a blocked card ready; UserError when it is claimed or done. History keeps the reason."""
        async with self._database.transaction() as connection:
            before = await self._rows.hold(connection, card_id)
            if before.status is CardStatus.READY:
                return before
            if before.status is not CardStatus.BLOCKED:
                raise _wrong_status(before, "unblocked", "blocked")
            await self._rows.move(connection, card_id, CardStatus.READY)
            return await self._rows.settle(
                connection, before, card_id, by, "unblock", reason=reason
            )


def _wrong_status(card: Card, wanted: str, allowed: str) -> UserError:
    return UserError(
        f"status: {card.id} cannot be {wanted}, since {holder(card)}; allowed from {allowed}",
        code="wrong_status",
    )
