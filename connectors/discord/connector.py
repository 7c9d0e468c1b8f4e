"""The Discord connector: one bot in one server."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.clock.together import until_one_ends
from bot.command.lobby import Lobby
from bot.connector import Capabilities, ConnectorHealth
from bot.enclosure import Attachment
from bot.errors import SetupError, TransientError, UserError
from bot.model import Address, InboundBatch, OutboundMessage, SendResult
from bot.ports import Accept, Contents
from connectors.discord.api import Api
from connectors.discord.card_threads import QUIET, DiscordCardThreads
from connectors.discord.client import KIND, DiscordClient, Happening, point_library
from connectors.discord.face import Face, PlainFace
from connectors.discord.failures import translated
from connectors.discord.gateway import Gateway, WordsWithheld
from connectors.discord.history import History, Knows
from connectors.discord.limits import CAPABILITIES
from connectors.discord.lookback import Lookback, Shown
from connectors.discord.places import Places, number_of
from connectors.discord.posts import Posts
from connectors.discord.reader import Reader
from connectors.discord.recent import Recent
from connectors.discord.touches.interactions import Interactions
from connectors.discord.typing_marks import TypingMarks
from connectors.discord.voice import Voice

_LOOK_AGAIN = timedelta(minutes=1)
"""How often it is looked whether a person has granted what was withheld."""

_PATIENCE = timedelta(seconds=90)
"""For one message with all that it needs; a delivery's lease is longer."""

_WITHHELD = (
    "Discord withholds what people write: switch the Message Content Intent on at"
    " discord.com/developers/applications, Bot; until then slash commands and calls of the bot work"
)

_NO_SERVER = "the bot is not in its server any more, or Discord does not have the server at hand"


Sole = Callable[[], AbstractAsyncContextManager[asyncio.Event]]
"""Keeps all others from being this bot; what it lends is set when it no longer can. SetupError when it never could."""


@asynccontextmanager
async def _nobody_else() -> AsyncIterator[asyncio.Event]:
    yield asyncio.Event()


async def _nothing_known(_event_ids: Sequence[str]) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class _Session:
    """What there is while the bot is logged in."""

    client: DiscordClient
    api: Api
    gateway: Gateway
    reader: Reader
    places: Places
    voice: Voice
    typing: TypingMarks

    def is_in(self, guild_id: int) -> bool:
        """Whether the line is there, and a server on its other end."""
        return self.client.is_up and self.client.has_server(guild_id)

    def trouble(self, guild_id: int) -> str:
        """Why we cannot be reached there; empty when nobody knows."""
        has_line_only = self.client.is_up and not self.client.has_server(guild_id)
        return _NO_SERVER if has_line_only else self.gateway.trouble


