"""Platforms with threads for cards, as the contract suite meets them: in memory, and Discord's text channels and forums."""

import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

import discord
from simcord import ChannelHandle, Env, MemberActor

from bot.backlog.kept_threads import CardThreads
from bot.model import Address, MessageKind, OutboundMessage
from connectors.discord.card_threads import DiscordCardThreads
from connectors.discord.posts import Posts
from tests.fakes.kept_threads import MemoryCardThreads


class Look:
    """How people see a thread."""

    def __init__(self, name: str, tags: frozenset[str], *, archived: bool) -> None:
        self.name, self.tags, self.archived = name, tags, archived


class ThreadStage(Protocol):
    """A platform with one person on it. ``opening`` says what a thread may begin with, ``begun`` counts threads.

    ``tag`` lets the person put a tag on a thread. ``quiet`` lets so much time pass that nobody spoke a moment ago.
    """

    has_tags: bool

    @property
    def threads(self) -> CardThreads: ...

    async def opening(self, text: str) -> Address: ...

    async def look(self, thread: Address) -> Look | None: ...

    async def speak(self, thread: Address) -> None: ...

    async def rename(self, thread: Address, name: str) -> None: ...

    async def remove(self, thread: Address) -> None: ...

    async def quiet(self) -> None: ...

    async def begun(self) -> int: ...


class MemoryThreadStage:
    """The fake, as people see it."""

    has_tags = True

    def __init__(self) -> None:
        self.threads = self._platform = MemoryCardThreads(Address("memory", "cards"))

    async def opening(self, text: str) -> Address:
        event_id = f"${len(self._platform.openings)}"
        self._platform.openings.add(event_id)
        return Address("memory", "cards", event_id)

    async def look(self, thread: Address) -> Look | None:
        found = self._platform.threads.get(str(thread.thread))
        if found is None:
            return None
        return Look(found.title[:100], frozenset({found.status}), archived=found.archived)

    async def speak(self, thread: Address) -> None:
        self._platform.spoken.add(str(thread.thread))

    async def rename(self, thread: Address, name: str) -> None:
        """Nobody renames a thread here."""

    async def remove(self, thread: Address) -> None:
        self._platform.openings.remove(str(thread.thread))

    async def quiet(self) -> None:
        self._platform.spoken.clear()

    async def begun(self) -> int:
        return sum(self._platform.begun.values())


class DiscordThreadStage:
    """A server of simcord with one channel for cards; the connector's objects are real ones of discord.py."""

    def __init__(
        self, env: Env, client: discord.Client, channel: ChannelHandle, person: MemberActor
    ) -> None:
        self.env, self.client, self.channel, self.person = env, client, channel, person
        self.threads = DiscordCardThreads(lambda: client, channel.id, now=env.now)
        self.posts = Posts(client)
        self.has_tags = isinstance(client.get_channel(channel.id), discord.ForumChannel)

    async def opening(self, text: str) -> Address:
        channel = self.client.get_channel(self.channel.id)
        if isinstance(channel, discord.ForumChannel):
            event_id = await self.posts.make(channel, opening(self.threads.place, text), text)
        else:
            assert isinstance(channel, discord.TextChannel)
            event_id = (await channel.send(text)).id
        await self.env.settle()
        return Address("discord", str(self.channel.id), str(event_id))

    async def look(self, thread: Address) -> Look | None:
        found = await self._thread(thread)
        if found is None:
            return None
        tags = frozenset(tag.name for tag in found.applied_tags)
        return Look(found.name, tags, archived=found.archived)

    async def speak(self, thread: Address) -> None:
        handle = next(one for one in self.channel.threads if str(one.id) == thread.thread)
        await self.person.send(handle, "hello")

    async def rename(self, thread: Address, name: str) -> None:
        found = await self._thread(thread)
        assert found is not None
        await found.edit(name=name)
        await self.env.settle()

    async def remove(self, thread: Address) -> None:
        """Remove the thread and, in a text channel, the message that it began with."""
        if self.has_tags:
            found = await self._thread(thread)
            assert found is not None
            await found.delete()
        else:
            channel = self.client.get_channel(self.channel.id)
            assert isinstance(channel, discord.TextChannel)
            await channel.get_partial_message(int(str(thread.thread))).delete()
        await self.env.settle()

    async def quiet(self) -> None:
        await self.env.advance_time(60)

    async def begun(self) -> int:
        return len(self.channel.threads)

    async def _thread(self, thread: Address) -> discord.Thread | None:
        await self.env.settle()
        try:
            found = await self.client.fetch_channel(int(str(thread.thread)))
        except discord.NotFound:
            return None
        assert isinstance(found, discord.Thread)
        return found


def opening(place: Address, text: str) -> OutboundMessage:
    """Return an opening as the worker hands it out."""
    return OutboundMessage(f"id of {text}", 0, f"t {text}", place, MessageKind.NOTICE, text)


@contextlib.asynccontextmanager
async def discord_stage(*, forum: bool) -> AsyncIterator[DiscordThreadStage]:
    """Give a server with a text channel or a forum for cards, and a bot there."""
    client = discord.Client(intents=discord.Intents.all())
    # Not simcord.run: what it sets for its block must be taken back in the same context, which a fixture is not.
    env = Env(client)
    await env.start()
    try:
        guild = env.create_guild("fleet")
        make = guild.create_forum_channel if forum else guild.create_text_channel
        channel = make("cards")
        person = guild.add_member(env.create_user("ann"))
        await env.settle()
        yield DiscordThreadStage(env, client, channel, person)
    finally:
        await env.shutdown()
    env.raise_errors()
