"""Who is calling: a token's agent, the agent below whose pane the process runs, or a local user."""

import asyncio
import pwd
import socket
import struct
import uuid
import weakref
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.command.declare import Call
from bot.errors import UserError
from bot.model import Address, Caller, Principal, Via
from bot.ports import Panes

Tokens = Callable[[str], Awaitable[Principal | None]]
"""Returns the principal that a token was made for, None when it is not ours."""

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid (unix(7))


class Identity:
    """Names the principal behind a request.

    A token decides alone: one that is unknown is refused, never taken for its process's user. Without one
    a connection belongs to the process that made it, which is looked up once.
    """

    def __init__(self, panes: Panes | None, tokens: Tokens) -> None:
        self._panes = panes
        self._tokens = tokens
        self._peers: weakref.WeakKeyDictionary[asyncio.BaseTransport, Principal] = (
            weakref.WeakKeyDictionary()
        )

    async def call(self, request: web.Request, via: Via) -> Call:
        """Return the call that a request makes: who, from where, under an id of its own."""
        principal = await self.principal(request)
        return Call(Caller(principal, via), _source(principal, via), uuid.uuid4().hex)

    async def principal(self, request: web.Request) -> Principal:
        """Return who calls; UserError with the code ``unknown_token`` for a token that is not ours."""
        given = request.headers.get("Authorization")
        if given is not None:
            return await self._bearer(given)
        transport = request.transport
        known = None if transport is None else self._peers.get(transport)
        if known is None:
            known = await self._peer(*_peer(request))
            if transport is not None:
                self._peers[transport] = known
        return known

    async def _peer(self, pid: int, uid: int) -> Principal:
        if self._panes is not None and (agent := await self._panes.agent_of(pid)) is not None:
            return agent
        return Principal(f"local:{uid}", _user_name(uid))

    async def _bearer(self, given: str) -> Principal:
        scheme, _, token = given.partition(" ")
        principal = await self._tokens(token.strip()) if scheme.lower() == "bearer" else None
        if principal is None:
            raise UserError(
                "the token is not known here",
                code="unknown_token",
                hint="an agent's token is made new when the agent is started",
            )
        return principal


def _peer(request: web.Request) -> tuple[int, int]:
    """Return pid and uid of the process that connected, as the kernel noted them (SO_PEERCRED)."""
    transport = request.transport
    peer = None if transport is None else transport.get_extra_info("socket")
    if peer is None:
        raise UserError("the caller hung up", code="forbidden")
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    return pid, uid


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _source(principal: Principal, via: Via) -> Address:
    """Where an answer that comes later belongs: an agent's terminal, else nowhere but this call."""
    if principal.platform == "agent":
        return Address("agent", principal.id.partition(":")[2])
    return Address(str(via), principal.id)
