"""Placards, in Postgres."""

from bot.model import Address
from bot.rooms.placards import PinState, Placard
from storage.database import Database
from storage.queries import Queries


class PostgresPlacards:
    """The port Placards."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("rooms")

    async def find(self, place: Address) -> Placard | None:
        """Return a room's placard, None when it has none."""
        async with self._database.connection() as connection:
            row = await self._queries.find_placard.fetchrow(
                connection, connector=place.kind, place=place.place
            )
        if row is None:
            return None
        return Placard(
            message_id=row["message_id"],
            event_id=row["event_id"],
            stored=row["stored"],
            dead=row["dead"],
            shown=row["shown"],
            shown_at=row["shown_at"],
            pin=PinState(row["pin"]),
            former_event=row["former_event"],
        )

    async def begin(self, place: Address, message_id: str, former: Placard | None) -> None:
        """Begin a placard; without effect when another one than ``former`` stands there."""
        async with self._database.connection() as connection:
            await self._queries.begin_placard.execute(
                connection,
                connector=place.kind,
                place=place.place,
                message_id=message_id,
                former_message=None if former is None else former.message_id,
                former_event=None if former is None else former.event_id,
            )

    async def show(self, place: Address, shown: str) -> None:
        """Write down what it says now."""
        async with self._database.connection() as connection:
            await self._queries.note_shown.execute(
                connection, connector=place.kind, place=place.place, shown=shown
            )

    async def pin(self, place: Address, state: PinState) -> None:
        """Write down whether it is pinned."""
        async with self._database.connection() as connection:
            await self._queries.note_pin.execute(
                connection, connector=place.kind, place=place.place, pin=state
            )
