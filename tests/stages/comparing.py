"""A person's client that verifies devices by symbols: nio's own machinery, which knows no requests, with what it lacks.

``mended`` corrects what nio 0.26 does otherwise than every other client (matrix-nio issue 570, pull request 573).
"""

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import nio
from nio.crypto.sas import Sas, SasState

from connectors.matrix.crypto.identity import Identity, new_identity, signed
from tests.stages.encrypted import PrivatePerson
from tests.stages.matrix import Bot
from tests.waiting import until

_AUTHENTICATION = "hkdf-hmac-sha256.v2"


@contextmanager
def mended() -> Iterator[None]:
    """Let nio's clients verify as the specification says."""
    begin = Sas.from_key_verification_start.__func__

    def from_start(cls: Any, *arguments: Any) -> Sas:
        sas = begin(cls, *arguments)
        sas.commitment = _commitment(sas.pubkey, arguments[-1].source["content"])
        return sas

    def holds(sas: Sas, key: str) -> bool:
        return bool(sas.commitment == _commitment(key, sas.start_verification().content))

    def emoji(sas: Sas, info: str) -> list[tuple[str, str]]:
        return [sas.emoji[index] for index in sas.established_sas.bytes(info).emoji_indices]

    with (
        mock.patch.object(Sas, "_mac_normal", _AUTHENTICATION),
        mock.patch.object(Sas, "_mac_v1", [_AUTHENTICATION]),
        mock.patch.object(Sas, "_check_commitment", holds),
        mock.patch.object(Sas, "_generate_emoji", emoji),
        mock.patch.object(Sas, "from_key_verification_start", classmethod(from_start)),
    ):
        yield


