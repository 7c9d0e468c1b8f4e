"""Reads what Discord tells, in order, and hands it on: stored first, then forgotten."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import discord
import structlog

from bot.clock.backoff import Backoff
from bot.clock.insistence import Insistence
from bot.errors import TransientError
from bot.model import Address, Inbound, InboundBatch
from bot.ports import Accept
from connectors.discord.client import (
    KIND,
    Connected,
    Deleted,
    DiscordClient,
    Edited,
    Happening,
    Marked,
    Spoken,
)
from connectors.discord.events import deleted, edited, marked, principal, spoken, unmarked
from connectors.discord.history import MINUTE, History, Knows
from connectors.discord.places import Places
from connectors.discord.position import Known, Position
from connectors.discord.recent import Recent

_AGAIN = Backoff(timedelta(milliseconds=50), timedelta(seconds=5))
_LARGEST_BATCH = 100
_LONGEST_QUEUE = 20_000
"""What waits while the journal is away; with more we hang up, and read it back from Discord."""


class Reader:
    """One subscription. What happens is queued by ``hear`` and read by ``run``.

    A session's beginning is a place in the queue: what was missed is read back there, before what was told since.
    ``has_begun`` once a position is stored, from which nothing is lost.
    """

    def __init__(
        self,
        client: DiscordClient,
        places: Places,
        history: History,
        recent: Recent,
        server: Callable[[], Awaitable[None]],
        *,
        knows: Knows,
    ) -> None:
        self.has_begun = False
        self._client = client
        self._places = places
        self._history = history
        self._recent = recent
        self._server = server
        self._knows = knows
        self._queue: deque[Happening] = deque()
        self._heard = asyncio.Event()
        self._position = Position()
        self._log = structlog.get_logger(part=KIND)
        self._insist = Insistence(_AGAIN, self._note_wait)

    def hear(self, happening: Happening) -> None:
        """Take note that something happens."""
        self._queue.append(happening)
        self._heard.set()

    async def run(self, accept: Accept, position: str | None) -> None:
        """Read for ever, from a stored position on.

        While the journal is away, what happens waits here; TransientError when too much does.
        """
        self._accept = accept
        self._position = Position.read(position)
        while True:
            await self._heard.wait()
            self._heard.clear()
            while self._queue:
                await self._read_on()

    async def _read_on(self) -> None:
        if isinstance(self._queue[0], Connected):
            self._queue.popleft()
            await self._server()
            await self._insist(self._catch_up)
            return
        batch: list[Happening] = []
        while (
            self._queue
            and len(batch) < _LARGEST_BATCH
            and not isinstance(self._queue[0], Connected)
        ):
            batch.append(self._queue.popleft())
        events: list[Inbound] = []
        for happening in batch:
            events += await self._insist(lambda one=happening: self._read(one))  # type: ignore[misc]
        if events:
            await self._hand_over(events)

    # -- what was missed -------------------------------------------------------------------------------

    async def _catch_up(self) -> None:
        """Read back what was missed. The position stands until all of it is stored, so that a crash begins again."""
        if not self._position.after:
            # Reading back begins a minute earlier, and what was said before we came is not for us.
            self._position.pass_by(self._history.newest() + MINUTE)
            self._position.settle(self._places.channels)
            await self._hand_over([])
            self.has_begun = True
            return
        await self._begin_added()
        self.has_begun = True
        reached = Position(self._position.after, self._position.recent, self._position.floors)
        async for page in self._history.read(self._position):
            for message in page.messages:
                self._note(message, reached)
            for event in page.events:
                if not event.text and event.stands_on and event.stands_on.isdigit():
                    reached.drop(int(event.stands_on))
            if page.events:
                await self._accept(InboundBatch(KIND, page.events))
        self._position = reached
        batch = InboundBatch(KIND, (), reached.text(), self._history.gaps())
        await self._accept(batch)

    async def _begin_added(self) -> None:
        """Begin in channels that were added where they end now; that is stored first, so that a crash changes nothing."""
        added = self._position.settle(self._places.channels)
        for one in added:
            self._position.begin(one, await self._history.end(one))
        if added:
            await self._hand_over([])

    # -- what happens now ------------------------------------------------------------------------------

    async def _read(self, happening: Happening) -> Sequence[Inbound]:
        """Return what a happening means to us."""
        channel_id = _where(happening)
        place = None if channel_id is None else await self._places.find(channel_id)
        if place is None or self._client.user is None:
            return ()
        own_id = self._client.user.id
        match happening:
            case Spoken(message):
                self._position.begin(int(place.place), message.id - 1)
                self._note(message, self._position)
                read = spoken(message, place, own_id)
            case Edited(message):
                read = edited(message, place, own_id)
            case Deleted(_, message_ids):
                return [one for id in message_ids for one in self._gone(id, place)]
            case Marked(told, is_gone):
                is_bots = told.user_id == own_id or (told.member is not None and told.member.bot)
                read = None if is_bots else await self._mark(told, place, is_gone=is_gone)
            case Connected():
                return ()
        return () if read is None else (read,)

    def _note(self, message: discord.Message, position: Position) -> None:
        self._recent.hear(message)
        position.pass_by(message.id)
        if not message.author.bot:
            position.keep(Known(message.channel.id, message.id, message.author.id))

    def _gone(self, message_id: int, place: Address) -> Sequence[Inbound]:
        """Return that a person's message is gone; one of ours, or one that we never read, is nobody's concern."""
        author = self._recent.author(message_id)
        if author is None:
            kept = (one for one in self._position.recent if one.message_id == message_id)
            known = next(kept, None)
            author = None if known is None else principal(known.author_id, str(known.author_id))
        self._position.drop(message_id)
        return () if author is None else (deleted(message_id, place, author),)

    async def _mark(
        self, told: discord.RawReactionActionEvent, place: Address, *, is_gone: bool
    ) -> Inbound | None:
        if not is_gone:
            return marked(told, await self._recent.put_mark(told, self._knows), place)
        mark_id = self._recent.take_mark(told)
        return None if mark_id is None else unmarked(told, mark_id, place)

    async def _hand_over(self, events: Sequence[Inbound]) -> None:
        batch = InboundBatch(KIND, tuple(events), self._position.text())
        await self._insist(lambda: self._accept(batch))

    def _note_wait(self, error: TransientError, attempt: int) -> None:
        """Note that the journal or Discord is away; what cannot be kept meanwhile is read back from Discord later."""
        if len(self._queue) > _LONGEST_QUEUE:
            raise error
        self._log.info("reading waits", error=error.message, attempt=attempt)


def _where(happening: Happening) -> int | None:
    """Return the channel or thread in which something happened."""
    match happening:
        case Spoken(message) | Edited(message):
            return message.channel.id
        case Deleted(channel_id, _):
            return channel_id
        case Marked(told, _):
            return told.channel_id
        case Connected():
            return None
