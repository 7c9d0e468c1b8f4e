"""Threads of one card as one conversation: what was said in one, and what shows it in the others (ADR 45)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.model import (
    Address,
    Inbound,
    InboundKind,
    Message,
    MessageKind,
    Principal,
    derived_id,
)

TAG = "mirror"
"""Borne by all that the mirror says; what bears it is never mirrored itself."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How far two streams were read for certain: what people said, and what we said."""

    heard: int
    said: int


@dataclass(frozen=True, slots=True)
class Heard:
    """Something that somebody did where a card is talked about on several platforms; ``position`` orders all of it.

    ``others`` are the card's threads elsewhere. They are empty for what stands on something else: that one says it.
    """

    position: int
    at: datetime
    event: Inbound
    others: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """Something that we said in a card's thread because of somebody's words, with what it offers; else as ``Heard``.

    Mail to an agent is said here because of the files that a person sent it from the thread. ``asked_by`` is whose words
    or mark made us say it at once; None when that was no event of a platform.
    """

    position: int
    at: datetime
    message: Message
    others: tuple[Address, ...]
    asked_by: Principal | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """What stands somewhere in a card's thread, known by where it was said first.

    ``id`` is our id of that first event or message, ``place`` its thread. ``event_id`` and ``sender`` are those of
    a person's words, None for ours. ``others`` are the card's threads elsewhere, seen from where one looked.
    """

    id: str
    place: Address
    event_id: str | None
    sender: Principal | None
    others: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Marking:
    """A mark that somebody put on something, or took away again (``taken_back`` names it), in the journal's order."""

    event_id: str
    sender: Principal
    taken_back: str | None = None


class Overheard(Protocol):
    """What is said in threads of cards that are talked about on several platforms, since all of them were bound."""

    async def reading(self) -> Reading:
        """Return where to go on: everything up to there was shown for certain."""
        ...

    async def heard(self, position: int, limit: int) -> Sequence[Heard]:
        """Return what people did after a position: their words, and revisions and marks of anything in such places."""
        ...

    async def said(self, position: int, limit: int) -> Sequence[Said]:
        """Return what we said after a position: replies, answers, progress and their edits, and mail with people's files.

        Nothing without a cause, and nothing that bears a tag of its own.
        """
        ...

    async def settle(self) -> None:
        """Let the reading follow, as far behind as any transaction may live."""
        ...


class Reflections(Protocol):
    """What stands in threads, and what shows it elsewhere."""

    async def find(self, place: Address, event_id: str) -> Utterance | None:
        """Return what stands under a platform's id in a place, None when it is in no card's thread that has others."""
        ...

    async def marked(self, place: Address, event_id: str) -> Inbound | None:
        """Return the mark of a person that has this platform's id."""
        ...

    async def markings(self, place: Address, event_id: str, mark: str) -> Sequence[Marking]:
        """Return how people put one mark on an event, and took it away."""
        ...

    async def parts(self, message_id: str) -> int:
        """Return how many events a message of ours became or becomes, without marks below it; 0 when it is not there."""
        ...

    async def shown(self, message_id: str) -> str | None:
        """Return the platform's id of a message's first part, None while it is not shown."""
        ...


def reflection_id(utterance_id: str, thread: Address) -> str:
    """Return the id of the message that shows something in another thread; the same for ever."""
    return derived_id(TAG, utterance_id, str(thread))


def mark_shower(
    markings: Sequence[Marking], upto: str, allowed: Callable[[Principal], bool]
) -> tuple[str | None, bool]:
    """Return who began to show a mark as things stood right after the event ``upto``, and whether that one changed it.

    People share one mark of ours: it stands from the first who puts it until the last takes it away. None with a change
    would be nobody's mark, so the one whose mark was taken away is named.
    """
    holders: list[str] = []
    shower: str | None = None
    for one in markings:
        before = bool(holders)
        if one.taken_back is None:
            holders += [one.event_id] if allowed(one.sender) else []
            shower = shower if before else one.event_id
        elif one.taken_back in holders:
            holders.remove(one.taken_back)
        if one.event_id == upto:
            return shower, bool(holders) != before
    return None, False


def is_words(event: Inbound) -> bool:
    """Return whether an event is something that was said, and stands by itself."""
    return event.kind is InboundKind.TEXT


def is_first(utterance: Utterance, thread: Address) -> bool:
    """Return whether a thread is the one in which something was said first."""
    return utterance.place == thread


def redaction_of(cause: str, thread: Address, replaces: str) -> Message:
    """Return what takes a message of ours, or a mark, away."""
    return Message(
        id=reflection_id(cause, thread),
        to=thread,
        kind=MessageKind.REDACTION,
        blocks=(),
        tag=TAG,
        replaces=replaces,
    )
