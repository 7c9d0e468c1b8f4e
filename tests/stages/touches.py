"""A Discord server in the process, behind the library's own objects, with the middle of a daemon: what people touch."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import discord
from simcord import ChannelHandle, Env, InteractionResult, MemberActor

from bot.command.catalog import Catalog
from bot.command.declare import Subject
from bot.command.interpreter import Interpreter
from bot.command.lobby import Lobby, Source
from bot.connector import Capabilities
from bot.model import Address, InboundBatch, OutboundMessage, SendResult
from bot.policy import Access, Policy
from bot.ports import Accept, Carrier
from bot.wiring.reception import ConnectorCarrier
from bot.wiring.suggesting import sources
from bot.wiring.topics import TOPICS
from commands.backlog import BacklogCommands
from commands.mail import MailCommands
from commands.sessions import DialogCommands
from connectors.discord.api import Api
from connectors.discord.client import KIND, DiscordClient
from connectors.discord.limits import CAPABILITIES
from connectors.discord.lookback import Lookback
from connectors.discord.places import Places
from connectors.discord.posts import Posts
from connectors.discord.recent import Recent
from connectors.discord.touches.interactions import Interactions
from connectors.discord.voice import Voice
from connectors.memory import MemoryConnector, MemoryPlatform
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.contents import MemoryContents
from tests.fakes.correspondence import MemoryCorrespondence, MemoryPost
from tests.fakes.decisions import MemoryConfirmations
from tests.fakes.fleet import MemoryFleet
from tests.fakes.inquiry import MemoryInquiry
from tests.fakes.mailroom import Room
from tests.fakes.offers import MemoryOffers
from tests.fakes.personas import MemoryPersonas
from tests.fakes.provisioning import MemoryProvisioning
from tests.fakes.sessions import MemoryDialogs
from tests.stages.middle import Middle
from tests.waiting import until

AGENTS = (
    {"name": "coder0", "class": "code", "runtime": "dogfood"},
    {"name": "critic0", "class": "critic", "runtime": "dogfood"},
)


class Server:
    """One server: a channel where commands are taken, one where they are not, and three people."""

    def __init__(self, env: Env) -> None:
        self.env = env
        self.guild = env.create_guild("fleet")
        self.channel = self.guild.create_text_channel("ops")
        self.elsewhere = self.guild.create_text_channel("coffee")
        self.ann, self.mo, self.eve = (
            self.guild.add_member(env.create_user(name)) for name in ("ann", "mo", "eve")
        )
        self.access = Access(
            frozenset({f"{KIND}:{self.ann.id}"}),
            frozenset({f"{KIND}:{self.mo.id}"}),
            frozenset({f"{KIND}:{self.channel.id}"}),
        )
        self.place = Address(KIND, str(self.channel.id))

    def requests(self, method: str, ending: str) -> int:
        """Count what the bot asked of Discord."""
        told = self.env.http_requests
        return sum(one.method == method and one.path.endswith(ending) for one in told)

    def seen_by(self, who: MemberActor, channel: ChannelHandle | None = None) -> list[str]:
        """Return what somebody reads in a channel."""
        history = (channel or self.channel).history(viewer=who)
        return [message.content for message in history]


async def text_of(result: InteractionResult) -> str:
    """Wait for an answer, and return it."""

    def said() -> str:
        return "" if result.response is None else result.response.content

    return await until(said, what="an answer")


def labels(result: InteractionResult | discord.Message) -> list[str]:
    """Return what people may press below a message, of a select its options."""
    rows: Any = (
        [one.to_dict() for one in result.components]
        if isinstance(result, discord.Message)
        else []
        if result.response is None
        else result.response.components
    )
    inner = [one for row in rows for one in row["components"]]
    return [str(each["label"]) for one in inner for each in one.get("options", [one])]


async def message_of(server: Server, words: str) -> discord.Message:
    """Wait until these words stand in the channel, and return them as people see them."""

    def found() -> list[discord.Message]:
        return [one for one in server.channel.history() if one.content == words]

    return (await until(found, what=words))[0]


@contextlib.asynccontextmanager
async def a_server() -> AsyncIterator[Server]:
    """Give a server whose bot has not come yet: ``Life`` lets one in."""
    env = Env(new_client())
    await env.start()
    try:
        yield Server(env)
    finally:
        await env.shutdown()
    env.raise_errors()


def new_client() -> DiscordClient:
    return DiscordClient(lambda _happening: None, words=True)


@dataclass(slots=True)
class Heard:
    """What came in, when nothing handles it; ``ends`` are what storing it raises first."""

    batches: list[InboundBatch] = field(default_factory=list)
    ends: list[Exception] = field(default_factory=list)

    async def accept(self, batch: InboundBatch) -> None:
        if self.ends:
            raise self.ends.pop(0)
        self.batches.append(batch)

    def texts(self) -> list[str]:
        return [event.text for batch in self.batches for event in batch.events]


def known_sources(backlog: MemoryBacklog) -> Mapping[Subject, Source]:
    """Return what is suggested of a small installation."""
    return sources(
        backlog,
        MemoryInquiry(backlog),
        lambda: AGENTS,
        MemoryPersonas(),
        MemoryProvisioning(),
    )


def whole_catalog() -> Catalog:
    """Return every command there is, none of which can be run."""
    return Catalog([object.__new__(topic) for topic in TOPICS])


def lobby_of(server: Server, catalog: Catalog, room: Room, backlog: MemoryBacklog) -> Lobby:
    """Return what a face asks of this server's policy."""
    return lobby_for(server.access, catalog, room, backlog)