class Comparing:
    """The verification of a bot's device from a person's client, from device to device.

    ``words`` are the types of what the bot said beside nio's own, ``proved`` the ids of the bot's keys that it proved.
    """

    def __init__(self, person: PrivatePerson, bot: Bot) -> None:
        self.person = person
        self.bot = bot
        self.name = uuid.uuid4().hex
        self.words: list[str] = []
        self.reasons: list[str] = []
        self.proved: frozenset[str] = frozenset()
        self.sas: Sas | None = None
        person.client.add_to_device_callback(self._hear, nio.UnknownToDeviceEvent)
        person.client.add_to_device_callback(self._follow, nio.KeyVerificationEvent)

    async def request(self, *, sent_at: float | None = None) -> None:
        """Ask the bot's device, as clients do."""
        moment = int((time.time() if sent_at is None else sent_at) * 1000)
        content = {**self._from, "methods": ["m.sas.v1"], "timestamp": moment}
        await self._say("request", content)

    async def start(self) -> None:
        """Begin without a request, as older clients do."""
        device = self._olm.device_store[self.bot.user_id][self.bot.account.device_id]
        key = self._olm.account.identity_keys["ed25519"]
        account = self.person.account
        self.sas = Sas(account.user_id, account.device_id, key, device, self.name)
        self._olm.key_verifications[self.name] = self.sas
        await self._send(self.sas.start_verification())

    async def symbols(self) -> list[tuple[str, str]]:
        """Wait until this client shows its symbols, and return them."""
        await until(lambda: self.sas is not None and self.sas.established_sas, 15, "the symbols")
        return list(self._known.get_emoji())

    async def confirm(self, identity: Identity | None = None) -> None:
        """Say that they are the same; an identity's master key is proved along with the device's."""
        self._known.accept_sas()
        message = self._known.get_mac()
        if identity is not None:
            message.content.update(self._codes(message.content["mac"], identity.master.public))
        await self._send(message)
        if self._known.verified:
            self._olm.verify_device(self._known.other_olm_device)

    async def refuse(self) -> None:
        """Say that they differ."""
        self._known.reject_sas()
        await self._send(self._known.get_cancellation())

    @property
    def trusts(self) -> bool:
        """Whether this client believes the bot's device now."""
        device = self._olm.device_store[self.bot.user_id][self.bot.account.device_id]
        return bool(self._olm.is_device_verified(device))

    def _codes(self, mac: dict[str, str], master: str) -> dict[str, Any]:
        sas, ours, theirs = self._known, self.person.account, self.bot.account
        info = f"MATRIX_KEY_VERIFICATION_MAC{ours.user_id}{ours.device_id}{theirs.user_id}{theirs.device_id}{self.name}"
        code = sas.established_sas.calculate_mac
        key_id = f"ed25519:{master}"
        both = {**mac, key_id: code(master, info + key_id)}
        return {"mac": both, "keys": code(",".join(sorted(both)), f"{info}KEY_IDS")}

    async def _hear(self, event: nio.UnknownToDeviceEvent) -> None:
        kind = event.type.removeprefix("m.key.verification.")
        if kind == event.type:
            return
        self.words.append(kind)
        content = event.source["content"]
        if kind == "request":
            self.name = content["transaction_id"]
            await self._say("ready", {**self._from, "methods": ["m.sas.v1"]})
        elif kind == "ready" and content["transaction_id"] == self.name:
            await self.start()

    async def _follow(self, event: nio.KeyVerificationEvent) -> None:
        if event.transaction_id != self.name:
            return
        if isinstance(event, nio.KeyVerificationStart):
            self.sas = self._olm.key_verifications[self.name]
            await self._send(self.sas.accept_verification())
        elif isinstance(event, nio.KeyVerificationMac):
            assert self._known.state is SasState.mac_received, self._known.cancel_reason
            self.proved = frozenset(event.mac)
        elif isinstance(event, nio.KeyVerificationCancel):
            self.reasons.append(event.reason)

    @property
    def _known(self) -> Sas:
        assert self.sas is not None
        return self.sas

    @property
    def _olm(self) -> nio.crypto.Olm:
        assert self.person.client.olm is not None
        return self.person.client.olm

    @property
    def _from(self) -> dict[str, Any]:
        return {"from_device": self.person.account.device_id}

    async def _say(self, kind: str, content: dict[str, Any]) -> None:
        told = {**content, "transaction_id": self.name}
        device = self.bot.account.device_id
        await self._send(
            nio.ToDeviceMessage(f"m.key.verification.{kind}", self.bot.user_id, device, told)
        )

    async def _send(self, message: nio.ToDeviceMessage) -> None:
        answer = await self.person.client.to_device(message)
        assert isinstance(answer, nio.ToDeviceResponse), answer


async def cross_sign(person: PrivatePerson) -> Identity:
    """Give a person cross-signing keys that vouch for the device of this client, and return them."""
    identity = new_identity(person.user_id)
    await ask(person, "/keys/device_signing/upload", identity.public_keys())
    await vouch(person, identity, person.account.device_id)
    return identity


async def vouch(person: PrivatePerson, identity: Identity, device_id: str) -> None:
    """Let an identity sign one of its account's devices."""
    user = person.user_id
    told = await ask(person, "/keys/query", {"device_keys": {user: []}})
    device = told["device_keys"][user][device_id]
    bare = {name: device[name] for name in device if name not in {"unsigned", "signatures"}}
    body = {user: {device_id: signed(bare, user, identity.self_signing)}}
    assert not (await ask(person, "/keys/signatures/upload", body)).get("failures")


async def ask(person: PrivatePerson, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Ask the homeserver for anything as a person."""
    headers = {"Authorization": f"Bearer {person.account.token}"}
    url = f"/_matrix/client/v3{path}"
    answer = await person.client.send("POST", url, json.dumps(body), headers)
    told: dict[str, Any] = json.loads(await answer.read())
    assert answer.status == 200, told
    return told


def _commitment(key: str, start: dict[str, Any]) -> str:
    text = key + nio.Api.to_canonical_json(start)
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
