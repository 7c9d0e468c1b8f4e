"""Reminders in memory, over the same state as the fake mailbox."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.errors import UserError
from bot.model import Letter
from bot.news.reminders import MOST, Reminder, Request
from tests.fakes.mailroom import Room


class MemoryReminders:
    """The port Reminders, over a room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._count = 0
        self.rows: dict[int, Reminder] = {}

    async def add(self, request: Request) -> Reminder:
        self._room.look()
        if len(await self.waiting(request.owner.id)) >= MOST:
            raise UserError(f"you have {MOST} reminders waiting")
        self._count += 1
        kept = self.rows[self._count] = Reminder(self._count, request)
        return kept

    async def waiting(self, owner_id: str | None) -> Sequence[Reminder]:
        self._room.look()
        return [
            row for row in self._in_order() if owner_id is None or row.request.owner.id == owner_id
        ]

    async def cancel(self, id: int, owner_id: str | None) -> bool:
        self._room.look()
        row = self.rows.get(id)
        if row is None or (owner_id is not None and row.request.owner.id != owner_id):
            return False
        del self.rows[id]
        return True

    async def next(self, limit: int) -> Sequence[Reminder]:
        self._room.look()
        return self._in_order()[:limit]

    async def fire(
        self, reminder: Reminder, due_at: datetime | None, letters: Sequence[Letter]
    ) -> bool:
        self._room.look()
        row = self.rows.get(reminder.id)
        if row is None or row.due_at != reminder.due_at:
            return False
        self._room.store(letters)
        if due_at is None:
            del self.rows[reminder.id]
        else:
            self.rows[reminder.id] = Reminder(row.id, replace(row.request, due_at=due_at))
        return True

    def _in_order(self) -> list[Reminder]:
        return sorted(self.rows.values(), key=lambda row: (row.due_at, row.id))
