"""The stand-in's gateway: sessions that outlive their sockets, and what they are told.

Source: Discord's documentation, "Gateway" (connection lifecycle, resuming, transport compression, close codes).
"""

import asyncio
import contextlib
import itertools
import json
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.stages.discord_stand_in.mischief import Mischief, Trouble
from tests.stages.discord_stand_in.payloads import Bot, Payload, application_payload, guild_payload
from tests.stages.discord_stand_in.world import World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11
AUTHENTICATION_FAILED, INTENTS_DISALLOWED, UNKNOWN_ERROR = 4004, 4014, 4000
CONTENT_INTENT = 1 << 15
HEARTBEAT_MILLISECONDS = 41_250

_MESSAGES, _REACTIONS = 1 << 9, 1 << 10
_INTENTS = {"MESSAGE_CREATE": _MESSAGES, "MESSAGE_UPDATE": _MESSAGES, "MESSAGE_DELETE": _MESSAGES}
_GATHER = 0.03


@dataclass
class Session:
    """What one bot is told since it identified; an event's number is its place in ``told``, counted from one."""

    id: str
    bot: Bot
    intents: int
    told: list[tuple[str, Payload]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, event: str, payload: Payload) -> None:
        needed = _REACTIONS if event.startswith("MESSAGE_REACTION") else _INTENTS.get(event, 0)
        if needed and not self.intents & needed:
            return
        self.told.append((event, self._as_seen(event, payload)))
        self.changed.set()

    def _as_seen(self, event: str, payload: Payload) -> Payload:
        """Leave out the words of messages for a bot without the intent, unless it wrote or is named in them."""
        if self.intents & CONTENT_INTENT or event not in {"MESSAGE_CREATE", "MESSAGE_UPDATE"}:
            return dict(payload)
        own = self.bot.user.id
        if payload["author"]["id"] == own or any(one["id"] == own for one in payload["mentions"]):
            return dict(payload)
        return payload | {"content": "", "attachments": [], "embeds": [], "components": []}


