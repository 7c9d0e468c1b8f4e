"""A real Synapse for tests, with people who use real Matrix clients of their own."""

import io
import itertools
import json
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
import nio

from connectors.matrix.homeserver.accounts import Account, Registrar
from connectors.matrix.homeserver.synapse import Synapse


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Person:
    """Somebody with a Matrix client; every call fails the test when the homeserver refuses."""

    def __init__(self, url: str, account: Account) -> None:
        self.user_id = account.user_id
        self.account = account
        config = nio.AsyncClientConfig(encryption_enabled=False, max_timeouts=3)
        self.client = nio.AsyncClient(url, account.user_id, account.device_id, config=config)
        self.client.access_token = account.token

    async def send(
        self, room_id: str, content: dict[str, Any], event_type: str = "m.room.message"
    ) -> str:
        """Send any event; return its id."""
        answer = await self.client.room_send(room_id, event_type, content)
        assert isinstance(answer, nio.RoomSendResponse), answer
        return str(answer.event_id)

    async def say(self, room_id: str, text: str, **more: Any) -> str:
        """Say a text; ``more`` is added to the event's content."""
        return await self.send(room_id, {"msgtype": "m.text", "body": text, **more})

    async def say_in_thread(self, room_id: str, root: str, text: str) -> str:
        """Say a text in the thread below an event."""
        relation = {"rel_type": "m.thread", "event_id": root, "is_falling_back": True}
        return await self.say(room_id, text, **{"m.relates_to": relation})

    async def reply(self, room_id: str, to: str, text: str) -> str:
        """Answer an event."""
        return await self.say(
            room_id, text, **{"m.relates_to": {"m.in_reply_to": {"event_id": to}}}
        )

    async def edit(self, room_id: str, event_id: str, text: str) -> str:
        """Replace a text by another."""
        return await self.say(
            room_id,
            f"* {text}",
            **{
                "m.new_content": {"msgtype": "m.text", "body": text},
                "m.relates_to": {"rel_type": "m.replace", "event_id": event_id},
            },
        )

    async def react(self, room_id: str, event_id: str, mark: str) -> str:
        """Put a mark on an event."""
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": mark}
        return await self.send(room_id, {"m.relates_to": relation}, "m.reaction")

    async def redact(self, room_id: str, event_id: str) -> str:
        """Take something back."""
        answer = await self.client.room_redact(room_id, event_id)
        assert isinstance(answer, nio.RoomRedactResponse), answer
        return str(answer.event_id)

    async def send_file(
        self,
        room_id: str,
        name: str,
        content: bytes,
        media_type: str = "text/plain",
        *,
        caption: str = "",
        sealed: bool = False,
        thread: str | None = None,
    ) -> str:
        """Send a file as clients do, encrypted if it is to be ``sealed``, into the thread below an event."""
        answer, keys = await self.client.upload(
            io.BytesIO(content), media_type, name, encrypt=sealed, filesize=len(content)
        )
        assert isinstance(answer, nio.UploadResponse), answer
        uri = str(answer.content_uri)
        where: dict[str, Any] = {"file": {**keys, "url": uri}} if sealed else {"url": uri}
        said = {
            "msgtype": "m.image" if media_type.startswith("image/") else "m.file",
            "body": caption or name,
            "filename": name,
            "info": {"mimetype": media_type, "size": len(content)},
            **where,
        }
        if thread is not None:
            relation = {"rel_type": "m.thread", "event_id": thread, "is_falling_back": True}
            said["m.relates_to"] = relation
        return await self.send(room_id, said)

    async def open_file(self, content: dict[str, Any]) -> bytes:
        """Download the file of an event's content, and open it if it is encrypted."""
        sealed = content.get("file")
        answer = await self.client.download(mxc=sealed["url"] if sealed else content["url"])
        assert isinstance(answer, nio.MemoryDownloadResponse), answer
        if not sealed:
            return bytes(answer.body)
        key, digest, start = sealed["key"]["k"], sealed["hashes"]["sha256"], sealed["iv"]
        return bytes(nio.crypto.decrypt_attachment(answer.body, key, digest, start))

    async def encrypt(self, room_id: str) -> None:
        """Turn a room's encryption on."""
        content = {"algorithm": "m.megolm.v1.aes-sha2"}
        answer = await self.client.room_put_state(room_id, "m.room.encryption", content)
        assert isinstance(answer, nio.RoomPutStateResponse), answer

    async def make_room(self, *guests: str, encrypted: bool = False) -> str:
        """Make a private room and invite people by their user ids."""
        state = [{"type": "m.room.encryption", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}]
        answer = await self.client.room_create(
            invite=list(guests), initial_state=state if encrypted else []
        )
        assert isinstance(answer, nio.RoomCreateResponse), answer
        return str(answer.room_id)

    async def put_state(self, room_id: str, event_type: str, content: dict[str, Any]) -> None:
        """Set a state event of a room."""
        answer = await self.client.room_put_state(room_id, event_type, content)
        assert isinstance(answer, nio.RoomPutStateResponse), answer

    async def upgrade(self, room_id: str, *guests: str) -> str:
        """Replace a room by a newer one, as a client does, and invite people there; return its id."""
        headers = {"Authorization": f"Bearer {self.client.access_token}"}
        path = f"/_matrix/client/v3/rooms/{quote(room_id)}/upgrade"
        answer = await self.client.send("POST", path, '{"new_version": "11"}', headers)
        told = json.loads(await answer.read())
        new = str(told["replacement_room"])
        for guest in guests:
            await self.client.room_invite(new, guest)
        return new

    async def remove(self, room_id: str, user_id: str, *, ban: bool = False) -> None:
        """Put somebody out of a room."""
        act = self.client.room_ban if ban else self.client.room_kick
        answer = await act(room_id, user_id, "enough")
        assert isinstance(answer, nio.RoomKickResponse | nio.RoomBanResponse), answer

    async def invite(self, room_id: str, user_id: str) -> None:
        """Ask somebody into a room."""
        answer = await self.client.room_invite(room_id, user_id)
        assert isinstance(answer, nio.RoomInviteResponse), answer

    async def members(self, room_id: str) -> set[str]:
        """Return who is in a room."""
        answer = await self.client.joined_members(room_id)
        assert isinstance(answer, nio.JoinedMembersResponse), answer
        return {member.user_id for member in answer.members}

    async def events(self, room_id: str, sender: str | None = None) -> list[dict[str, Any]]:
        """Return a room's events as they stand on the wire, oldest first, of one sender or of all."""
        found: list[dict[str, Any]] = []
        start = None
        while True:
            answer = await self.client.room_messages(room_id, start, limit=500)
            assert isinstance(answer, nio.RoomMessagesResponse), answer
            found += [event.source for event in answer.chunk]
            if answer.end is None or not answer.chunk:
                break
            start = answer.end
        return [event for event in reversed(found) if sender in {None, event["sender"]}]

    async def spoken(self, room_id: str, sender: str) -> list[dict[str, Any]]:
        """Return the contents of what somebody said in a room, oldest first: messages and reactions."""
        kinds = {"m.room.message", "m.reaction"}
        return [e["content"] for e in await self.events(room_id, sender) if e["type"] in kinds]


