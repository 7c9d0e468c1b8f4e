"""The library's client as we use it: it keeps as little as it can, and hands on what it hears, in order."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import INTERNAL_API_VERSION, Route

from connectors.discord.once import trace

KIND = "discord"
_API = f"https://discord.com/api/v{INTERNAL_API_VERSION}"
_GATEWAY = "wss://gateway.discord.gg/"
_LOOK_SECONDS = 0.2
_LONGEST_LIMIT_SECONDS = 30.0
"""A limit that lasts longer is ours to wait out; the library takes no shorter one."""

SILENCE = timedelta(seconds=60)
"""A gateway that says nothing for so long is gone; it beats every 41 s."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A session began: what was said before is not told again."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Somebody said something."""

    message: discord.Message


@dataclass(frozen=True, slots=True)
class Edited:
    """A message is another one now, or Discord found out more about it."""

    message: discord.Message


@dataclass(frozen=True, slots=True)
class Deleted:
    """Messages of one channel are gone; nobody says by whose hand."""

    channel_id: int
    message_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """Somebody put a mark on a message, or took it away."""

    told: discord.RawReactionActionEvent
    is_gone: bool = False


Happening = Connected | Spoken | Edited | Deleted | Marked
Hear = Callable[[Happening], None]


def point_library(api_url: str, gateway_url: str) -> None:
    """Let the library, in this whole process, talk to another Discord than the real one; empty is that one."""
    Route.BASE = api_url.rstrip("/") or _API
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url or _GATEWAY)


class DiscordClient(discord.Client):
    """One bot's view of Discord. ``hear`` is called with what happens, in Discord's order, and never waits.

    ``words`` asks for the privileged intent without which Discord leaves out what people write. ``server`` waits
    for one that Discord tells us of when a session begins.
    """

    def __init__(self, hear: Hear, *, words: bool) -> None:
        # Nothing is spoken aloud here; the library warns of it at every start.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        super().__init__(
            intents=discord.Intents(
                guilds=True, guild_messages=True, guild_reactions=True, message_content=words
            ),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=0.05,
            heartbeat_timeout=SILENCE.total_seconds(),
            max_ratelimit_timeout=_LONGEST_LIMIT_SECONDS,
            allowed_mentions=discord.AllowedMentions.none(),
            http_trace=trace(),
        )
        self._hear = hear
        self.words = words
        self.is_up = False
        self._servers: dict[int, asyncio.Event] = {}

    async def server(self, guild_id: int) -> None:
        """Wait until Discord has told of a server, whose channels and threads are then known.

        It is looked for too: of one that Discord tells of just when the library has waited for it long enough, the
        library says nothing.
        """
        told = self._told(guild_id)
        while not (told.is_set() or self.has_server(guild_id)):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await told.wait()

    def has_server(self, guild_id: int) -> bool:
        """Whether we are in a server, and Discord has it at hand."""
        known = self.get_guild(guild_id)
        return known is not None and not known.unavailable

    def _told(self, guild_id: int) -> asyncio.Event:
        return self._servers.setdefault(guild_id, asyncio.Event())

    async def on_connect(self) -> None:
        """Be told that a session began."""
        self.is_up = True
        for told in self._servers.values():
            told.clear()
        self._hear(Connected())

    async def on_resumed(self) -> None:
        """Be told that the session goes on: Discord has told again what we missed."""
        self.is_up = True

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Be told of a server."""
        self._told(guild.id).set()

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Be told of a server that we were let into, or that was away."""
        self._told(guild.id).set()

    async def on_message(self, message: discord.Message) -> None:
        """Be told of a message."""
        self._hear(Spoken(message))

    async def on_raw_message_edit(self, told: discord.RawMessageUpdateEvent) -> None:
        """Be told of a changed message."""
        self._hear(Edited(told.message))

    async def on_raw_message_delete(self, told: discord.RawMessageDeleteEvent) -> None:
        """Be told of a message that is gone."""
        self._hear(Deleted(told.channel_id, (told.message_id,)))

    async def on_raw_bulk_message_delete(self, told: discord.RawBulkMessageDeleteEvent) -> None:
        """Be told of messages that are gone."""
        self._hear(Deleted(told.channel_id, tuple(sorted(told.message_ids))))

    async def on_raw_reaction_add(self, told: discord.RawReactionActionEvent) -> None:
        """Be told of a mark."""
        self._hear(Marked(told))

    async def on_raw_reaction_remove(self, told: discord.RawReactionActionEvent) -> None:
        """Be told of a mark that is gone."""
        self._hear(Marked(told, is_gone=True))


def powers_in(channel: discord.abc.GuildChannel) -> discord.Permissions | None:
    """Return what we may do in a channel, None while the gateway has not told of us as a member."""
    own: discord.Member | None = channel.guild.me  # the library says that it is always there
    return None if own is None else channel.permissions_for(own)
