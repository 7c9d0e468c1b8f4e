"""Threads that we make for cards and keep in step with them: how each should look, and which ones there are (ADR 44)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.backlog.cards import Card, CardStatus
from bot.model import Address
from bot.reply import Block, Fields, Text

_BODY = 400  # characters of a card's story that its opening shows
_REASON = 200


@dataclass(frozen=True, slots=True)
class ThreadLook:
    """How a card's thread should look: its title, its card's status, and whether it is put away."""

    title: str
    status: CardStatus
    archived: bool


class CardThreads(Protocol):
    """A platform where a message of ours begins a thread for a card, whose id is that message's, for ever."""

    @property
    def place(self) -> Address:
        """Where messages that begin such threads are said."""
        ...

    async def show(self, thread: Address, look: ThreadLook) -> bool:
        """Make a thread look so, and begin it if only its first message is there; repeatable.

        A title that is too long is cut, and a status that the place cannot show is left out. False when all was
        done but that it is not put away yet, since somebody spoke there a moment ago. TransientError when the same call
        may work later, UserError when the thread is gone, or when we have no power for it.
        """
        ...


class HasCardThreads(Protocol):
    """A connector whose platform lets it make threads for cards."""

    @property
    def card_threads(self) -> CardThreads: ...


@dataclass(frozen=True, slots=True)
class KeptThread:
    """A thread that we make for a card. ``place`` has its id once the platform has shown the opening.

    ``message_id`` is our id of the opening, written down before the opening is stored. ``wording`` tells what the
    opening says now, ``edited_at`` since when; ``look`` is how the thread was last made to look.
    """

    card_id: str
    place: Address
    message_id: str
    begun_at: datetime
    wording: str = ""
    edited_at: datetime | None = None
    look: ThreadLook | None = None


class ThreadBook(Protocol):
    """Which threads we keep for which cards, over restarts and all daemons."""

    async def open(self, kind: str) -> None:
        """Begin to follow history for a platform: a backlog that was there before is not its business; repeatable."""
        ...

    async def wanted(self, kind: str, *, at_creation: bool, most: int) -> Sequence[Card]:
        """Return cards without a thread on a platform that should get one, those that are worked on first.

        They are the claimed ones, and ``at_creation`` also those that were created, one by one, since the platform is
        followed; none that came in a file. No more are returned than let ``most`` be begun at once.
        """
        ...

    async def begin(self, card: Card, place: Address, message_id: str) -> None:
        """Write down that a message, which is not stored yet, begins a card's thread; repeatable."""
        ...

    async def due(self, kind: str, most: int) -> Sequence[tuple[KeptThread, Card | None]]:
        """Return threads to look at now with their cards, None for one that was deleted.

        Due is what was just begun, what was to be looked at again by now, and whatever's card changed since.
        """
        ...

    async def keep(self, kept: KeptThread, card: Card | None, again: timedelta | None) -> None:
        """Write down how a thread is, as of this card, and after what time it is to be looked at in any case."""
        ...

    async def forget(self, message_id: str) -> None:
        """Strike a thread out; one that is not there is no matter."""
        ...

    async def settle(self, kind: str, *, at_creation: bool) -> None:
        """Move on to what is so old that nothing can come before it, but never past a card that still wants a thread."""
        ...


def look_of(card: Card) -> ThreadLook:
    """Return how a card's thread should look."""
    done = card.status is CardStatus.DONE
    return ThreadLook(f"{card.id}: {card.title}", card.status, archived=done or card.archived)


def opening_of(card: Card) -> tuple[Block, ...]:
    """Return what the first message of a card's thread says; no word in it changes with time alone."""
    pairs = (
        ("status", _standing(card)),
        ("held by", card.claim_owner),
        ("blocked because", _beginning(card.block_reason or "", _REASON)),
        ("priority", str(card.priority) if card.priority else None),
        ("phase", card.phase),
        ("depends on", _beginning(", ".join(card.depends_on), _REASON)),
        ("for class", card.agent_class),
        ("for agent", card.agent),
        ("on host", card.host),
    )
    shown = Fields(tuple((name, value) for name, value in pairs if value))
    body = _beginning(card.body.strip(), _BODY)
    return (Text(f"{card.id}: {card.title}"), shown, *([Text(body)] if body else []))


def _standing(card: Card) -> str:
    if card.unmet_deps and card.status in {CardStatus.READY, CardStatus.BLOCKED}:
        return f"{card.status.value}, waits for {card.unmet_deps}"
    return card.status.value


def _beginning(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