class Socket:
    """One connection of a bot."""

    def __init__(self, wire: web.WebSocketResponse, *, compressed: bool) -> None:
        self.wire = wire
        self._zlib = zlib.compressobj() if compressed else None

    async def send(
        self,
        op: int,
        data: Any,
        event: str | None = None,
        number: int | None = None,
        *,
        pieces: int = 1,
    ) -> None:
        text = json.dumps({"op": op, "d": data, "s": number, "t": event})
        if self._zlib is None:
            await self.wire.send_str(text)
            return
        squeezed = self._zlib.compress(text.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH)
        size = max(4, -(-len(squeezed) // pieces))
        for start in range(0, len(squeezed), size):
            await self.wire.send_bytes(squeezed[start : start + size])


class Gateway:
    """The door for bots' sockets.

    ``identified`` counts sessions that were begun, ``resumed`` those that went on; ``resumable`` false forgets
    every session as soon as its socket is gone.
    """

    def __init__(self, mischief: Mischief) -> None:
        self.identified = self.resumed = 0
        self.resumable = True
        self.closes_with: Callable[[], int | None] = lambda: None
        self._mischief = mischief
        self._numbers = itertools.count(1)
        self._sessions: dict[str, Session] = {}
        self._sockets: dict[Socket, Session] = {}

    def emit(self, event: str, payload: Payload) -> None:
        """Tell every session of an event."""
        for session in self._sessions.values():
            session.tell(event, payload)

    @property
    def connected(self) -> int:
        """How many bots have a socket open."""
        return len(self._sockets)

    async def drop(self, code: int = UNKNOWN_ERROR) -> None:
        """Close every socket with a code."""
        for socket in list(self._sockets):
            await socket.wire.close(code=code)

    async def say(self, op: int, data: Any = None) -> None:
        """Say something that is no event to every bot, such as that it should reconnect."""
        for socket in list(self._sockets):
            await socket.send(op, data)

    def abort(self) -> None:
        """Cut every socket without a word."""
        for socket in list(self._sockets):
            _cut(socket.wire)

    async def attend(self, request: web.Request, world: World) -> web.StreamResponse:
        """Talk with a bot until its socket is gone."""
        if self._mischief.trouble is Trouble.ERROR_STORM and self._mischief.strikes("gateway"):
            return web.Response(status=500)
        wire = web.WebSocketResponse(compress=False)
        await wire.prepare(request)
        socket = Socket(wire, compressed=request.query.get("compress") == "zlib-stream")
        talk = _Talk(self, socket, world, request.host)
        try:
            await socket.send(HELLO, {"heartbeat_interval": HEARTBEAT_MILLISECONDS})
            async for frame in wire:
                if frame.type is WSMsgType.TEXT:
                    await talk.hear(json.loads(frame.data))
        except ConnectionError:
            pass
        finally:
            await talk.end()
        return wire

    # -- what talks need -------------------------------------------------------------------------------

    def begin(self, bot: Bot, intents: int, socket: Socket) -> Session:
        session = Session(f"session-{next(self._numbers)}", bot, intents)
        self.identified += 1
        self._sessions[session.id] = session
        self._sockets[socket] = session
        return session

    def resume(self, session_id: str, token: str, number: int, socket: Socket) -> Session | None:
        session = self._sessions.get(session_id)
        if session is None or session.bot.token != token or number > len(session.told):
            return None
        self.resumed += 1
        self._sockets[socket] = session
        return session

    def forget(self, session: Session | None, socket: Socket) -> None:
        self._sockets.pop(socket, None)
        if session is not None and not self.resumable:
            self._sessions.pop(session.id, None)

    def forget_sessions(self) -> None:
        """Forget every session, as Discord does after some minutes without a socket."""
        self._sessions.clear()

    async def relate(self, session: Session, socket: Socket, after: int) -> None:
        """Tell a socket all that its session is told, from a number on, for ever."""
        done = after
        while True:
            session.changed.clear()
            while done < len(session.told):
                await self._gather(session, done)
                event, payload = session.told[done]
                done += 1
                await self._send(socket, event, payload, done)
            await session.changed.wait()

    async def _gather(self, session: Session, done: int) -> None:
        """Turn the order of the channels round, if that is played, and keep the order within each."""
        if self._mischief.trouble is not Trouble.REORDER:
            return
        await asyncio.sleep(_GATHER)
        waiting = session.told[done:]
        turned = sorted(waiting, key=lambda one: str(one[1].get("channel_id", "")), reverse=True)
        self._mischief.struck += turned != waiting
        session.told[done:] = turned

    async def _send(self, socket: Socket, event: str, payload: Payload, number: int) -> None:
        slow = self._mischief.trouble is Trouble.SLOW
        if slow:
            self._mischief.struck += 1
            await asyncio.sleep(0.05)
        for _ in range(2 if self._mischief.trouble is Trouble.DOUBLE else 1):
            await socket.send(DISPATCH, payload, event, number, pieces=3 if slow else 1)
        cuts = self._mischief.trouble is Trouble.CUT and event == "MESSAGE_CREATE"
        if cuts and self._mischief.strikes("gateway"):
            _cut(socket.wire)


class _Talk:
    """The talk on one socket."""

    def __init__(self, gateway: Gateway, socket: Socket, world: World, host: str) -> None:
        self._gateway = gateway
        self._socket = socket
        self._world = world
        self._host = host
        self._session: Session | None = None
        self._telling: asyncio.Task[None] | None = None

    async def hear(self, frame: Payload) -> None:
        plays: dict[int, Callable[[Any], Awaitable[None]]] = {
            HEARTBEAT: self._beat,
            IDENTIFY: self._identify,
            RESUME: self._resume,
        }
        play = plays.get(frame["op"])
        if play is not None:
            await play(frame["d"])

    async def end(self) -> None:
        self._gateway.forget(self._session, self._socket)
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)

    async def _beat(self, _number: int | None) -> None:
        await self._socket.send(ACK, None)

    async def _identify(self, told: Payload) -> None:
        bot = self._world.bots.get(told["token"])
        code = self._gateway.closes_with()
        if bot is None:
            code = AUTHENTICATION_FAILED
        elif told["intents"] & CONTENT_INTENT and not bot.reads_words:
            code = INTENTS_DISALLOWED
        if code is not None or bot is None:
            await self._socket.wire.close(code=code or AUTHENTICATION_FAILED)
            return
        bot.knocks -= 1
        session = self._session = self._gateway.begin(bot, told["intents"], self._socket)
        session.tell("READY", self._ready(session))
        session.tell(
            "GUILD_CREATE",
            guild_payload(self._world.guild_id, list(self._world.channels.values()), bot.user),
        )
        self._relate(session, 0)

    def _ready(self, session: Session) -> Payload:
        application = application_payload(session.bot)
        return {
            "v": 10,
            "user": session.bot.user.payload(),
            "guilds": [{"id": self._world.guild_id, "unavailable": True}],
            "session_id": session.id,
            "resume_gateway_url": f"ws://{self._host}/gateway",
            "application": {"id": application["id"], "flags": application["flags"]},
        }

    async def _resume(self, told: Payload) -> None:
        number = int(told["seq"] or 0)
        session = self._gateway.resume(str(told["session_id"]), told["token"], number, self._socket)
        if session is None:
            await self._socket.send(INVALID, data=False)
            return
        self._session = session
        session.tell("RESUMED", {})
        self._relate(session, number)

    def _relate(self, session: Session, after: int) -> None:
        async def relate() -> None:
            with contextlib.suppress(ConnectionError):
                await self._gateway.relate(session, self._socket, after)

        self._telling = asyncio.create_task(relate())


def _cut(wire: web.WebSocketResponse) -> None:
    request = getattr(wire, "_req", None)
    if request is not None and request.transport is not None:
        request.transport.abort()
