"""Threads of cards on Discord, in a text channel or as posts of a forum (ADR 44).

Source: Discord API reference, "Channels Resource" (Start Thread from Message, Modify Channel) and "Threads".
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import discord
import structlog

from bot.backlog.cards import CardStatus
from bot.backlog.kept_threads import ThreadLook
from bot.errors import UserError
from bot.model import Address
from connectors.discord.client import KIND, powers_in
from connectors.discord.failures import THREAD_EXISTS, translated
from connectors.discord.thread_failures import about_threads

LONGEST_TITLE = 100
QUIET = timedelta(seconds=20)
"""Discord opens a thread again for every word that is said there, so the last ones are waited for."""

_MOST_TAGS_OF_A_POST = 5
_MOST_TAGS = 20
_EMOJI = {
    CardStatus.READY: "⚪",
    CardStatus.CLAIMED: "🔵",
    CardStatus.BLOCKED: "⛔",
    CardStatus.DONE: "✅",
}


class DiscordCardThreads:
    """The port CardThreads. ``channel_id`` is where openings are said: a text channel or a forum.

    A thread has the id of its first message, in both. A card's status is a tag of a forum's post; a text channel has
    no tags. ``client`` gives the one that is logged in, or raises TransientError; nobody may have spoken for
    ``quiet`` when a thread is put away. ``now`` is the time that Discord's ids are compared with.
    """

    def __init__(
        self,
        client: Callable[[], discord.Client],
        channel_id: int,
        *,
        quiet: timedelta = QUIET,
        now: Callable[[], datetime] = discord.utils.utcnow,
    ) -> None:
        self._quiet = quiet
        self._client = client
        self._channel_id = channel_id
        self._now = now
        self._tags_tried = False
        self._log = structlog.get_logger(part="discord", channel=channel_id)

    @property
    def place(self) -> Address:
        """The channel."""
        return Address(KIND, str(self._channel_id))

    async def show(self, thread: Address, look: ThreadLook) -> bool:
        """Make a thread look so, with as few requests as it takes; of a thread that is put away nothing else is changed.

        Titles may be changed twice in ten minutes, says Discord: TransientError until then.
        """
        async with about_threads(f"showing the thread {thread.thread}"):
            found = await self._find(thread) or await self._begin(thread, look)
            changes = await self._changes(found, look)
            if found.archived and (changes or not look.archived):
                found = await found.edit(archived=False)
            for change in changes:
                found = await found.edit(**change)
            if look.archived and not found.archived:
                return await self._put_away(found)
            return True

    async def _changes(self, found: discord.Thread, look: ThreadLook) -> list[dict[str, Any]]:
        """Return what is not as it should be; the title last, since it is what Discord may put off."""
        changes: list[dict[str, Any]] = []
        if isinstance(found.parent, discord.ForumChannel):
            tags = await self._tags(found, found.parent, look)
            if {tag.id for tag in tags} != {tag.id for tag in found.applied_tags}:
                changes.append({"applied_tags": tags})
        if found.name != title_of(look):
            changes.append({"name": title_of(look)})
        return changes

    # -- one thread ------------------------------------------------------------------------------------

    async def _find(self, thread: Address) -> discord.Thread | None:
        """Return a thread, None when it is not begun (any more); what is put away is not in discord.py's memory."""
        channel = await self._channel(thread.place)
        known = channel.get_thread(_number(thread))
        if known is not None:
            return known
        try:
            found = await self._client().fetch_channel(_number(thread))
        except discord.NotFound:
            return None
        return found if isinstance(found, discord.Thread) else None

    async def _begin(self, thread: Address, look: ThreadLook) -> discord.Thread:
        """Begin a thread from its first message. Discord itself sees to it that there is one only."""
        channel = await self._channel(thread.place)
        if isinstance(channel, discord.ForumChannel):
            raise UserError(f"the post {thread.thread} is gone from the forum", code="gone")
        first = channel.get_partial_message(_number(thread))
        try:
            with translated("beginning a thread"):
                return await first.create_thread(name=title_of(look))
        except UserError as error:
            if error.code != THREAD_EXISTS:
                raise
        found = await self._client().fetch_channel(_number(thread))
        if not isinstance(found, discord.Thread):
            raise UserError(f"{thread.thread} is no thread", code="gone")
        return found

    async def _put_away(self, found: discord.Thread) -> bool:
        """Archive a thread, unless somebody spoke there a moment ago."""
        last = found.last_message_id
        if last is not None and self._now() - discord.utils.snowflake_time(last) < self._quiet:
            return False
        await found.edit(archived=True)
        return True

    # -- its channel and tags --------------------------------------------------------------------------

    async def _channel(self, place: str) -> discord.TextChannel | discord.ForumChannel:
        channel = self._client().get_channel(int(place)) or await self._client().fetch_channel(
            int(place)
        )
        if isinstance(channel, discord.TextChannel | discord.ForumChannel):
            return channel
        raise UserError(f"channel {place} is neither a text channel nor a forum", code="refused")

    async def _tags(
        self, found: discord.Thread, forum: discord.ForumChannel, look: ThreadLook
    ) -> Sequence[discord.ForumTag]:
        """Return the tags that a post should have: its card's status, and what people put there."""
        named = {tag.name: tag for tag in await self._available(forum)}
        ours = [named[look.status]] if look.status in named else []
        theirs = [tag for tag in found.applied_tags if tag.name not in set(CardStatus)]
        return [*ours, *theirs][:_MOST_TAGS_OF_A_POST]

    async def _available(self, forum: discord.ForumChannel) -> Sequence[discord.ForumTag]:
        """Return a forum's tags; those for a card's status are made, once, where we have the power for it."""
        lacking = set(CardStatus) - {tag.name for tag in forum.available_tags}
        if not lacking or self._tags_tried:
            return forum.available_tags
        self._tags_tried = True
        powers = powers_in(forum)
        may = powers is not None and powers.manage_channels
        if not may or len(forum.available_tags) + len(lacking) > _MOST_TAGS:
            self._log.warning("tags are missing", forum=forum.name, tags=sorted(lacking))
            return forum.available_tags
        new = [
            discord.ForumTag(name=one, emoji=_EMOJI[one]) for one in CardStatus if one in lacking
        ]
        edited = await forum.edit(available_tags=[*forum.available_tags, *new])
        return edited.available_tags


def title_of(look: ThreadLook) -> str:
    """Return a title as Discord takes it: at most 100 characters."""
    title = " ".join(look.title.split())
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…"


def _number(thread: Address) -> int:
    if thread.thread is None or not thread.thread.isdecimal():
        raise UserError(f"{thread} is no thread of Discord", code="gone")
    return int(thread.thread)
