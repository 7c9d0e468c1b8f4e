"""What came in, in Postgres."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.enclosure import attachments_from_json, files_to_json
from bot.model import Address, Inbound, InboundBatch, InboundKind, Letter, Principal
from storage.database import Database
from storage.mail.letters import end_event, store_letters
from storage.queries import Queries, storable


class PostgresJournal:
    """The port Journal. Every method may be repeated after a TransientError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._journal = Queries.load("journal")
        self._mailbox = Queries.load("mailbox")

    async def accept(
        self, batch: InboundBatch, letters: Sequence[Letter] = ()
    ) -> Sequence[Inbound]:
        """Store a batch; what it returns is as ``pending`` will, with U+FFFD for NUL.

        Repeated after a lost answer it returns nothing new: ``pending`` has those events.
        """
        events = {event.id: event for event in map(stored_form, reversed(batch.events))}
        rows = [
            _row(number, event) for number, event in enumerate(reversed(events.values()), start=1)
        ]
        lend = self._database.transaction if letters else self._database.connection
        async with lend() as connection:
            fresh = await self._journal.accept_events.fetch(
                connection, events=rows, connector=batch.connector, position=batch.position
            )
            await store_letters(connection, self._mailbox, letters)
        ids = {row["id"] for row in fresh}
        return [events[row["id"]] for row in rows if row["id"] in ids]

    async def pending(self, limit: int) -> Sequence[Inbound]:
        """Return at most ``limit`` events that nobody has begun, oldest first."""
        async with self._database.connection() as connection:
            rows = await self._journal.pending_events.fetch(connection, count=limit)
        return [read_inbound(row) for row in rows]

    async def begin(self, inbound: Inbound, token: str) -> bool:
        """Give an event to the holder of a token, who may ask again."""
        async with self._database.connection() as connection:
            begun = await self._journal.begin_event.fetchval(
                connection, id=inbound.id, token=token, wording=inbound.text
            )
        return begun is True

    async def finish(self, inbound: Inbound, letters: Sequence[Letter], outcome: str) -> None:
        """End an event with what is said of it; one that has ended keeps its end, and nothing is said.

        LookupError for an event that was never accepted.
        """
        async with self._database.connection() as connection:
            known = await end_event(connection, self._mailbox, inbound.id, outcome, letters)
        if not known:
            raise LookupError(f"event {inbound.event_id!r} was never accepted")

    async def interrupted(self, token: str) -> Sequence[Inbound]:
        """Return events that another life of the daemon began and never ended, oldest first."""
        async with self._database.connection() as connection:
            rows = await self._journal.interrupted_events.fetch(connection, token=token)
        return [read_inbound(row) for row in rows]


class PostgresPositions:
    """The port Positions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._journal = Queries.load("journal")

    async def position(self, connector: str) -> str | None:
        """Return where a connector goes on reading, None before its first batch with a position."""
        async with self._database.connection() as connection:
            place = await self._journal.find_position.fetchval(connection, connector=connector)
        return None if place is None else str(place)

    async def known(self, connector: str, event_ids: Sequence[str]) -> frozenset[str]:
        """Return those of a connector's event ids that were accepted before."""
        ids = [storable(event_id) for event_id in event_ids]
        async with self._database.connection() as connection:
            rows = await self._journal.find_known.fetch(connection, kind=connector, event_ids=ids)
        return frozenset(row["event_id"] for row in rows)


class PostgresRevisions:
    """The port Revisions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._journal = Queries.load("journal")

    async def of(self, source: Address, event_id: str) -> Sequence[Inbound]:
        """Return how an event was revised, oldest first."""
        async with self._database.connection() as connection:
            rows = await self._journal.find_revisions.fetch(
                connection,
                kind=source.kind,
                place=storable(source.place),
                event_id=storable(event_id),
            )
        return [read_inbound(row) for row in rows]


def stored_form(event: Inbound) -> Inbound:
    """Return an event as it will be read back: its id is made of what the database can hold."""
    source, sender = event.source, event.sender
    return replace(
        event,
        event_id=storable(event.event_id),
        source=Address(*(storable(word) for word in (source.kind, source.place, source.thread))),
        sender=Principal(storable(sender.id), storable(sender.name)),
        text=storable(event.text),
        stands_on=storable(event.stands_on),
        attachments=attachments_from_json(storable(files_to_json(event.attachments))),
    )


def _row(number: int, event: Inbound) -> dict[str, Any]:
    return {
        "number": number,
        "id": event.id,
        "event_id": event.event_id,
        "kind": event.kind,
        "source_kind": event.source.kind,
        "source_place": event.source.place,
        "source_thread": event.source.thread,
        "sender_id": event.sender.id,
        "sender_name": event.sender.name,
        "body": event.text,
        "sent_at": event.sent_at.isoformat(),
        "recovered": event.recovered,
        "stands_on": event.stands_on,
        "attachments": files_to_json(event.attachments),
    }


def read_inbound(row: Any) -> Inbound:
    """Return the event of a row of ``inbound``."""
    return Inbound(
        event_id=row["event_id"],
        source=Address(row["source_kind"], row["source_place"], row["source_thread"]),
        sender=Principal(row["sender_id"], row["sender_name"]),
        text=row["body"],
        sent_at=row["sent_at"],
        kind=InboundKind(row["kind"]),
        recovered=row["recovered"],
        stands_on=row["stands_on"],
        attachments=attachments_from_json(row["attachments"]),
    )
