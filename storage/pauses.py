"""Pauses, in Postgres: one installation stands still on every host, or on none."""

from typing import Any

from bot.model import Principal
from bot.supervision.pause import Pause, file_principal
from storage.database import Database
from storage.queries import Queries


class PostgresPauses:
    """The port Pauses. The channel ``supervisor`` says ``pause`` when one begins or is lifted."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("pause")

    async def current(self) -> Pause | None:
        """Return the strictest pause that stands."""
        async with self._database.connection() as connection:
            row = await self._queries.find_pause.fetchrow(connection)
        return None if row is None else read_pause(row)

    async def pause(self, by: Principal, reason: str | None, *, freeze: bool) -> Pause:
        """Add a pause and return the strictest that stands then; the same one again changes nothing."""
        async with self._database.transaction() as connection:
            await self._queries.begin_pause.execute(
                connection, by_id=by.id, by_name=by.name, reason=reason, freeze=freeze
            )
            return read_pause(await self._queries.find_pause.fetchrow(connection))

    async def resume(self, by: Principal) -> Pause | None:
        """Lift all pauses, those of files too, and return the strictest of them."""
        async with self._database.connection() as connection:
            row = await self._queries.lift_pauses.fetchrow(connection, by_id=by.id)
        return None if row is None else read_pause(row)

    async def mirror(self, host: str, stamp: str | None, reason: str | None) -> bool:
        """Say how a host's pause file is; true when somebody resumed since it was written.

        Nothing is written but for a change.
        """
        by = file_principal(host)
        async with self._database.connection() as connection:
            if stamp is None:
                await self._queries.lift_file_pause.execute(connection, host=host, by_id=by.id)
                return False
            known = await self._queries.find_file_pause.fetchrow(connection, host=host, stamp=stamp)
            # One that was lifted because its file was gone is there again when the file is.
            if known is not None and known["lifted_by"] != by.id:
                return known["lifted_by"] is not None
            said = {"host": host, "stamp": stamp, "reason": reason}
            if await self._queries.move_file_pause.fetchval(connection, **said) is None:
                await self._queries.begin_file_pause.execute(
                    connection, by_id=by.id, by_name=by.name, **said
                )
            return False


def read_pause(row: Any) -> Pause:
    """Return the pause of a row."""
    return Pause(
        by=row["by_id"],
        reason=row["reason"],
        since=row["since"],
        freeze=row["is_freeze"],
        name=row["by_name"],
    )
