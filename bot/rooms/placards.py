"""Placards: in a room, the one message that says how things stand; it is edited in place, and pinned."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.model import Address


@dataclass(frozen=True, slots=True)
class State:
    """How things stand: ``headline`` in one short line, then the details; no value changes with time alone."""

    headline: str
    details: tuple[tuple[str, str], ...]

    @property
    def words(self) -> str:
        """All of it, to tell one state from another."""
        return "\n".join((self.headline, *(f"{name}: {value}" for name, value in self.details)))


class PinState(StrEnum):
    """Whether a placard is pinned; ``refused`` means that we have no power for it, and people were told."""

    DUE = "due"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Placard:
    """A room's placard. ``event_id`` is the platform's id of it, None until it is shown.

    ``stored`` says that its message is in the mailbox, ``dead`` that it was given up. ``shown`` is what it says, and
    ``shown_at`` since when; ``former_event`` is the one whose place it took.
    """

    message_id: str
    event_id: str | None
    stored: bool
    dead: bool
    shown: str
    shown_at: datetime | None
    pin: PinState
    former_event: str | None = None


class Placards(Protocol):
    """Which message is whose placard, over restarts."""

    async def find(self, place: Address) -> Placard | None: ...

    async def begin(self, place: Address, message_id: str, former: Placard | None) -> None:
        """Write down that a message, which is not stored yet, is the placard now, in the place of a former one."""
        ...

    async def show(self, place: Address, shown: str) -> None:
        """Write down what it says now."""
        ...

    async def pin(self, place: Address, state: PinState) -> None:
        """Write down whether it is pinned."""
        ...
