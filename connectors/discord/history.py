"""What was said while nobody listened: read back after a session begins, for Discord tells nothing again.

Every channel and every thread in which something happened since our position is read from there on, the oldest first.
Ids of different channels may come a little out of order, so reading begins a minute before, and what the journal has
is left out. Of the newest messages that we knew it is found out too whether they were changed or are gone.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import discord
import structlog

from bot.errors import UserError
from bot.model import Address, Gap, Inbound, Principal
from connectors.discord.api import PAGE, Api
from connectors.discord.client import KIND, DiscordClient
from connectors.discord.events import deleted, edited, newest, principal, spoken
from connectors.discord.places import Places
from connectors.discord.position import Known, Position

Knows = Callable[[Sequence[str]], Awaitable[frozenset[str]]]
"""Returns those of some event ids that were read before."""

MINUTE = 60_000 << 22
"""A minute, in ids."""


@dataclass(frozen=True, slots=True)
class Page:
    """What was read in one place, in order: the messages that are new to us, and what became of older ones."""

    events: tuple[Inbound, ...]
    messages: tuple[discord.Message, ...]


class History:
    """Reads back what was missed. ``recovered`` counts what was found of that, by channel, and in a forum by post."""

    def __init__(self, client: DiscordClient, api: Api, places: Places, knows: Knows) -> None:
        self.recovered: Counter[Address] = Counter()
        self._client = client
        self._api = api
        self._places = places
        self._knows = knows
        self._log = structlog.get_logger(part=KIND)

    def newest(self) -> int:
        """Return the id of the newest message that stands anywhere, as Discord tells when a session begins."""
        ours = [
            channel for channel in map(self._client.get_channel, self._places.channels) if channel
        ]
        said = [getattr(one, "last_message_id", None) for one in (*ours, *self._threads())]
        return newest([*(one.id for one in ours), *said])

    async def end(self, channel_id: int) -> int:
        """Return an id that nothing is newer than in a channel and in the threads below it, those put away too."""
        newest_open = self.newest()
        return newest(
            [newest_open, *(last for _, last in await self._archived(channel_id, newest_open))]
        )

    def gaps(self) -> tuple[Gap, ...]:
        """Return the account of every channel in which something was missed."""
        return tuple(Gap(place, count, 0) for place, count in self.recovered.items() if count)

    async def read(self, position: Position) -> AsyncIterator[Page]:
        """Give, page by page and place by place, what happened since a position.

        A place that we may not read any more is left out, and the log says so.
        """
        self.recovered.clear()
        since = position.after - MINUTE
        for channel_id, place in await self._stale(since, position):
            try:
                async for page in self._read_place(channel_id, place, position):
                    yield page
            except UserError as error:
                self._log.warning("history refused", place=str(place), error=error.message)

    async def _stale(self, since: int, position: Position) -> list[tuple[int, Address]]:
        """Return the places in which something may have happened."""
        changing = {one.channel_id for one in position.recent}
        found = [
            (one, Address(KIND, str(one))) for one in self._places.channels if self._talks(one)
        ]
        found += [
            (thread.id, self._places.thread(thread.id, thread.parent_id))
            for thread in self._threads()
            if thread.id in changing or (thread.last_message_id or 0) > since
        ]
        known = {channel_id for channel_id, _ in found}
        for channel_id in self._places.channels:
            found += [
                (one, self._places.thread(one, channel_id))
                for one, _ in await self._archived(channel_id, since)
                if one not in known
            ]
        return found

    def _talks(self, channel_id: int) -> bool:
        """Return whether messages stand in a channel itself: a forum has posts only."""
        return not isinstance(self._client.get_channel(channel_id), discord.ForumChannel)

    def _threads(self) -> list[discord.Thread]:
        ours = set(self._places.channels)
        return [
            thread
            for guild in self._client.guilds
            for thread in guild.threads
            if thread.parent_id in ours
        ]

    async def _archived(self, channel_id: int, since: int) -> list[tuple[int, int]]:
        """Return threads that were put away after something was said there that we have not read, with the last of it."""
        found, before, more = list[tuple[int, int]](), None, True
        while more:
            try:
                threads, more = await self._api.archived(channel_id, before)
            except UserError as error:
                self._log.warning(
                    "archived threads refused", channel_id=channel_id, error=error.message
                )
                break
            for one in threads:
                if (last := int(one.get("last_message_id") or 0)) > since:
                    found.append((int(one["id"]), last))
            before = threads[-1]["thread_metadata"]["archive_timestamp"] if threads else None
            # They come in the order in which they were put away, and that is after their last message.
            stamps = [
                discord.utils.parse_time(one["thread_metadata"]["archive_timestamp"])
                for one in threads
            ]
            more = more and all(discord.utils.time_snowflake(at) > since for at in stamps)
        return found

    def _account(self, place: Address) -> Address:
        """Return where it is told that something was missed: in a forum nothing can be said but in a post."""
        return replace(place, thread=None) if self._talks(int(place.place)) else place

    async def _read_place(
        self, channel_id: int, place: Address, position: Position
    ) -> AsyncIterator[Page]:
        known = {one.message_id: one for one in position.recent if one.channel_id == channel_id}
        floor = position.floor(int(place.place))
        after = min([max(position.after - MINUTE, floor), *(one - 1 for one in known)])
        missing = dict(known)
        while True:
            messages = await self._api.page(channel_id, max(after, 0))
            for message in messages:
                missing.pop(message.id, None)
            ours = [one for one in messages if one.id > floor or one.id in known]
            yield await self._page(ours, place, known)
            if len(messages) < PAGE:
                break
            after = messages[-1].id
        gone = [deleted(one.message_id, place, _author(one)) for one in missing.values()]
        if gone:
            yield Page(tuple(replace(one, recovered=True) for one in gone), ())

    async def _page(
        self, messages: Sequence[discord.Message], place: Address, known: dict[int, Known]
    ) -> Page:
        own_id = self._client.user.id if self._client.user else 0
        said = [spoken(one, place, own_id) for one in messages if one.id not in known]
        revised = [edited(one, place, own_id) for one in messages if one.id in known]
        found = [one for one in (*said, *revised) if one is not None]
        before = await self._knows([one.event_id for one in found])
        fresh = [replace(one, recovered=True) for one in found if one.event_id not in before]
        self.recovered[self._account(place)] += sum(one.stands_on is None for one in fresh)
        return Page(tuple(fresh), tuple(messages))


def _author(known: Known) -> Principal:
    return principal(known.author_id, str(known.author_id))
