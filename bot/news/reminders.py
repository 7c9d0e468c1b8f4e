"""Reminders: what people asked to be told at a time, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.model import Address, Letter, Principal

MOST = 100
"""Reminders that one person may have waiting."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a reminder is: when it falls due next, and by which rule it does so again.

    ``rule`` is read by ``bot.clock.moments.read_rule`` in ``timezone``, None for one that is said once. ``place``
    is where it is said, ``reply_to`` the platform's id of the message that it answers. A text that begins
    with ``!`` is a command that is run as its owner.
    """

    owner: Principal
    text: str
    place: Address
    due_at: datetime
    rule: str | None = None
    timezone: str = "UTC"
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Reminder:
    """A request that is kept."""

    id: int
    request: Request

    @property
    def due_at(self) -> datetime:
        """When it falls due next."""
        return self.request.due_at


class Reminders(Protocol):
    """All reminders, shared by the daemons of every host."""

    async def add(self, request: Request) -> Reminder:
        """Keep a request; UserError when its owner has too many waiting."""
        ...

    async def waiting(self, owner_id: str | None) -> Sequence[Reminder]:
        """Return one owner's reminders (None: everybody's), the next one first."""
        ...

    async def cancel(self, id: int, owner_id: str | None) -> bool:
        """End a reminder; with ``owner_id`` only one of that person's. False when there is none waiting."""
        ...

    async def next(self, limit: int) -> Sequence[Reminder]:
        """Return the reminders that fall due next, or should have by now, the earliest first."""
        ...

    async def fire(
        self, reminder: Reminder, due_at: datetime | None, letters: Sequence[Letter]
    ) -> bool:
        """Store what is said, and when it falls due next (None: it is over), in one transaction.

        False, and nothing is stored, when somebody else fired or cancelled it since it was read.
        """
        ...
