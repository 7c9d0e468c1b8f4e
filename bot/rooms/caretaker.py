"""Makes threads for cards where a platform has them, and keeps each in step with its card (ADR 44)."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from bot.backlog.cards import Card, CardStatus
from bot.backlog.kept_threads import (
    CardThreads,
    KeptThread,
    ThreadBook,
    ThreadLook,
    look_of,
    opening_of,
)
from bot.backlog.ports import Threads
from bot.errors import TransientError, UserError
from bot.mail.mailbox import Mailbox
from bot.model import Address, Message, MessageKind, derived_id
from bot.reply import Block, to_json

QUIET = timedelta(seconds=20)
"""How long nothing is said in the thread of a done card before it is put away: its end is told there first."""

_LOOK = timedelta(seconds=2)
_SETTLE_EVERY = 30
_PAGE = 50
_IN_THE_MAKING = 10
"""Openings that are under way at once: a platform limits how fast threads are made, and other words go by the same way."""

_AGAIN = timedelta(seconds=5)
_SLOWEST = timedelta(minutes=10)
_PATIENCE = timedelta(hours=1)
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Time between two looks, how ``quiet`` a done card's thread must be to be put away, and when to try ``again``."""

    look: timedelta = _LOOK
    quiet: timedelta = QUIET
    again: timedelta = _AGAIN


