"""One account's way to its homeserver: requests through nio, answers as plain JSON, errors translated here.

nio carries the requests. Its ``sync`` is not used: it validates and keeps every event before we see it,
so one odd event can end a loop and rooms grow in memory; the answer's JSON goes to our own readers.
"""

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import nio

from bot.errors import MosaicError, SetupError, TransientError
from connectors.matrix.failures import read_refusal, translate

_PREFIX = "/_matrix/client/v3"
_PATIENCE = timedelta(seconds=30)
_GRACE = timedelta(seconds=15)
"""What a long poll may take beyond the time that we asked the server to hold it."""

_KEEP_ALIVE_SECONDS = 75.0


class Session:
    """A homeserver as one device of one account sees it.

    Opened by the first request, ended for good by ``close``. Every method raises TransientError (closed
    too), UserError (code: the errcode) or SetupError (token, account, address).
    """

    def __init__(
        self, homeserver_url: str, user_id: str, access_token: str, device_id: str | None = None
    ) -> None:
        self.user_id = user_id
        self.homeserver_url = homeserver_url.rstrip("/")
        self.last_roundtrip_ms: float | None = None
        config = nio.AsyncClientConfig(
            max_limit_exceeded=0,
            max_timeouts=0,
            request_timeout=_PATIENCE.total_seconds(),
            store_sync_tokens=False,
            encryption_enabled=False,
        )
        self._client = nio.AsyncClient(
            self.homeserver_url, user_id, device_id=device_id or "", config=config
        )
        self._client.access_token = access_token
        self._closed = False
        self.is_identified = False

    @property
    def device_id(self) -> str:
        """The device that the token belongs to; empty until ``identify``, unless it was given."""
        return str(self._client.device_id or "")

    async def identify(self, patience: timedelta = _PATIENCE) -> None:
        """Ask whom the token belongs to; SetupError when that is not our account or device."""
        told = await self._ask("asking who we are", "GET", "/account/whoami", patience=patience)
        if told.get("user_id") != self.user_id:
            raise SetupError(
                f"MATRIX_ACCESS_TOKEN belongs to {told.get('user_id')}, user_id says {self.user_id}",
                hint="give the token of that account, or change user_id",
            )
        device_id = told.get("device_id")
        if self.device_id and isinstance(device_id, str) and device_id != self.device_id:
            raise SetupError(
                f"MATRIX_DEVICE_ID is {self.device_id}, the token belongs to {device_id}",
                hint="leave MATRIX_DEVICE_ID out, or give the device's own token",
            )
        self._client.device_id = device_id or self.device_id
        self.is_identified = True

    async def sync(
        self, since: str | None, hold: timedelta, events: dict[str, Any]
    ) -> dict[str, Any]:
        """Return what is new since a position; the server may ``hold`` the request until there is something."""
        query = {
            "timeout": str(int(hold / timedelta(milliseconds=1))),
            "set_presence": "offline",
            "filter": json.dumps(events, separators=(",", ":")),
        }
        if since is not None:
            query["since"] = since
        doing = "reading what is new"
        return await self._ask(doing, "GET", "/sync", query, patience=hold + _GRACE, timed=False)

    async def history(
        self, room_id: str, start: str, stop: str | None, limit: int, events: dict[str, Any]
    ) -> dict[str, Any]:
        """Return up to ``limit`` events of a room before ``start``, newest first, not beyond ``stop``."""
        query = {
            "dir": "b",
            "from": start,
            "limit": str(limit),
            "filter": json.dumps(events, separators=(",", ":")),
        }
        if stop is not None:
            query["to"] = stop
        doing = f"reading the history of {room_id}"
        return await self._ask(doing, "GET", f"{_room(room_id)}/messages", query)

    async def say(
        self, room_id: str, event_type: str, content: dict[str, Any], transaction_id: str
    ) -> str:
        """Send an event and return its id; the same transaction id sends nothing twice (~24 h)."""
        began = time.monotonic()
        self._prepare()
        try:
            answer = await self._client.room_send(room_id, event_type, content, transaction_id)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._unreachable(error) from error
        if isinstance(answer, nio.RoomSendResponse):
            self._time(began)
            return str(answer.event_id)
        transport = answer.transport_response
        body = {
            "errcode": answer.status_code,
            "error": answer.message,
            "retry_after_ms": answer.retry_after_ms,
        }
        refusal = read_refusal(transport.status, transport.headers, body)
        raise translate(refusal, f"sending to {room_id}")

    async def withdraw(self, room_id: str, event_id: str, transaction_id: str) -> None:
        """Redact one of our own events; the same transaction id, or one redacted before, changes nothing."""
        path = f"{_room(room_id)}/redact/{_quoted(event_id)}/{_quoted(transaction_id)}"
        await self._ask(f"withdrawing {event_id} in {room_id}", "PUT", path, body={})

    async def state(self, room_id: str, event_type: str) -> dict[str, Any]:
        """Return the content of a state event."""
        doing = f"reading {event_type} of {room_id}"
        return await self._ask(doing, "GET", f"{_room(room_id)}/state/{event_type}/")

    async def whole_state(self, room_id: str) -> list[Any]:
        """Return every state event of a room as it stands on the wire."""
        told = await self._ask(f"looking at {room_id}", "GET", f"{_room(room_id)}/state")
        events = told.get("chunk")
        return events if isinstance(events, list) else []

    async def set_state(
        self, room_id: str, event_type: str, content: dict[str, Any], state_key: str = ""
    ) -> None:
        """Say how something of a room is from now on."""
        path = f"{_room(room_id)}/state/{event_type}/{_quoted(state_key)}"
        await self._ask(f"setting {event_type} of {room_id}", "PUT", path, body=content)

    async def event(self, room_id: str, event_id: str) -> dict[str, Any]:
        """Return one event of a room; what was redacted has no content left."""
        path = f"{_room(room_id)}/event/{_quoted(event_id)}"
        return await self._ask(f"looking for {event_id} in {room_id}", "GET", path)

    async def joined(self) -> list[str]:
        """Return the rooms that we are in."""
        told = await self._ask("asking where we are", "GET", "/joined_rooms")
        rooms = told.get("joined_rooms")
        return [str(room_id) for room_id in rooms] if isinstance(rooms, list) else []

    async def create(self, room: dict[str, Any]) -> str:
        """Make a room and return its id; nothing tells a repeated request from a second one."""
        told = await self._ask("making a room", "POST", "/createRoom", body=room)
        room_id = told.get("room_id")
        if not isinstance(room_id, str):
            raise TransientError("the homeserver did not say which room it made")
        return room_id

    async def invite(self, room_id: str, user_id: str) -> None:
        """Invite somebody; who is there already is a UserError."""
        doing = f"inviting {user_id} to {room_id}"
        await self._ask(doing, "POST", f"{_room(room_id)}/invite", body={"user_id": user_id})

    async def join(self, room_id: str, by_way_of: str | None = None) -> None:
        """Enter a room that we are invited to, or that is open; harmless when we are in it.

        ``by_way_of`` is a server that is in it, for one that ours is not in.
        """
        query = {"server_name": by_way_of, "via": by_way_of} if by_way_of else None
        await self._ask(f"joining {room_id}", "POST", f"/join/{_quoted(room_id)}", query, body={})

    async def leave(self, room_id: str) -> None:
        """Go out of a room; harmless when we are out."""
        await self._ask(f"leaving {room_id}", "POST", f"{_room(room_id)}/leave", body={})

    async def typing(self, room_id: str, *, active: bool, lasting: timedelta) -> None:
        """Show or take back that we are writing; it ends by itself after ``lasting``."""
        body: dict[str, Any] = {"typing": active}
        if active:
            body["timeout"] = int(lasting / timedelta(milliseconds=1))
        path = f"{_room(room_id)}/typing/{_quoted(self.user_id)}"
        await self._ask(f"typing in {room_id}", "PUT", path, body=body)

    async def members(self, room_id: str) -> Sequence[str]:
        """Return the user ids of those who are in a room."""
        told = await self._ask(
            f"reading who is in {room_id}", "GET", f"{_room(room_id)}/joined_members"
        )
        joined = told.get("joined")
        return list(joined) if isinstance(joined, dict) else []

    async def ask(
        self, doing: str, method: str, path: str, *, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Ask for anything else below the client-server API's root; ``doing`` is for its errors."""
        return await self._ask(doing, method, path, body=body)

    async def ask_json(self, doing: str, path: str) -> dict[str, Any]:
        """Return the JSON at a path below the server's root."""
        async with self._answer(doing, "GET", path, patience=_PATIENCE) as answer:
            return _parse(await answer.read()) or {}

    async def upload(
        self,
        path: str,
        chunks: AsyncIterator[bytes],
        size: int,
        media_type: str,
        patience: timedelta,
    ) -> str:
        """Send bytes as they come and return their content URI."""
        headers = {"Content-Type": media_type, "Content-Length": str(size)}
        async with self._answer(
            "uploading a file", "POST", path, data=chunks, headers=headers, patience=patience
        ) as answer:
            told = _parse(await answer.read()) or {}
        if not isinstance(told.get("content_uri"), str):
            raise TransientError("the homeserver took a file and did not say where it is")
        return str(told["content_uri"])

    async def download(self, path: str, piece: int, patience: timedelta) -> AsyncIterator[bytes]:
        """Give a file's bytes in pieces; TransientError when the line breaks in between."""
        async with self._answer("downloading a file", "GET", path, patience=patience) as answer:
            async for chunk in answer.content.iter_chunked(piece):
                yield chunk

    async def read_up_to(self, room_id: str, thread: str, event_id: str, receipt: str) -> None:
        """Say that we have read a thread (``main`` is what is in none) up to an event."""
        path = f"{_room(room_id)}/receipt/{_quoted(receipt)}/{_quoted(event_id)}"
        doing = f"moving our read receipt in {room_id}"
        await self._ask(doing, "POST", path, body={"thread_id": thread}, timed=False)

    async def close(self) -> None:
        """Close the connections; repeatable."""
        self._closed = True
        await self._client.close()

    async def _ask(
        self,
        doing: str,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        *,
        body: dict[str, Any] | None = None,
        patience: timedelta = _PATIENCE,
        timed: bool = True,
    ) -> dict[str, Any]:
        began = time.monotonic()
        url = _PREFIX + path + (f"?{urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {self._client.access_token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body)
        self._prepare()
        try:
            answer = await self._client.send(
                method, url, data, headers, timeout=patience.total_seconds()
            )
            raw = await answer.read()
        except (aiohttp.ClientError, OSError) as error:
            raise self._unreachable(error) from error
        if timed:
            self._time(began)
        told = _parse(raw)
        if answer.status != 200 or told is None:
            raise translate(read_refusal(answer.status, answer.headers, told), doing)
        return told

    @asynccontextmanager
    async def _answer(
        self,
        doing: str,
        method: str,
        path: str,
        *,
        patience: timedelta,
        data: AsyncIterator[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Lend a good answer before its body is read; what breaks until the block ends is translated too."""
        self._prepare()
        sent = {"Authorization": f"Bearer {self._client.access_token}", **(headers or {})}
        try:
            answer = await self._client.send(
                method, path, data, sent, timeout=patience.total_seconds()
            )
            async with answer:
                if answer.status != 200:
                    told = _parse(await answer.read())
                    raise translate(read_refusal(answer.status, answer.headers, told), doing)
                yield answer
        except (aiohttp.ClientError, OSError) as error:
            if isinstance(error.__cause__, MosaicError):
                raise error.__cause__ from error  # the bytes to be sent could not be had
            raise self._unreachable(error) from error

    def _prepare(self) -> None:
        """Open the connections with a longer keep-alive than nio's own: a handshake costs a reply's time."""
        if self._closed:
            raise TransientError("the connection to the homeserver was closed")
        if self._client.client_session is None:
            connector = aiohttp.TCPConnector(keepalive_timeout=_KEEP_ALIVE_SECONDS)
            timeout = aiohttp.ClientTimeout(total=_PATIENCE.total_seconds())
            self._client.client_session = aiohttp.ClientSession(
                connector=connector, timeout=timeout
            )

    def _time(self, began: float) -> None:
        self.last_roundtrip_ms = (time.monotonic() - began) * 1000

    def _unreachable(self, error: Exception) -> TransientError | SetupError:
        if isinstance(error, aiohttp.InvalidURL):
            return SetupError(
                f"homeserver_url is {self.homeserver_url!r}; it must be http(s)://HOST[:PORT]"
            )
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return SetupError(f"the certificate of {self.homeserver_url} is not valid: {error}")
        return TransientError(
            f"the homeserver {self.homeserver_url} is away: {str(error) or type(error).__name__}"
        )


def _parse(raw: bytes) -> dict[str, Any] | None:
    """Return an answer, None when it is none; a list comes as its ``chunk``."""
    try:
        told = json.loads(raw)
    except ValueError:
        return None
    if isinstance(told, list):
        return {"chunk": told}
    return told if isinstance(told, dict) else None


def _quoted(part: str) -> str:
    return quote(part, safe="")


def _room(room_id: str) -> str:
    return f"/rooms/{_quoted(room_id)}"