Someone = TypeVar("Someone", bound=Person)


class Town:
    """A homeserver with fresh people for every test."""

    def __init__(self, synapse: Synapse, http: aiohttp.ClientSession) -> None:
        self.synapse = synapse
        self.url = synapse.url
        self.registrar = Registrar(http, synapse.url, synapse.registration_secret)
        self._people: list[Person] = []
        self._numbers = itertools.count(1)

    async def account(self, word: str = "user") -> Account:
        """Make an account of that name and a number."""
        name = f"{word}{next(self._numbers)}{secrets.token_hex(2)}"
        return await self.registrar.register(name)

    async def person(self, word: str = "ann") -> Person:
        """Make somebody who is on this homeserver."""
        return self.client(await self.account(word))

    def client(self, account: Account) -> Person:
        """Return a client of an account."""
        return self.take_home(Person(self.url, account))

    def take_home(self, person: Someone) -> Someone:
        """See to it that a person's client is closed at the end of the test."""
        self._people.append(person)
        return person

    async def room(self, owner: Account, *guests: Account) -> str:
        """Make a private room without encryption in which all are joined."""
        return await self.registrar.make_room(owner, guests, "ops")

    async def go_home(self) -> None:
        """Close every client that was handed out."""
        while self._people:
            await self._people.pop().client.close()


@asynccontextmanager
async def town(directory: Path, *, limited: bool = False) -> AsyncIterator[Town]:
    """Lend a homeserver for as long as the block runs."""
    synapse = Synapse(directory, free_port(), limited=limited)
    await synapse.start()
    try:
        async with aiohttp.ClientSession() as http:
            yield Town(synapse, http)
    finally:
        await synapse.stop()