class Caretaker:
    """The part ``card threads``. ``grounds`` are the platforms that can make threads and are open now.

    A thread begins with a message of ours, the opening, whose id is made from the card and the place: it is written
    down before it is stored, and said once, whatever dies in between. ``at_creation`` says that a card gets its
    thread when it is created, else when it is claimed. Threads are kept by whichever daemon has the platform open,
    which need not be the one that leads: a bot is one process. ``tell`` hears, once, of what we have no power for.
    """

    name = "card threads"

    def __init__(
        self,
        book: ThreadBook,
        threads: Threads,
        mailbox: Mailbox,
        grounds: Callable[[], Sequence[CardThreads]],
        *,
        at_creation: bool,
        tell: Callable[[str], None],
        rhythm: Rhythm | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._book = book
        self._threads = threads
        self._mailbox = mailbox
        self._grounds = grounds
        self._at_creation = at_creation
        self._tell = tell
        self._rhythm = rhythm or Rhythm()
        self._clock = clock
        self._told: set[str] = set()
        self._followed: set[str] = set()
        self._log = structlog.get_logger(part=self.name)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Keep threads until cancelled; TransientError when the database is away, and nothing is lost."""
        ready("keeping the threads of cards")
        looks = 0
        while True:
            await self.look_once(settle=looks % _SETTLE_EVERY == 0)
            looks += 1
            await asyncio.sleep(self._rhythm.look.total_seconds())

    async def look_once(self, *, settle: bool = True) -> None:
        """Look at every platform; with ``settle`` move on in history where all of it was followed."""
        for ground in self._grounds():
            await self._follow(ground.place.kind)
            all_seen = await self._look_round(ground)
            if all_seen and settle:
                await self._book.settle(ground.place.kind, at_creation=self._at_creation)

    async def _follow(self, kind: str) -> None:
        if kind not in self._followed:
            await self._book.open(kind)
            self._followed.add(kind)

    async def _look_round(self, ground: CardThreads) -> bool:
        """Look at what is due, and return whether that was all."""
        place = ground.place
        wanted = await self._book.wanted(
            place.kind, at_creation=self._at_creation, most=_IN_THE_MAKING
        )
        for new in wanted:
            await self._book.begin(new, place, _opening_id(new, place))
        due = await self._book.due(place.kind, _PAGE)
        for kept, card in due:
            if card is None:
                await self._put_away(ground, kept)
            elif kept.place.thread is None:
                await self._begin(ground, kept, card)
            else:
                await self._tend(ground, kept, card)
        return len(due) < _PAGE

    # -- a thread's life -------------------------------------------------------------------------------

    async def _begin(self, ground: CardThreads, kept: KeptThread, card: Card) -> None:
        """Say the opening; once the platform has shown it, its thread is the card's."""
        event_id = await self._threads.opened(kept.message_id)
        if event_id is None:
            await self._say(kept, card)
            return
        thread = replace(kept.place, thread=event_id)
        if await self._threads.bind(card.id, thread):
            await self._tend(ground, replace(kept, place=thread), card)
        else:
            self._log.info("card has another thread", card=card.id, thread=str(thread))
            await self._book.forget(kept.message_id)

    async def _say(self, kept: KeptThread, card: Card) -> None:
        """Store the opening, which changes nothing when it is stored already, however the card was then.

        What it says is written down before: only if that is not what is said now nobody knows, and an edit settles it.
        """
        blocks = opening_of(card)
        wording = _wording(blocks)
        known = wording if kept.wording in {"", wording} else _UNKNOWN
        await self._book.keep(replace(kept, wording=known), card, self._patience(kept))
        await self._mailbox.post([_said(kept.message_id, kept.place, blocks)])

    async def _tend(self, ground: CardThreads, kept: KeptThread, card: Card) -> None:
        kept = await self._reword(kept, card)
        look = look_of(card)
        if look == kept.look and not look.archived:
            await self._book.keep(kept, card, None)
            return
        shown, again = await self._show(ground, kept, self._timely(look, card))
        if again is None and shown is not None and look.archived:
            again = self._next_look(look, shown, card)
        await self._book.keep(replace(kept, look=shown or kept.look), card, again)

    async def _reword(self, kept: KeptThread, card: Card) -> KeptThread:
        """Edit the opening when it says something else than the card does now."""
        blocks = opening_of(card)
        wording = _wording(blocks)
        if wording == kept.wording:
            return kept
        # From what it said before follows the edit's id: after a crash in between the same one is posted again.
        since = "" if kept.edited_at is None else kept.edited_at.isoformat()
        edit_id = derived_id("opening edit", kept.message_id, since, wording)
        await self._mailbox.post([_said(edit_id, kept.place, blocks, replaces=kept.message_id)])
        return replace(kept, wording=wording, edited_at=self._clock())

    async def _put_away(self, ground: CardThreads, kept: KeptThread) -> None:
        """Archive the thread of a card that was deleted, and forget it."""
        event_id = kept.place.thread or await self._threads.opened(kept.message_id)
        if event_id is None:
            if self._clock() - kept.begun_at < _PATIENCE:
                await self._book.keep(kept, None, self._rhythm.again)
            else:
                await self._book.forget(kept.message_id)
            return
        kept = replace(kept, place=replace(kept.place, thread=event_id))
        title = f"{kept.card_id}: deleted" if kept.look is None else kept.look.title
        status = CardStatus.READY if kept.look is None else kept.look.status
        shown, again = await self._show(ground, kept, ThreadLook(title, status, archived=True))
        if again is None:
            await self._book.forget(kept.message_id)
        else:
            await self._book.keep(replace(kept, look=shown or kept.look), None, again)

    # -- what the platform says ------------------------------------------------------------------------

    async def _show(
        self, ground: CardThreads, kept: KeptThread, look: ThreadLook
    ) -> tuple[ThreadLook | None, timedelta | None]:
        """Return how the thread looks now, None for as before, and after what time to try again."""
        try:
            done = await ground.show(kept.place, look)
        except TransientError as error:
            self._log.info("thread not shown yet", thread=str(kept.place), error=error.message)
            return None, error.retry_after or self._rhythm.again
        except UserError as error:
            self._log.warning("thread not shown", thread=str(kept.place), error=error.message)
            self._tell_once(kept, error)
            return None, None
        return (look, None) if done else (replace(look, archived=False), self._rhythm.quiet)

    def _tell_once(self, kept: KeptThread, error: UserError) -> None:
        sentence = error.message if error.hint is None else f"{error.message} ({error.hint})"
        if error.code != "gone" and sentence not in self._told:
            self._told.add(sentence)
            self._tell(f"The thread of card {kept.card_id} is not as it should be: {sentence}")

    # -- times -----------------------------------------------------------------------------------------

    def _timely(self, look: ThreadLook, card: Card) -> ThreadLook:
        """Return a look that puts nothing away before its end could be told there."""
        early = self._clock() - card.updated_at < self._rhythm.quiet
        return replace(look, archived=look.archived and not early)

    def _next_look(self, look: ThreadLook, shown: ThreadLook, card: Card) -> timedelta | None:
        """Return when to look at a done card's thread again: a late answer opens it, and it is put away again.

        After some hours it is left to whoever talks there, and to the platform.
        """
        if shown != look:
            return self._rhythm.quiet
        age = self._clock() - card.updated_at
        return None if age > timedelta(hours=3) else max(age * 3, self._rhythm.quiet * 6)

    def _patience(self, kept: KeptThread) -> timedelta:
        """Return when to ask again for an opening: soon, and ever more rarely when it does not get through."""
        waited = self._clock() - kept.begun_at
        return min(max(waited / 2, self._rhythm.look), _SLOWEST)


def _opening_id(card: Card, place: Address) -> str:
    return derived_id("card thread", card.id, card.created_at.isoformat(), place.lane)


def _wording(blocks: Sequence[Block]) -> str:
    return derived_id("wording", str(to_json(blocks)))


def _said(
    message_id: str, place: Address, blocks: Sequence[Block], replaces: str | None = None
) -> Message:
    return Message(
        id=message_id,
        to=place,
        kind=MessageKind.NOTICE,
        blocks=tuple(blocks),
        replaces=replaces,
    )