class DiscordConnector:
    """Speaks and listens as one bot (implements Connector, LooksBack, ShowsTyping, FetchesFiles and HasCardThreads).

    ``channel_id`` is the primary channel, ``cards_channel_id`` the text channel or forum for threads of cards;
    ``further`` gives the ids of more in which we listen, threads below them all included. ``guild_id`` is the server,
    found out when empty. ``api_url`` and ``gateway_url`` lead to another Discord than the real one, for the whole
    process. ``knows`` tells which events were read before, ``contents`` has the bytes of files that are sent, ``face``
    serves what people press (with a ``lobby``: slash commands, buttons and forms of all commands), ``quiet`` as
    DiscordCardThreads has it. ``sole`` is held meanwhile: one process at a time may be this bot. ``shown`` tells under
    which of Discord's ids something of ours is known to stand. Nothing is
    requested before ``subscribe``, and sending works while that runs.
    """

    kind = KIND

    def __init__(
        self,
        channel_id: str,
        token: str,
        *,
        contents: Contents,
        guild_id: str = "",
        cards_channel_id: str = "",
        api_url: str = "",
        gateway_url: str = "",
        further: Callable[[], Collection[str]] = tuple,
        knows: Knows = _nothing_known,
        face: Face | None = None,
        lobby: Lobby | None = None,
        quiet: timedelta = QUIET,
        sole: Sole = _nobody_else,
        shown: Shown = _nothing_known,
        look_again: timedelta = _LOOK_AGAIN,
    ) -> None:
        self._place = Address(KIND, channel_id)
        self._channel_id = number_of(channel_id, self._place)
        self._token = token
        self._contents = contents
        self._guild_id = guild_id
        self._further = further
        self._knows = knows
        self._face: Face = face or (PlainFace() if lobby is None else Interactions(lobby))
        cards = number_of(cards_channel_id or channel_id, self._place)
        self.card_threads = DiscordCardThreads(lambda: self._present().client, cards, quiet=quiet)
        self._sole = sole
        self._shown = shown
        self._look_again = look_again
        self._recent = Recent()
        self._turns: dict[str, asyncio.Lock] = {}
        self._session: _Session | None = None
        self._last_inbound: float | None = None
        self._log = structlog.get_logger(part=KIND)
        point_library(api_url, gateway_url)

    async def send(self, message: OutboundMessage) -> SendResult:
        """Show a message and return Discord's id of it; calls for one channel are done in the order made.

        A thread that is missing is begun. Raises UserError for what Discord refuses, TransientError while it is away
        or we are not connected, with its own wait if it gave one.
        """
        if message.to.kind != KIND:
            raise UserError(f"{message.to} is no place on Discord")
        return await self._in_turn(message, lambda voice: voice.say(message))

    async def send_again(self, message: OutboundMessage, first_tried_at: datetime) -> SendResult:
        """Send what an earlier try may have shown, unless it stands there (see LooksBack)."""
        return await self._in_turn(message, lambda voice: voice.say_again(message, first_tried_at))

    async def _in_turn(
        self, message: OutboundMessage, step: Callable[[Voice], Awaitable[SendResult]]
    ) -> SendResult:
        """Do what is to be done in a channel after what was asked before, within a delivery's lease."""
        async with self._turns.setdefault(message.to.place, asyncio.Lock()):
            with translated("sending"):
                async with asyncio.timeout(_PATIENCE.total_seconds()):
                    return await step(self._present().voice)

    def _present(self) -> _Session:
        if self._session is None:
            raise TransientError("the bot is not connected to Discord")
        return self._session

    async def subscribe(self, accept: Accept, position: str | None) -> None:
        """Hand every batch to ``accept``; outages after the first contact are waited out here."""

        async def hand_over(batch: InboundBatch) -> None:
            nonlocal position
            if batch.events:
                self._last_inbound = time.monotonic()
            await accept(batch)
            position = batch.position or position

        words = True
        async with self._sole() as lost:
            while True:
                try:
                    await self._attend(hand_over, position, lost, words=words)
                    words = True
                except WordsWithheld:
                    self._log.warning("words withheld")
                    words = False

    async def _attend(
        self, accept: Accept, position: str | None, lost: asyncio.Event, *, words: bool
    ) -> None:
        """Be logged in, listen and read, until one of them fails, or what was withheld is granted."""
        async with self._logged_in(words=words) as session:
            await self._face.prepare(session.client, accept, guild_id=int(self._guild_id))
            steps = (session.reader.run(accept, position), session.gateway.run(), _watch(lost))
            await until_one_ends(*steps, *([] if words else [self._words_granted(session)]))

    async def _words_granted(self, session: _Session) -> None:
        """Return once somebody has switched on that we may read what people write."""
        while True:
            if await session.api.may_read_words():
                return
            await asyncio.sleep(self._look_again.total_seconds())

    @asynccontextmanager
    async def _logged_in(self, *, words: bool) -> AsyncIterator[_Session]:
        session = self._make(words=words)
        try:
            with translated("logging in"):
                await session.client.login(self._token)
            await self._look_at_home(session)
            self._session = session
            yield session
        finally:
            self._session = None
            await session.typing.close()
            await session.client.close()

    def _make(self, *, words: bool) -> _Session:
        def hear(happening: Happening) -> None:
            reader.hear(happening)

        client = DiscordClient(hear, words=words)
        api = Api(client)
        places = Places(client, api, self._channels)
        history = History(client, api, places, self._knows)
        reader = Reader(
            client, places, history, self._recent, self._told_of_server, knows=self._knows
        )
        lookback = Lookback(api, self._shown, lambda: client.user.id if client.user else None)
        voice = Voice(
            api,
            places,
            self._recent,
            self._contents,
            self._face,
            lookback=lookback,
            posts=Posts(client),
        )
        return _Session(client, api, Gateway(client), reader, places, voice, TypingMarks(api))

    def _channels(self) -> Collection[str]:
        own = (str(self._channel_id), self.card_threads.place.place)
        return tuple(dict.fromkeys((*own, *self._further())))

    async def _look_at_home(self, session: _Session) -> None:
        """See whether the primary channel is where the roster says; SetupError when a person must act."""
        hint = "look at guild_id and channel_id, and whether the bot was let into that channel"
        try:
            told = await session.api.channel(self._channel_id)
        except UserError as error:
            raise SetupError(
                f"the channel {self._channel_id}: {error.message}", hint=hint
            ) from error
        found = str(told.get("guild_id") or "")
        if not found:
            raise SetupError(
                f"the channel {self._channel_id} is in no server: it is a direct message", hint=hint
            )
        if self._guild_id not in {"", found}:
            raise SetupError(
                f"the channel {self._channel_id} is in the server {found}, not in {self._guild_id}",
                hint=hint,
            )
        self._guild_id = found

    async def _told_of_server(self) -> None:
        await self._present().client.server(int(self._guild_id))

    async def typing(self, address: Address, *, active: bool) -> None:
        """Show that we are at work; a signal that does not get through is dropped."""
        session = self._present()
        thread = None if address.thread is None else number_of(address.thread, address)
        known = thread is not None and session.places.has_thread(thread)
        channel_id = thread if known and thread is not None else number_of(address.place, address)
        (session.typing.show if active else session.typing.end)(channel_id)

    async def fetch(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """Give a file's bytes (see FetchesFiles). Its address lasts a day, so the message is asked for it."""
        api = self._present().api
        channel_id, message_id, wanted = (
            int(attachment.reference[key]) for key in ("channel", "message", "attachment")
        )
        message = await api.message(channel_id, message_id)
        found = next((file for file in message.attachments if file.id == wanted), None)
        if found is None:
            raise UserError(f"the file {attachment.name} is no longer there", code="gone")
        async for piece in api.download(found.url):
            yield piece

    async def health(self) -> ConnectorHealth:
        """Return how the line is; it asks nobody, for the gateway tells every 41 s that it is there."""
        session = self._session
        if session is None:
            return ConnectorHealth(
                reachable=False,
                authenticated=False,
                state="away",
                detail="not connected to Discord",
            )
        guild_id, latency = int(self._guild_id), session.client.latency
        up = session.is_in(guild_id) and session.reader.has_begun
        withheld = up and not session.client.words
        return ConnectorHealth(
            reachable=up,
            authenticated=True,
            state="up" if up else "away",
            last_inbound_age=self._age(),
            last_roundtrip_ms=latency * 1000 if 0 <= latency < float("inf") else None,
            detail=_WITHHELD if withheld else "" if up else session.trouble(guild_id),
            safe_mode=withheld,
        )

    def _age(self) -> timedelta | None:
        if self._last_inbound is None:
            return None
        return timedelta(seconds=time.monotonic() - self._last_inbound)

    def capabilities(self) -> Capabilities:
        """Return what Discord can show."""
        return CAPABILITIES

    async def close(self) -> None:
        """Nothing is open between calls."""


async def _watch(lost: asyncio.Event) -> None:
    """Raise TransientError as soon as somebody else might be this bot."""
    await lost.wait()
    raise TransientError("the lock that keeps others from being this bot is lost")
