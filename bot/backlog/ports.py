"""The seams of the backlog, and all of them as one value. Every one has a fake that passes the same suite."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from bot.backlog.cards import (
    BacklogStats,
    Card,
    CardDraft,
    CardEvent,
    CardFilter,
    Drift,
    OldTransaction,
)
from bot.backlog.inquiry import Situation
from bot.backlog.overview import Excerpt, Lane, LaneKind
from bot.backlog.shipment import Entry, Landing
from bot.backlog.threads import CardNews
from bot.files.uploads import CardFiles
from bot.model import Address, Caller


class CardShelf(Protocol):
    """Cards as things to write and read."""

    async def create(self, draft: CardDraft, by: Caller) -> Card: ...

    async def edit(self, draft: CardDraft, by: Caller) -> Card: ...

    async def show(self, card_id: str) -> tuple[Card, Sequence[CardEvent]]: ...

    async def list(
        self, wanted: CardFilter, *, limit: int | None = None, cursor: str | None = None
    ) -> Sequence[Card]: ...

    async def stats(self) -> BacklogStats: ...


class Claims(Protocol):
    """Cards as work: every attempt has its own token, and a stale one is refused."""

    async def claim(
        self,
        owner: str,
        ttl: timedelta,
        card_id: str | None,
        by: Caller,
        *,
        grace: timedelta | None = None,
    ) -> Card | None:
        """Claim the best card or this one; with a ``grace`` it must be renewed within it to be kept."""
        ...

    async def renew(self, card_id: str, token: str, ttl: timedelta | None, by: Caller) -> Card: ...

    async def release(self, card_id: str, token: str, by: Caller) -> Card: ...

    async def reclaim(self, card_id: str | None, by: Caller) -> Sequence[str]: ...

    async def complete(
        self, card_id: str, token: str | None, by: Caller, *, checked: bool = False
    ) -> Card:
        """Mark a card done; with ``checked`` only when every item of its checklist is met."""
        ...


class Dependencies(Protocol):
    """Cards as a graph without cycles."""

    async def link(self, from_id: str, to_id: str, by: Caller) -> Card:
        """Make ``from_id`` depend on ``to_id``."""
        ...

    async def unlink(self, from_id: str, to_id: str, by: Caller) -> Card: ...

    async def block(self, card_id: str, reason: str | None, by: Caller) -> Card: ...

    async def unblock(self, card_id: str, by: Caller, reason: str | None = None) -> Card: ...


class Keeping(Protocol):
    """Cards put away, removed and taken back."""

    async def archive(self, card_id: str, by: Caller) -> Card:
        """Leave a done card out of lists; what depends on it goes on counting it as done."""
        ...

    async def delete(self, card_id: str, by: Caller) -> Card:
        """Remove a card that nothing depends on, and return it as it was; its history stays."""
        ...

    async def undo(self, card_id: str, by: Caller) -> Card:
        """Take back a card's last change; undoing that does it again."""
        ...


class Checklists(Protocol):
    """Acceptance criteria that are met one by one."""

    async def tick(self, card_id: str, number: int, by: Caller, *, done: bool) -> Card:
        """Mark one item, counted from 1, as met or open."""
        ...


class Inquiry(Protocol):
    """What people ask of the backlog."""

    async def situation(self, card_id: str) -> Situation:
        """Return a card with all that explains where it stands."""
        ...

    async def search(self, text: str, limit: int) -> Sequence[Card]:
        """Return cards that hold every word of a text, best first: by id, then title, then body."""
        ...


class Recount(Protocol):
    """Makes sure that every card's counter of unmet dependencies says what the edges say."""

    async def recount(self, by: Caller) -> Sequence[Drift]:
        """Set what is wrong right, and return it."""
        ...


class Housekeeping(Protocol):
    """What keeps claims cheap over the years."""

    async def archive_finished(self, age: timedelta, by: Caller) -> int:
        """Archive cards that are done and were not touched for so long; return how many."""
        ...

    async def old_transactions(self, age: timedelta) -> Sequence[OldTransaction]:
        """Return transactions that have lasted longer: they keep dead rows from being cleaned up."""
        ...

    async def end(self, transaction: OldTransaction) -> bool: ...


class Shipments(Protocol):
    """Cards in bulk: a file's in one step, and all of them out again."""

    async def bring(
        self, entries: Sequence[Entry], by: Caller, *, update: bool, dry_run: bool
    ) -> Landing:
        """Bring in all entries, or none when the landing tells faults.

        An entry whose key was said before is left alone, and so is one that says what its card says.
        Another one whose card is there is a fault, or with ``update`` an edit. ``dry_run`` writes nothing.
        """
        ...

    async def export(self) -> Sequence[Card]:
        """Return all cards, oldest first."""
        ...


class Overview(Protocol):
    """The backlog seen from above."""

    async def lanes(self, by: LaneKind, per_lane: int) -> Sequence[Lane]:
        """Return the lanes that hold cards: by status in its order, by phase sorted, no phase last.

        Finished cards come last in a lane, the newest first; the others as a list shows them.
        """
        ...

    async def around(self, card_id: str, depth: int, limit: int) -> Excerpt:
        """Return a card and what is up to ``depth`` steps away in either direction, the nearest first.

        What is left out counts what ``limit`` cut off and the cards one step beyond ``depth``.
        """
        ...

    async def whole(self, limit: int) -> Excerpt:
        """Return the first cards of all, open ones before finished ones."""
        ...


class Threads(Protocol):
    """Cards and the places where people talk about them: one a platform for a card, one card for a thread."""

    async def bind(self, card_id: str, thread: Address) -> bool:
        """Give a card a thread; false when it has another one there, or the thread another card."""
        ...

    async def find(self, card_id: str) -> Sequence[Address]:
        """Return a card's threads, by platform."""
        ...

    async def card_in(self, thread: Address) -> str | None:
        """Return whose thread it is; a room without a thread is nobody's."""
        ...

    async def holder_in(self, thread: Address) -> str | None:
        """Return who holds the card whose thread it is, None while nobody does."""
        ...

    async def of_dispatch(self, message_id: str) -> Address | None:
        """Return the first thread of the card that mail of the supervisor hands to an agent, or asks it about."""
        ...

    async def opened(self, message_id: str) -> str | None:
        """Return the platform's id of a message of ours that begins a thread, None while it is not shown."""
        ...


class NewsFeed(Protocol):
    """What became of cards that have a thread, for those who did not ask for it there."""

    async def position(self) -> int:
        """Return where to go on: everything up to there was said for certain."""
        ...

    async def after(self, position: int, limit: int) -> Sequence[CardNews]:
        """Return changes of a status after a position, in the order of history."""
        ...

    async def settle(self) -> None:
        """Move the position on to what is so old that nothing can come before it; all of it must be said."""
        ...


@dataclass(frozen=True, slots=True)
class Backlog:
    """One object a port, all over the same cards."""

    shelf: CardShelf
    claims: Claims
    dependencies: Dependencies
    keeping: Keeping
    checklists: Checklists
    inquiry: Inquiry
    recount: Recount
    housekeeping: Housekeeping
    shipments: Shipments
    overview: Overview
    threads: Threads
    news: NewsFeed
    files: CardFiles
