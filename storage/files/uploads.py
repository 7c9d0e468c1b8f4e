"""Files that people sent, in Postgres."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count, groupby
from typing import Any

from bot.enclosure import Attachment, Enclosure
from bot.files.rules import numbered_name, safe_name
from bot.files.uploads import Arrival, CardFile, Upload
from bot.model import Address, Letter, Principal
from storage.database import Connection, Database
from storage.mail.letters import store_letters
from storage.queries import Queries, storable


class PostgresUploads:
    """The port Uploads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("uploads")

    async def want(self, uploads: Sequence[Upload]) -> None:
        """Store uploads; the names that they get are the first free ones."""
        async with self._database.transaction() as connection:
            for upload in uploads:
                await self._want(connection, upload)

    async def _want(self, connection: Connection, upload: Upload) -> None:
        await self._queries.lock_folder.execute(connection, folder=upload.folder)
        if await self._queries.known_upload.fetchval(connection, id=upload.id):
            return
        wished = safe_name(storable(upload.attachment.name))
        rows = await self._queries.taken_names.fetch(connection, folder=upload.folder)
        name = free_name(wished, {row["name"] for row in rows})
        await self._queries.want_upload.execute(connection, **_row(upload, name))

    async def claim(
        self, kinds: Sequence[str], owner: str, lease: timedelta, limit: int
    ) -> Sequence[Upload]:
        """Lease due uploads, each with how much its folder holds now."""
        async with self._database.connection() as connection:
            rows = await self._queries.claim_uploads.fetch(
                connection, kinds=list(kinds), owner=owner, lease=lease, row_limit=limit
            )
        return [_upload(row, row["used"]) for row in rows]

    async def postpone(self, upload: Upload, wait: timedelta, reason: str) -> None:
        """Give an upload back; without effect when its lease has passed to another."""
        async with self._database.connection() as connection:
            await self._queries.postpone_upload.execute(
                connection, id=upload.id, attempts=upload.attempts, wait=wait, reason=reason
            )

    async def settle(self, arrival: Arrival) -> None:
        """End an upload as kept or refused."""
        file = arrival.file
        async with self._database.connection() as connection:
            await self._queries.settle_upload.execute(
                connection,
                id=arrival.upload.id,
                state="refused" if file is None else "kept",
                reason=arrival.reason or None,
                content_id=None if file is None else file.content,
                bytes=None if file is None else file.size,
                media_type=None if file is None else file.media_type,
            )


class PostgresArrivals:
    """The port Arrivals."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("uploads")
        self._mailbox = Queries.load("mailbox")

    async def untold(self, gather: timedelta, patience: timedelta) -> Sequence[Sequence[Arrival]]:
        """Return groups that are complete."""
        async with self._database.connection() as connection:
            rows = await self._queries.untold_uploads.fetch(
                connection, gather=gather, patience=patience
            )
        return [list(map(_arrival, group)) for _, group in groupby(rows, key=lambda r: r["party"])]

    async def tell(self, arrivals: Sequence[Arrival], letters: Sequence[Letter]) -> None:
        """Store letters unless somebody told of these arrivals before."""
        ids = [arrival.upload.id for arrival in arrivals]
        async with self._database.transaction() as connection:
            if await self._queries.tell_uploads.fetchval(connection, ids=ids) == len(ids):
                await store_letters(connection, self._mailbox, letters)

    async def expire(self, age: timedelta) -> Sequence[str]:
        """Give up what is old, and return every name that hosts may still have a copy of."""
        async with self._database.connection() as connection:
            await self._queries.expire_uploads.execute(connection, age=age)
            await self._queries.expire_contents.execute(connection, age=age)
            rows = await self._queries.removed_files.fetch(connection)
        return [f"{row['folder']}/{row['name']}" for row in rows]


class PostgresCardFiles:
    """The port CardFiles."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("uploads")

    async def of_card(self, card_id: str) -> Sequence[CardFile]:
        """Return a card's files, those too whose bytes are gone."""
        return [
            CardFile(
                name=row["name"],
                media_type=row["media_type"],
                size=row["bytes"],
                sender=row["sender_id"],
                at=row["ended_at"],
                removed_at=row["removed_at"],
            )
            for row in await self._of_card(card_id)
        ]

    async def enclosed(self, card_id: str) -> Sequence[Enclosure]:
        """Return a card's files whose bytes are kept."""
        rows = await self._of_card(card_id)
        return [_enclosure(row, card_id) for row in rows if row["content_id"] is not None]

    async def _of_card(self, card_id: str) -> Sequence[Any]:
        async with self._database.connection() as connection:
            rows: Sequence[Any] = await self._queries.card_files.fetch(
                connection, folder=f"card:{card_id}"
            )
        return rows


def free_name(wished: str, taken: set[str]) -> str:
    """Return the wished name, or the first numbered one beside those that are taken."""
    if wished not in taken:
        return wished
    names = (numbered_name(wished, number) for number in count(2))
    return next(name for name in names if name not in taken)


def _row(upload: Upload, name: str) -> dict[str, Any]:
    attachment, source = upload.attachment, upload.source
    return {
        "id": upload.id,
        "folder": upload.folder,
        "name": name,
        "to_host_and_name": upload.to.place,
        "source_kind": source.kind,
        "source_place": storable(source.place),
        "source_thread": storable(source.thread),
        "event_id": storable(upload.event_id),
        "sender_id": storable(upload.sender.id),
        "sender_name": storable(upload.sender.name),
        "caption": storable(upload.caption),
        "media_type": storable(attachment.media_type),
        "said_bytes": attachment.size,
        "reference": attachment.reference,
    }


def _upload(row: Any, used: int = 0) -> Upload:
    reference = row["reference"] or {}
    return Upload(
        id=row["id"],
        attachment=Attachment(row["name"], row["media_type"], row["said_bytes"], reference),
        source=Address(row["source_kind"], row["source_place"], row["source_thread"]),
        event_id=row["event_id"],
        sender=Principal(row["sender_id"], row["sender_name"]),
        caption=row["caption"],
        to=Address("agent", row["to_host_and_name"]),
        card=_card(row["folder"]),
        name=row["name"],
        used=used,
        attempts=row["attempts"],
        wanted_at=row["wanted_at"],
    )


def _arrival(row: Any) -> Arrival:
    kept = row["content_id"] is not None
    file = _enclosure(row, _card(row["folder"])) if kept else None
    return Arrival(_upload(row), file, row["reason"] or "")


def _enclosure(row: Any, card: str | None) -> Enclosure:
    return Enclosure(row["name"], row["media_type"], row["bytes"], row["content_id"], card=card)


def _card(folder: str) -> str | None:
    return folder.removeprefix("card:") if folder.startswith("card:") else None