def lobby_for(access: Access, catalog: Catalog, room: Room, backlog: MemoryBacklog) -> Lobby:
    """Return what a face asks where these people have access."""
    grants = {command.name: command.roles for command in catalog.commands.values()}
    policy = Policy(access, grants)
    return Lobby(lambda: catalog, lambda: policy, MemoryOffers(room), known_sources(backlog))


async def let_in(server: Server, face: Interactions, accept: Accept) -> DiscordClient:
    """Let a new life of the bot in; whatever the one before kept in memory is gone."""
    client = new_client()
    await server.env.restart_bot(client)
    with server.env.time_context():
        await face.prepare(client, accept, guild_id=server.guild.id)
    await server.env.settle()
    return client


async def _nothing_shown(_platform_ids: Sequence[str]) -> frozenset[str]:
    return frozenset()


class SimConnector:
    """Says things by the library's objects as the connector does."""

    kind = KIND

    def __init__(self, client: DiscordClient, server: Server, face: Interactions) -> None:
        api = Api(client)
        places = Places(client, api, lambda: [str(server.channel.id)])
        self._voice = Voice(
            api,
            places,
            Recent(),
            MemoryContents(),
            face,
            posts=Posts(client),
            lookback=Lookback(api, _nothing_shown, lambda: None),
        )

    async def send(self, message: OutboundMessage) -> SendResult:
        return await self._voice.say(message)

    async def subscribe(self, accept: Accept, position: str | None) -> None:
        await asyncio.Event().wait()

    async def typing(self, address: Address, *, active: bool) -> None:
        """Show nothing."""

    def capabilities(self) -> Capabilities:
        return CAPABILITIES


class TouchMiddle(Middle):
    """The middle of a daemon whose platform is a server's Discord; the database is ``room`` and ``backlog``."""

    def __init__(
        self,
        server: Server,
        room: Room,
        backlog: MemoryBacklog,
        life: str = "one",
        *,
        confirm: timedelta = timedelta(seconds=60),
    ) -> None:
        self._server, self._backlog, self._room = server, backlog, room
        self.confirmations = MemoryConfirmations()
        super().__init__(room, MemoryPlatform(), life, confirm=confirm)
        self.lobby = lobby_of(server, self.interpreter.catalog, room, backlog)
        self.face = Interactions(self.lobby)

    def _make_interpreter(self) -> Interpreter:
        backlog, room = self._backlog, self._room
        catalog = Catalog(
            [
                self.toys,
                BacklogCommands(backlog, backlog, backlog),
                MailCommands(MemoryCorrespondence(room), MemoryPost(room)),
                DialogCommands(MemoryDialogs(MemoryFleet(*AGENTS))),
            ]
        )
        grants = {command.name: command.roles for command in catalog.commands.values()}
        policy = Policy(self._server.access, grants)
        return Interpreter(
            catalog,
            lambda: policy,
            self.audit,
            self.confirmations,
            time_limit=timedelta(seconds=5),
            confirm_within=self._confirm,
        )

    def _carriers(self) -> dict[str, Carrier]:
        return {**super()._carriers(), KIND: ConnectorCarrier(self.connector)}

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator["TouchMiddle"]:
        """Let this life in, and run it until the block ends."""
        client = await let_in(self._server, self.face, self.router.accept)
        self.connector = cast("MemoryConnector", SimConnector(client, self._server, self.face))
        with self._server.env.time_context():
            async with self.running():
                yield self
