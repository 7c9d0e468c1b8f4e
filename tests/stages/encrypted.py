"""People with end-to-end encrypting clients (matrix-nio with its whole machinery), and the bot's keys."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import nio
from nio.crypto import InboundGroupSession, Olm
from nio.crypto.sessions import OutboundGroupSession

from connectors.matrix.homeserver.accounts import Account
from connectors.matrix.keys import Keys, Trust
from tests.stages.matrix import Bot
from tests.stages.synapse import Person, Town
from tests.waiting import until

SECRET = "a secret of the tests, long enough"


class PrivatePerson(Person):
    """Somebody whose client encrypts; ``heard`` is what it could read, by event id, ``unread`` what it could not.

    ``withheld`` are the codes by which keys were refused to it, ``asked_for_keys`` is how often others asked it for
    keys.
    """

    def __init__(self, url: str, account: Account, store: Path) -> None:
        super().__init__(url, account)
        store.mkdir(parents=True, exist_ok=True)
        config = nio.AsyncClientConfig(encryption_enabled=True, store_sync_tokens=False)
        self.client = nio.AsyncClient(
            url, account.user_id, account.device_id, store_path=str(store), config=config
        )
        self.client.restore_login(account.user_id, account.device_id, account.token)
        self.heard: dict[str, dict[str, Any]] = {}
        self.unread: dict[str, str] = {}
        self._kept: OutboundGroupSession
        self._kept_key = ""
        self.client.add_event_callback(self._hear, nio.RoomMessage)
        self.client.add_event_callback(self._miss, nio.MegolmEvent)
        self.withheld: list[str] = []
        self.client.add_to_device_callback(self._refuse, nio.UnknownToDeviceEvent)
        self.asked_for_keys = 0

    async def send(
        self, room_id: str, content: dict[str, Any], event_type: str = "m.room.message"
    ) -> str:
        """Send any event, encrypted if the room is; return its id."""
        answer = await self.client.room_send(
            room_id, event_type, content, ignore_unverified_devices=True
        )
        assert isinstance(answer, nio.RoomSendResponse), answer
        return str(answer.event_id)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["PrivatePerson"]:
        """Sync until the block ends; rooms, members and keys are known when this returns."""
        first = await self.client.sync(timeout=0, full_state=True)
        assert isinstance(first, nio.SyncResponse), first
        await self._settle()
        task = asyncio.create_task(self._listen())
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _listen(self) -> None:
        while True:
            answer = await self.client.sync(timeout=30_000)
            assert isinstance(answer, nio.SyncResponse), answer
            self._note_requests(answer)
            await self._settle()

    async def decrypted(self, room_id: str, sender: str) -> list[dict[str, Any]]:
        """Return what somebody said in a room, oldest first, once this client can read all of it."""

        async def readable() -> list[dict[str, Any]] | None:
            said = [one for one in await self.events(room_id, sender) if "state_key" not in one]
            sealed = [one for one in said if one["type"] == "m.room.encrypted" and one["content"]]
            return None if sealed else [{}, *said]

        return (await until(readable, 15, f"{self.user_id} to have all keys") or [])[1:]

    async def _settle(self) -> None:
        await self.client.send_to_device_messages()
        if self.client.should_upload_keys:
            await self.client.keys_upload()
        if self.client.should_query_keys:
            await self.client.keys_query()
        if self.client.should_claim_keys:
            await self.client.keys_claim(self.client.get_users_for_key_claiming())

    async def sealed_without_key(self, bot: Bot, text: str) -> dict[str, Any]:
        """Return an encrypted event's content whose key nobody was given; ``hand_over_key`` gives it to a bot."""
        olm = self._olm
        olm.create_outbound_group_session(bot.room_id)
        self._kept = session = olm.outbound_group_sessions.pop(bot.room_id)
        self._kept_key = session.session_key
        session.mark_as_shared()
        olm.outbound_group_sessions[bot.room_id] = session
        plain = {"type": "m.room.message", "content": {"msgtype": "m.text", "body": text}}
        sealed: dict[str, Any] = olm.group_encrypt(bot.room_id, plain)
        del olm.outbound_group_sessions[bot.room_id]
        return sealed

    async def hand_over_key(self, bot: Bot) -> None:
        """Give a bot the key of ``sealed_without_key``, as one gives a new key."""
        await self.give_key(bot, self.key_of(bot))

    async def give_key(self, bot: Bot, key: dict[str, Any]) -> None:
        """Give a bot a key (``key_of``) as a new one of this device."""
        await self._give(bot, "m.room_key", key)

    async def forward_key(self, bot: Bot, key: dict[str, Any]) -> None:
        """Give a bot a key (``key_of``) as one answers a request for it."""
        ours = self._olm.account.identity_keys
        content = {
            **key,
            "session_key": key["exported"],
            "sender_key": ours["curve25519"],
            "sender_claimed_ed25519_key": ours["ed25519"],
            "forwarding_curve25519_key_chain": [],
        }
        await self._give(bot, "m.forwarded_room_key", content)

    def key_of(self, bot: Bot) -> dict[str, Any]:
        """Return the key of ``sealed_without_key``."""
        whole = next(one for one in self.room_sessions(bot.room_id) if one.id == self._kept.id)
        return {
            "algorithm": "m.megolm.v1.aes-sha2",
            "room_id": bot.room_id,
            "session_id": self._kept.id,
            "session_key": self._kept_key,
            "exported": whole.export_session(whole.first_known_index),
        }

    async def _give(self, bot: Bot, kind: str, content: dict[str, Any]) -> None:
        olm = self._olm
        device = olm.device_store[bot.user_id][bot.account.device_id]
        session = olm.session_store.get(device.curve25519)
        sealed = olm._olm_encrypt(session, device, kind, content)
        answer = await self.client.to_device(
            nio.ToDeviceMessage("m.room.encrypted", bot.user_id, device.id, sealed)
        )
        assert isinstance(answer, nio.ToDeviceResponse), answer

    @property
    def _olm(self) -> Olm:
        assert self.client.olm is not None
        return self.client.olm

    def room_sessions(self, room_id: str) -> list[InboundGroupSession]:
        """Return the keys of a room that this client has."""
        return [one for one in self._olm.inbound_group_store if one.room_id == room_id]

    async def show_device_only(self) -> None:
        """Show this device's own keys to others, and none to begin a session with."""
        keys = self._olm.share_keys()
        headers = {"Authorization": f"Bearer {self.account.token}"}
        body = json.dumps({"device_keys": keys["device_keys"]})
        answer = await self.client.send("POST", "/_matrix/client/v3/keys/upload", body, headers)
        assert answer.status == 200, await answer.text()

    async def hears(self, text: str, sender: str | None = None) -> dict[str, Any]:
        """Wait until somebody's words were read, and return their content."""

        def found() -> dict[str, Any] | None:
            said = (c for c in self.heard.values() if c["body"] == text)
            return next((c for c in said if sender in {None, c["sender"]}), None)

        return await until(found, 15, f"{self.user_id} to hear {text!r}") or {}

    async def _hear(self, room: nio.MatrixRoom, event: nio.RoomMessage) -> None:
        content = dict(event.source["content"])
        self.heard[event.event_id] = {**content, "sender": event.sender, "room": room.room_id}

    async def _refuse(self, event: nio.UnknownToDeviceEvent) -> None:
        if event.type == "m.room_key.withheld":
            self.withheld.append(event.source["content"]["code"])

    def _note_requests(self, answer: nio.SyncResponse) -> None:
        asked = (one for one in answer.to_device_events if isinstance(one, nio.RoomKeyRequest))
        self.asked_for_keys += len(list(asked))

    async def _miss(self, _room: nio.MatrixRoom, event: nio.MegolmEvent) -> None:
        self.unread[event.event_id] = event.sender


