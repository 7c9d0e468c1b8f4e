"""Cards put away, removed and taken back, in Postgres."""

from collections.abc import Sequence

from bot.backlog.cards import Card, CardStatus
from bot.backlog.undo import in_use, last_change, undone
from bot.errors import UserError
from bot.model import Caller
from storage.backlog.edges import Edges
from storage.backlog.rows import CardRows, difference, holder, writable
from storage.database import Connection, Database
from storage.queries import Queries


class PostgresKeeping:
    """The port Keeping."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("keeping")
        self._cards = Queries.load("cards")
        self._claims = Queries.load("claims")
        self._rows = CardRows()
        self._edges = Edges()

    async def archive(self, card_id: str, by: Caller) -> Card:
        """Put a done card away; UserError for any other. One that is away already stays as it is."""
        async with self._database.transaction() as connection:
            before = await self._rows.hold(connection, card_id)
            if before.status is not CardStatus.DONE:
                raise UserError(
                    f"status: {card_id} cannot be archived, since {holder(before)}; allowed: done",
                    code="wrong_status",
                )
            if before.archived:
                return before
            await self._queries.archive_card.execute(connection, card_id=card_id, archived=True)
            return await self._rows.settle(connection, before, card_id, by, "archive")

    async def delete(self, card_id: str, by: Caller) -> Card:
        """Remove a card for good; UserError while it is claimed or anything depends on it, by name."""
        async with self._database.transaction() as connection:
            await self._edges.hold(connection)
            before = await self._rows.hold(connection, card_id)
            rows = await self._queries.find_waiting.fetch(connection, card_id=card_id)
            refuse_deletion(before, [row["id"] for row in rows])
            detail = {
                name: {"from": change["to"], "to": None}
                for name, change in difference(None, before).items()
            }
            await self._rows.note_all(connection, [card_id], [detail], by, "delete")
            await self._queries.delete_card.execute(connection, card_id=card_id)
            return before

    async def undo(self, card_id: str, by: Caller) -> Card:
        """Take back a card's last change; UserError when that cannot be had back, and why."""
        async with self._database.transaction() as connection:
            await self._edges.hold(connection)
            before = await self._rows.hold(connection, card_id)
            event = last_change(card_id, await self._rows.history(connection, card_id))
            wanted = undone(before, event)
            await self._apply(connection, before, wanted)
            return await self._rows.settle(
                connection, before, card_id, by, "undo", reason=f"undoes {event.action}"
            )

    async def _apply(self, connection: Connection, before: Card, wanted: Card) -> None:
        """Make a card as wanted, under hold_graph."""
        add = [one for one in wanted.depends_on if one not in before.depends_on]
        remove = [one for one in before.depends_on if one not in wanted.depends_on]
        if wanted.status is not before.status:
            await self._move(connection, before, wanted)
        elif wanted.block_reason != before.block_reason:
            await self._rows.move(connection, before.id, wanted.status, wanted.block_reason)
        if add or remove:
            await self._edges.change(connection, before.id, add=add, remove=remove)
        if wanted.archived != before.archived:
            await self._queries.archive_card.execute(
                connection, card_id=before.id, archived=wanted.archived
            )
        await self._cards.write_card.execute(connection, **writable(wanted))

    async def _move(self, connection: Connection, before: Card, wanted: Card) -> None:
        if before.status is CardStatus.DONE:
            rows = await self._queries.hold_dependents.fetch(connection, card_id=before.id)
            begun = [row["id"] for row in rows if row["status"] in {"claimed", "done"}]
            if begun:
                raise in_use(before.id, begun)
            await self._queries.burden_dependents.execute(connection, card_id=before.id)
        await self._rows.move(connection, before.id, wanted.status, wanted.block_reason)
        if wanted.status is CardStatus.DONE:
            await self._claims.release_dependents.execute(connection, card_id=before.id)


def refuse_deletion(card: Card, dependents: Sequence[str]) -> None:
    """Raise UserError when a card cannot be removed."""
    if card.status is CardStatus.CLAIMED:
        raise UserError(f"{holder(card)}", code="wrong_status", hint="`backlog reclaim` ends it")
    if dependents:
        raise UserError(
            f"{card.id} cannot be deleted: {', '.join(dependents)} depend on it",
            code="in_use",
            hint="`backlog unlink` them first, or archive the card once it is done",
        )
