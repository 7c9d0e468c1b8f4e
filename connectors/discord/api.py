"""What we ask of Discord's REST API: each call bounded in time, and its failures ours.

Within a call the library waits out limits and errors of the server for a while; what lasts longer is a
TransientError with the wait that Discord named.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from datetime import timedelta
from typing import Any, Literal, TypeVar

import aiohttp
import discord

from bot.errors import TransientError, UserError
from connectors.discord.client import DiscordClient, powers_in
from connectors.discord.failures import translated

PATIENCE = timedelta(seconds=50)
"""For one call; a delivery's lease is longer."""

PAGE = 100
_ARCHIVED_PAGE = 50
_PIECE = 64 * 1024
DAY_MINUTES: Literal[1440] = 1440

Told = TypeVar("Told")


class Api:
    """One bot's calls. Every one raises TransientError, UserError (with Discord's code) or SetupError."""

    def __init__(self, client: DiscordClient) -> None:
        self._client = client

    async def post(self, channel_id: int, text: str, *, nonce: str, **more: Any) -> discord.Message:
        """Say something; the same nonce within minutes is shown once. ``more`` is as the library has it."""
        where = self._client.get_partial_messageable(channel_id)
        return await _bounded("sending", where.send(text or None, nonce=nonce, **more))

    async def edit(self, channel_id: int, message_id: int, **changes: Any) -> None:
        """Change what we said."""
        await _bounded("editing", self._message(channel_id, message_id).edit(**changes))

    async def delete(self, channel_id: int, message_id: int) -> None:
        """Take away what we said."""
        await _bounded("deleting", self._message(channel_id, message_id).delete())

    async def mark(self, channel_id: int, message_id: int, mark: str) -> None:
        """Put a mark on a message; harmless when it stands there."""
        await _bounded("marking", self._message(channel_id, message_id).add_reaction(mark))

    async def unmark(self, channel_id: int, message_id: int, mark: str) -> None:
        """Take a mark of ours away; harmless when it is gone."""
        own = self._client.user
        if own is not None:
            removing = self._message(channel_id, message_id).remove_reaction(mark, own)
            await _bounded("taking a mark away", removing)

    def _message(self, channel_id: int, message_id: int) -> discord.PartialMessage:
        return self._client.get_partial_messageable(channel_id).get_partial_message(message_id)

    async def message(self, channel_id: int, message_id: int) -> discord.Message:
        """Return a message as it stands now."""
        return await _bounded("reading a message", self._message(channel_id, message_id).fetch())

    async def page(self, channel_id: int, after: int) -> Sequence[discord.Message]:
        """Return the oldest messages that are newer than an id, at most ``PAGE``, oldest first.

        A UserError where we may not read back: Discord refuses nothing there, and tells of no messages ("Get Channel
        Messages").
        """
        if not self._may_read_back(channel_id):
            raise UserError("reading what was said: the bot lacks Read Message History there")
        where = self._client.get_partial_messageable(channel_id)
        history = where.history(limit=PAGE, after=discord.Object(after), oldest_first=True)

        async def read() -> list[discord.Message]:
            return [message async for message in history]

        return await _bounded("reading what was said", read())

    def _may_read_back(self, channel_id: int) -> bool:
        """Return whether we have the power for it, as far as the gateway told."""
        known = self._client.get_channel(channel_id)
        where = known.parent if isinstance(known, discord.Thread) else known
        if not isinstance(where, discord.abc.GuildChannel):
            return True
        powers = powers_in(where)
        return powers is None or powers.read_message_history

    async def channel(self, channel_id: int) -> dict[str, Any]:
        """Return what Discord says of a channel or thread."""
        told = await _bounded("looking at a channel", self._client.http.get_channel(channel_id))
        return dict(told)

    async def archived(
        self, channel_id: int, before: str | None
    ) -> tuple[list[dict[str, Any]], bool]:
        """Return threads of a channel that were put away, the last one first, and whether there are more.

        ``before`` is the time at which the last one that is known was put away, as Discord wrote it.
        """
        asking = self._client.http.get_public_archived_threads(
            channel_id,
            before,
            _ARCHIVED_PAGE,
        )
        told: Any = await _bounded("looking at archived threads", asking)
        return list(told["threads"]), bool(told["has_more"])

    async def may_read_words(self) -> bool:
        """Return whether somebody has switched the message content intent on; false while Discord is away."""
        try:
            told = await _bounded("looking at the intents", self._client.application_info())
        except TransientError:
            return False
        return told.flags.gateway_message_content or told.flags.gateway_message_content_limited

    async def begin_thread(self, channel_id: int, message_id: int, name: str) -> None:
        """Begin the thread of a message; a UserError with the code THREAD_EXISTS when it has one."""
        beginning = self._client.http.start_thread_with_message(
            channel_id, message_id, name=name, auto_archive_duration=DAY_MINUTES
        )
        await _bounded("beginning a thread", beginning)

    async def unarchive(self, thread_id: int) -> None:
        """Bring a thread back that was put away."""
        bringing = self._client.http.edit_channel(thread_id, archived=False)
        await _bounded("bringing a thread back", bringing)

    async def type(self, channel_id: int) -> None:
        """Show for ten seconds that we are at work."""
        await _bounded("showing work", self._client.http.send_typing(channel_id))

    async def download(self, url: str) -> AsyncIterator[bytes]:
        """Give a file in pieces. No token is sent along: the address itself is the right to read it."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE.total_seconds())
        with translated("fetching a file"):
            async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url) as answer:
                if answer.status == 404:
                    raise UserError("the file is no longer there", code="gone")
                answer.raise_for_status()
                async for piece in answer.content.iter_chunked(_PIECE):
                    yield piece


async def _bounded(doing: str, call: Awaitable[Told]) -> Told:
    with translated(doing):
        async with asyncio.timeout(PATIENCE.total_seconds()):
            return await call
