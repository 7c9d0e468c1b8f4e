"""Our device signed by the account's own cross-signing keys, shown to everybody; never in place of somebody else's.

Source: Matrix client-server API, "Cross-signing", ``/keys/device_signing/upload``, ``/keys/signatures/upload``;
MSC3967.
"""

import time
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

import structlog

from bot.errors import SetupError, TransientError, UserError
from connectors.matrix.crypto.identity import (
    Identity,
    IdentityFile,
    new_identity,
    signed,
    with_signature,
)
from connectors.matrix.crypto.machine import Machine
from connectors.matrix.events import KIND
from connectors.matrix.failures import INTERACTIVE
from connectors.matrix.session import Session

_FOREIGN = (
    "the account {user} has cross-signing keys that another client made (or I, in a folder that is gone); replacing them would make everybody distrust"
    " the account and needs its password, so I leave them: verify the device {device} from that client"
)
_ASKED = (
    "the homeserver wants the account's password before it takes cross-signing keys of {user}, and I have only its"
    " token: set up cross-signing in a client with that account, and verify the device {device} there"
)


_AGAIN = timedelta(minutes=1)
"""When the homeserver could not do it, it is asked again after so long."""


class CrossSigning:
    """Signs one device of one account. ``unsigned`` says why it is not signed, None when it is or nobody looked yet."""

    def __init__(self, session: Session, machine: Machine, file: IdentityFile) -> None:
        self._session = session
        self._machine = machine
        self._file = file
        self.unsigned: str | None = None
        self._due: float | None = 0.0
        self._log = structlog.get_logger(part=KIND)

    def note_changed(self, users: Collection[str]) -> None:
        """Note whose keys changed: when ours did, another client may have signed us."""
        if self.unsigned and self._machine.user_id in users:
            self._due = 0.0

    async def attend(self) -> None:
        """Do what is due for the device to be signed.

        It is no condition of talking: what a homeserver refuses, or cannot do now, is in ``unsigned``. SetupError of
        the session.
        """
        now = time.monotonic()
        if self._due is None or now < self._due:
            return
        self._due = None
        try:
            self.unsigned = await self.settle()
        except UserError as error:
            self.unsigned = f"the homeserver does not let this device be signed: {error.message}"
        except TransientError as error:
            self.unsigned = f"this device is not signed yet: {error.message}"
            self._due = now + _AGAIN.total_seconds()

    async def settle(self) -> str | None:
        """See to it that the device is signed, and return why it is not, None when it is. Repeatable.

        Keys of ours are uploaded only where the account has none. TransientError when the homeserver is away.
        """
        user, device = self._machine.user_id, self._machine.device_id
        shown = await self._shown()
        if _is_signed(shown, user, device):
            return None
        try:
            identity = self._file.load(user)
        except SetupError as error:
            return f"{error.message}: {error.hint}"
        if not shown.get("master"):
            identity = identity or self._make(user)
            if not await self._upload(identity):
                return _ASKED.format(user=user, device=device)
            shown = await self._shown()
        if identity is None or not _is_key(shown.get("master"), identity.master.public):
            return _FOREIGN.format(user=user, device=device)
        return await self._sign(identity, shown)

    def _make(self, user_id: str) -> Identity:
        """Make keys and store them before anybody sees them: keys without seeds sign nothing."""
        identity = new_identity(user_id)
        self._file.save(identity)
        return identity

    async def _upload(self, identity: Identity) -> bool:
        path = "/keys/device_signing/upload"
        try:
            await self._session.ask(
                "showing our identity", "POST", path, body=identity.public_keys()
            )
        except UserError as error:
            if error.code != INTERACTIVE:
                raise
            return False
        self._log.info("identity shown", user=identity.user_id)
        return True

    async def _sign(self, identity: Identity, shown: Mapping[str, Any]) -> str | None:
        """Let our identity vouch for the device, and the device for the identity."""
        user, device = identity.user_id, self._machine.device_id
        ours = shown.get("device")
        if not isinstance(ours, dict):
            return f"the homeserver shows no keys of the device {device}"
        body = {
            user: {
                device: signed(_bare(ours), user, identity.self_signing),
                identity.master.public: with_signature(
                    _bare(shown["master"]),
                    user,
                    device,
                    self._machine.olm.sign_json(_bare(shown["master"])),
                ),
            }
        }
        told = await self._session.ask(
            "signing our device", "POST", "/keys/signatures/upload", body=body
        )
        if failures := told.get("failures"):
            return f"the homeserver does not take the device's signature: {failures}"
        return None

    async def _shown(self) -> dict[str, Any]:
        """Return the account's keys as the homeserver shows them to others."""
        user, device = self._machine.user_id, self._machine.device_id
        told = await self._session.ask(
            "asking for our identity", "POST", "/keys/query", body={"device_keys": {user: []}}
        )
        try:
            return {
                "master": told.get("master_keys", {}).get(user),
                "self_signing": told.get("self_signing_keys", {}).get(user),
                "device": told.get("device_keys", {}).get(user, {}).get(device),
            }
        except AttributeError as error:
            raise TransientError("asking for our identity: the answer is not Matrix") from error


def _is_signed(shown: Mapping[str, Any], user_id: str, device_id: str) -> bool:
    """Return whether whoever holds the account's self-signing key has signed the device, as the homeserver shows it.

    The homeserver has checked the signature; others check it again, and nothing here depends on it.
    """
    device, key = shown.get("device"), shown.get("self_signing")
    if not isinstance(device, dict) or not isinstance(key, dict) or not device_id:
        return False
    signatures = device.get("signatures", {}).get(user_id, {})
    return any(name in signatures for name in key.get("keys", {}))


def _is_key(shown: object, public: str) -> bool:
    return isinstance(shown, dict) and f"ed25519:{public}" in shown.get("keys", {})


def _bare(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object as it is sent: what the homeserver added is its own affair, and so are others' signatures."""
    return {name: told[name] for name in told if name not in {"unsigned", "signatures"}}
