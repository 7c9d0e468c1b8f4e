"""Reminders in Postgres."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.errors import UserError
from bot.model import Address, Letter, Principal
from bot.news.reminders import MOST, Reminder, Request
from storage.database import Database
from storage.mail.letters import store_letters
from storage.queries import Queries


class PostgresReminders:
    """The port Reminders. ``fire`` and ``cancel`` may be repeated after a TransientError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("reminders")
        self._mailbox = Queries.load("mailbox")

    async def add(self, request: Request) -> Reminder:
        """Keep a request."""
        async with self._database.connection() as connection:
            row = await self._queries.add_reminder.fetchrow(
                connection,
                owner_id=request.owner.id,
                owner_name=request.owner.name,
                text=request.text,
                place_kind=request.place.kind,
                place=request.place.place,
                thread=request.place.thread,
                reply_to=request.reply_to,
                rule=request.rule,
                timezone=request.timezone,
                due_at=request.due_at,
                most=MOST,
            )
        if row is None:
            raise UserError(
                f"you have {MOST} reminders waiting", hint="`remind cancel ID` ends one"
            )
        return _read(row)

    async def waiting(self, owner_id: str | None) -> Sequence[Reminder]:
        """Return what waits."""
        async with self._database.connection() as connection:
            rows = await self._queries.find_waiting.fetch(connection, owner_id=owner_id)
        return [_read(row) for row in rows]

    async def cancel(self, id: int, owner_id: str | None) -> bool:
        """End a reminder."""
        async with self._database.connection() as connection:
            ended = await self._queries.cancel_reminder.fetchval(
                connection, id=id, owner_id=owner_id
            )
        return ended is not None

    async def next(self, limit: int) -> Sequence[Reminder]:
        """Return what falls due next."""
        async with self._database.connection() as connection:
            rows = await self._queries.find_next.fetch(connection, row_limit=limit)
        return [_read(row) for row in rows]

    async def fire(
        self, reminder: Reminder, due_at: datetime | None, letters: Sequence[Letter]
    ) -> bool:
        """Store what is said and when it falls due next, or nothing of it."""
        async with self._database.transaction() as connection:
            fired = await self._queries.fire_reminder.fetchval(
                connection, id=reminder.id, was_due_at=reminder.due_at, due_at=due_at
            )
            if fired is None:
                return False
            await store_letters(connection, self._mailbox, letters)
        return True


def _read(row: Any) -> Reminder:
    request = Request(
        owner=Principal(row["owner_id"], row["owner_name"]),
        text=row["text"],
        place=Address(row["place_kind"], row["place"], row["thread"]),
        due_at=row["next_at"],
        rule=row["rule"],
        timezone=row["timezone"],
        reply_to=row["reply_to"],
    )
    return Reminder(row["id"], request)
