"""What is said in threads of cards that are talked about on several platforms, in Postgres."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.model import Address, Inbound, Message, Principal
from bot.people.reflections import Heard, Marking, Reading, Said, Utterance
from bot.reply import Offer
from storage.database import Database
from storage.mail.journal import read_inbound
from storage.mail.letters import read_message
from storage.queries import Queries, storable


class PostgresOverheard:
    """The port Overheard."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("reflections")

    async def reading(self) -> Reading:
        """Return where to go on."""
        async with self._database.connection() as connection:
            row = await self._queries.find_reading.fetchrow(connection)
        return Reading(row["heard"], row["said"])

    async def heard(self, position: int, limit: int) -> Sequence[Heard]:
        """Return what people did, in the order of the journal."""
        async with self._database.connection() as connection:
            rows = await self._queries.heard_after.fetch(connection, seq=position, row_limit=limit)
        return [Heard(r["seq"], r["stored_at"], read_inbound(r), _threads(r)) for r in rows]

    async def said(self, position: int, limit: int) -> Sequence[Said]:
        """Return what we said, in the order in which it was stored."""
        async with self._database.connection() as connection:
            rows = await self._queries.said_after.fetch(connection, id=position, row_limit=limit)
        return [
            Said(r["position"], r["stored_at"], _with_offers(r), _threads(r), _asked_by(r))
            for r in rows
        ]

    async def settle(self) -> None:
        """Let the reading follow."""
        async with self._database.connection() as connection:
            await self._queries.move_reading.execute(connection)


class PostgresReflections:
    """The port Reflections."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("reflections")

    async def find(self, place: Address, event_id: str) -> Utterance | None:
        """Return what stands under a platform's id."""
        async with self._database.connection() as connection:
            row = await self._queries.find_utterance.fetchrow(connection, **_at(place, event_id))
        if row is None:
            return None
        whose = row["sender_id"]
        return Utterance(
            id=row["id"],
            place=Address(row["kind"], row["place"], row["thread"]),
            event_id=row["event_id"],
            sender=None if whose is None else Principal(whose, row["sender_name"]),
            others=_threads(row),
        )

    async def marked(self, place: Address, event_id: str) -> Inbound | None:
        """Return a person's mark."""
        async with self._database.connection() as connection:
            row = await self._queries.find_mark.fetchrow(connection, **_at(place, event_id))
        return None if row is None else read_inbound(row)

    async def markings(self, place: Address, event_id: str, mark: str) -> Sequence[Marking]:
        """Return how a mark was put and taken away."""
        async with self._database.connection() as connection:
            rows = await self._queries.list_markings.fetch(
                connection, **_at(place, event_id), mark=storable(mark)
            )
        return [
            Marking(
                row["event_id"], Principal(row["sender_id"], row["sender_name"]), row["taken_back"]
            )
            for row in rows
        ]

    async def parts(self, message_id: str) -> int:
        """Return how many events a message becomes."""
        async with self._database.connection() as connection:
            count: int = await self._queries.count_parts.fetchval(connection, message_id=message_id)
        return count

    async def shown(self, message_id: str) -> str | None:
        """Return the platform's id of a message's first part."""
        async with self._database.connection() as connection:
            found: str | None = await self._queries.find_shown.fetchval(
                connection, message_id=message_id
            )
        return found


def _at(place: Address, event_id: str) -> dict[str, Any]:
    return {
        "kind": place.kind,
        "place": storable(place.place),
        "event_id": storable(event_id),
    }


def _threads(row: Any) -> tuple[Address, ...]:
    return tuple(Address(*one) for one in row["others"] or ())


def _asked_by(row: Any) -> Principal | None:
    whose = row["asked_by_id"]
    return None if whose is None else Principal(whose, row["asked_by_name"])


def _with_offers(row: Any) -> Message:
    offers = tuple(
        Offer(
            one["mark"],
            one["line"],
            one["says"],
            timedelta(seconds=float(one["seconds"])),
            one["chooser"],
        )
        for one in row["offers"] or ()
    )
    return replace(read_message(row), offers=offers)