def keys(folder: Path, secret: str = SECRET, trust: Trust = Trust.TOFU) -> Keys:
    """Return where a bot's keys lie in a test; people are told soon of what cannot be read."""
    return Keys(folder, secret, trust, patience=timedelta(milliseconds=500))


async def private_person(town: Town, account: Account, store: Path) -> PrivatePerson:
    """Return somebody with an encrypting client of their own, which forgets nothing in ``store``."""
    return town.take_home(PrivatePerson(town.url, account, store / account.device_id))


async def another_device(town: Town, account: Account) -> Account:
    """Log an account in once more; its second device is returned with it."""
    client = nio.AsyncClient(town.url, account.user_id)
    answer = await client.login(account.password, "another device")
    await client.close()
    assert isinstance(answer, nio.LoginResponse), answer
    return replace(account, token=answer.access_token, device_id=answer.device_id)


async def meet_in_private(
    town: Town, store: Path, *, encrypted: bool = True
) -> tuple[PrivatePerson, Bot, Keys]:
    """Return a person and a bot who share a room, and the bot's keys."""
    account, own = await town.account("ann"), await town.account("mosaic")
    ann = await private_person(town, account, store)
    bot = Bot(town, own, await town.room(own, account))
    if encrypted:
        await town.client(own).encrypt(bot.room_id)
    bot.allowed.add(f"matrix:{ann.user_id}")
    return ann, bot, keys(store / "crypto")
