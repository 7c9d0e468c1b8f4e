"""Threads that we make for cards, in Postgres."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from bot.backlog.cards import Card, CardStatus
from bot.backlog.kept_threads import KeptThread, ThreadLook
from bot.model import Address
from storage.backlog.rows import read_card
from storage.database import Database
from storage.queries import Queries


class PostgresThreadBook:
    """The port ThreadBook."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("kept_threads")

    async def open(self, kind: str) -> None:
        """Begin at the end of history, unless it was begun before."""
        async with self._database.connection() as connection:
            await self._queries.open_position.execute(connection, connector=kind)

    async def wanted(self, kind: str, *, at_creation: bool, most: int) -> Sequence[Card]:
        """Return cards that should get a thread."""
        async with self._database.connection() as connection:
            rows = await self._queries.cards_without_thread.fetch(
                connection, connector=kind, at_creation=at_creation, most=most
            )
        return [read_card(row) for row in rows]

    async def begin(self, card: Card, place: Address, message_id: str) -> None:
        """Begin a thread, unless the card has one in the making there."""
        async with self._database.connection() as connection:
            await self._queries.begin_thread.execute(
                connection,
                message_id=message_id,
                card_id=card.id,
                card_made_at=card.created_at,
                connector=place.kind,
                place=place.place,
            )

    async def due(self, kind: str, most: int) -> Sequence[tuple[KeptThread, Card | None]]:
        """Return what is due, the longest first."""
        async with self._database.connection() as connection:
            rows = await self._queries.threads_due.fetch(connection, connector=kind, most=most)
        return [(_read(kind, row), None if row["id"] is None else read_card(row)) for row in rows]

    async def keep(self, kept: KeptThread, card: Card | None, again: timedelta | None) -> None:
        """Write a thread down."""
        look = kept.look
        async with self._database.connection() as connection:
            await self._queries.keep_thread.execute(
                connection,
                message_id=kept.message_id,
                thread=kept.place.thread,
                wording=kept.wording,
                edited_at=kept.edited_at,
                shown_title=None if look is None else look.title,
                shown_status=None if look is None else look.status,
                shown_archived=None if look is None else look.archived,
                seen_at=None if card is None else card.updated_at,
                again=again,
            )

    async def forget(self, message_id: str) -> None:
        """Strike a thread out."""
        async with self._database.connection() as connection:
            await self._queries.forget_thread.execute(connection, message_id=message_id)

    async def settle(self, kind: str, *, at_creation: bool) -> None:
        """Let the position follow."""
        async with self._database.connection() as connection:
            await self._queries.move_position.execute(
                connection, connector=kind, at_creation=at_creation
            )


def _read(kind: str, row: Any) -> KeptThread:
    look = None
    if row["shown_title"] is not None:
        status = CardStatus(row["shown_status"])
        look = ThreadLook(row["shown_title"], status, archived=row["shown_archived"])
    return KeptThread(
        card_id=row["of_card"],
        place=Address(kind, row["place"], row["thread"]),
        message_id=row["message_id"],
        begun_at=row["begun_at"],
        wording=row["wording"],
        edited_at=row["edited_at"],
        look=look,
    )
