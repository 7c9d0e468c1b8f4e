"""Rooms with a role, in Postgres."""

from collections.abc import Sequence

from bot.model import Address
from bot.rooms.ports import KeptRoom, Purpose, RoomRole
from storage.database import Database
from storage.queries import Queries


class PostgresRoomBook:
    """The port RoomBook."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("rooms")

    async def rooms(self) -> Sequence[KeptRoom]:
        """Return all rooms that have a purpose."""
        async with self._database.connection() as connection:
            rows = await self._queries.list_rooms.fetch(connection)
        return [
            KeptRoom(
                Address(row["connector"], row["place"]),
                Purpose(RoomRole(row["role"]), row["project"]),
            )
            for row in rows
        ]

    async def keep(self, room: KeptRoom) -> None:
        """Write a room's purpose down."""
        values = {
            "connector": room.place.kind,
            "place": room.place.place,
            "role": room.purpose.role,
            "project": room.purpose.project,
        }
        async with self._database.transaction() as connection:
            await self._queries.forget_purpose.execute(connection, **values)
            await self._queries.keep_room.execute(connection, **values)

    async def forget(self, place: Address) -> None:
        """Strike a room out."""
        async with self._database.connection() as connection:
            await self._queries.forget_room.execute(
                connection, connector=place.kind, place=place.place
            )
