"""Mail to agents: what is kept of it, who may read it, and what stops it from going in circles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.model import Message, ReceiptState

SETTLED = frozenset(
    {
        ReceiptState.ACCEPTED,
        ReceiptState.ANSWERED,
        ReceiptState.FAILED,
        ReceiptState.UNKNOWN,
    }
)
"""States in which it is known whether the program took the message, or that nobody will ever know."""


@dataclass(frozen=True, slots=True)
class Item:
    """One message in an inbox, with its newest state and, once the turn has ended, what was answered.

    ``reason`` says why it failed, or what it waits for.
    """

    message: Message
    state: ReceiptState
    answer: str | None
    at: datetime
    reason: str | None = None


class Post(Protocol):
    """Mail between agents. ``reader`` is a principal's id, ``place`` an agent's ``HOST/NAME``."""

    async def inbox(self, reader: str, place: str, limit: int) -> Sequence[Item]:
        """Return mail to a place, and a reader's own mail that was answered or failed, without what it put away.

        The newest ``limit`` of them, oldest first.
        """
        ...

    async def acknowledge(self, message_id: str, reader: str) -> None:
        """Put a message out of a reader's inbox; repeatable."""
        ...

    async def cause(self, place: str, quiet: timedelta) -> Message | None:
        """Return the mail that an agent is working on, or whose turn ended less than ``quiet`` ago."""
        ...

    async def between(self, one: str, other: str, within: timedelta) -> int:
        """Return how many messages two agents (``HOST/NAME``) wrote to each other within that time."""
        ...

    async def attempts(self, message_id: str) -> int:
        """Return how often a message's delivery was tried, 0 for an unknown id."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What stops agents that answer each other for ever.

    ``hops``: how many messages one chain may have before somebody else must speak. ``pair``: how many
    messages two agents may write to each other within ``window``. ``quiet``: for how long after a turn what
    its agent sends still belongs to that turn's chain.
    """

    hops: int = 12
    pair: int = 30
    window: timedelta = timedelta(minutes=5)
    quiet: timedelta = timedelta(minutes=1)


def spoken(place: str) -> str:
    """Return how an agent's place is written for people and in headers: ``HOST:NAME``."""
    host, _, name = place.partition("/")
    return f"{host}:{name}"


def spoken_principal(principal_id: str) -> str:
    """Return ``HOST:NAME`` for an agent, any other principal's id as it is."""
    platform, _, rest = principal_id.partition(":")
    return spoken(rest) if platform == "agent" else principal_id
