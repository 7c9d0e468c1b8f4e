"""Posts of a forum, each made once: Discord has no nonce for them, so one is looked for before it is made."""

import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import discord

from bot.errors import UserError
from bot.model import Address, OutboundMessage
from connectors.discord.card_threads import LONGEST_TITLE
from connectors.discord.once import only_once
from connectors.discord.places import number_of
from connectors.discord.thread_failures import about_threads

_BOLD = re.compile(r"(?<!\\)\*\*")
_ESCAPED = re.compile(r"\\([^\w\s]|_)")
_SHOWN_OF_ID = 12
_LONGEST_CONTENT = 2000
_ARCHIVED = 200
"""Archived posts that are looked at: one is archived after an hour without a word at the earliest."""


class Posts:
    """Makes posts from messages of ours. The first one's last line bears the message's id, by which it is found again."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def forum_of(self, to: Address) -> discord.ForumChannel | None:
        """Return the forum in which a message to an address would be a post of its own, None when it would not.

        Discord is asked until the gateway has told of the channel; what is wrong with it, saying something there tells.
        """
        if to.thread is not None:
            return None
        number = number_of(to.place, to)
        channel = self._client.get_channel(number)
        if channel is None:
            with contextlib.suppress(UserError):
                async with about_threads(f"looking at channel {number}"):
                    return _forum(await self._client.fetch_channel(number))
        return _forum(channel)

    async def make(
        self, forum: discord.ForumChannel, message: OutboundMessage, content: str, **more: Any
    ) -> int:
        """Make a post that begins with ``content``, and whose title is its first line; return its id.

        ``more`` is what discord.py takes beside them (embeds, allowed_mentions, …). A post that an earlier try made is
        returned, whatever became of the answer. TransientError when the same call may work later, UserError when not.
        """
        async with about_threads(f"making a post in {forum.id}"):
            name, mark = title_in(message.text), mark_of(message)
            async for post in self._candidates(forum, name):
                if await _bears(post, mark):
                    return post.id
            tags = _required_tags(forum)
            words = content[: _LONGEST_CONTENT - len(mark) - 1]
            with only_once():
                made = await forum.create_thread(
                    name=name, content=f"{words}\n{mark}", applied_tags=tags, **more
                )
            return made.thread.id

    async def _candidates(
        self, forum: discord.ForumChannel, name: str
    ) -> AsyncIterator[discord.Thread]:
        """Give our posts of that title. Discord is asked: what the gateway told may be older than our last try."""
        own_id = self._client.user.id if self._client.user else 0
        for post in await forum.guild.active_threads():
            if (post.parent_id, post.owner_id, post.name) == (forum.id, own_id, name):
                yield post
        async for post in forum.archived_threads(limit=_ARCHIVED):
            if (post.owner_id, post.name) == (own_id, name):
                yield post


def _forum(channel: object) -> discord.ForumChannel | None:
    return channel if isinstance(channel, discord.ForumChannel) else None


def mark_of(message: OutboundMessage) -> str:
    """Return the small line by which a post is found again; `agent receipt` takes the id in it."""
    return f"-# message {message.message_id[:_SHOWN_OF_ID]}"


def title_in(text: str) -> str:
    """Return the title of a post: the first line of its text, without Discord's markup."""
    line = next(iter(text.strip().splitlines()), "").strip()
    title = _ESCAPED.sub(r"\1", _BOLD.sub("", line)) or "(no title)"
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…"


async def _bears(post: discord.Thread, mark: str) -> bool:
    async for first in post.history(limit=1, oldest_first=True):
        return mark in first.content.splitlines()
    return False


def _required_tags(forum: discord.ForumChannel) -> list[discord.ForumTag]:
    """Return a tag for a forum that wants one from the start; the right one follows."""
    return list(forum.available_tags[:1]) if forum.flags.require_tag else []
