"""People's identities as the homeserver shows them, and our word for those that were compared.

Source: Matrix client-server API, "Cross-signing", ``/keys/query``, ``/keys/signatures/upload``.
"""

from collections.abc import Mapping
from typing import Any

import vodozemac
from nio import Api

from bot.errors import TransientError, UserError
from connectors.matrix.crypto.identity import Identity, IdentityFile, signed
from connectors.matrix.session import Session

Shown = Mapping[str, Any]


class Vouching:
    """Looks at identities, and signs people's with ours. Raises what the session raises."""

    def __init__(self, session: Session, user_id: str, file: IdentityFile) -> None:
        self._session = session
        self._user_id = user_id
        self._file = file

    async def master_of(self, user_id: str) -> str | None:
        """Return somebody's master key, None without one. Nobody has proved it yet."""
        return _key(await self._shown(user_id), "master", user_id)

    async def own_master(self) -> str | None:
        """Return the account's master key if it is the one of which we have the seed; SetupError of the file."""
        identity, shown = self._file.load(self._user_id), await self.master_of(self._user_id)
        return shown if identity is not None and identity.master.public == shown else None

    async def vouch(self, user_id: str, master: str) -> None:
        """Sign somebody's master key, which was proved to be theirs.

        UserError when there is no identity of ours to do it with, or the homeserver shows another key by now.
        """
        identity, shown = self._file.load(self._user_id), await self._shown(user_id)
        if identity is None or await self.own_master() is None:
            raise UserError("the account has no cross-signing keys that I made")
        if _key(shown, "master", user_id) != master:
            raise UserError(f"{user_id} has other cross-signing keys by now")
        body = {user_id: {master: self._signed(identity, shown["master"])}}
        told = await self._session.ask(
            f"vouching for {user_id}", "POST", "/keys/signatures/upload", body=body
        )
        if failures := told.get("failures"):
            raise UserError(f"the homeserver does not take the signature: {failures}")

    async def signed_devices(self, user_id: str) -> frozenset[str]:
        """Return somebody's devices that their own identity signed, each signature checked."""
        shown = await self._shown(user_id)
        master = _key(shown, "master", user_id)
        lower = _key(shown, "self_signing", user_id)
        if (
            master is None
            or lower is None
            or not _is_signed(shown["self_signing"], user_id, master)
        ):
            return frozenset()
        devices = shown["devices"]
        return frozenset(one for one in devices if _is_signed(devices[one], user_id, lower))

    def _signed(self, identity: Identity, told: Shown) -> dict[str, Any]:
        bare = {name: told[name] for name in told if name not in {"unsigned", "signatures"}}
        return signed(bare, self._user_id, identity.user_signing)

    async def _shown(self, user_id: str) -> dict[str, Any]:
        told = await self._session.ask(
            f"looking at the keys of {user_id}",
            "POST",
            "/keys/query",
            body={"device_keys": {user_id: []}},
        )
        try:
            return {
                "master": told.get("master_keys", {}).get(user_id),
                "self_signing": told.get("self_signing_keys", {}).get(user_id),
                "devices": dict(told.get("device_keys", {}).get(user_id, {})),
            }
        except (AttributeError, TypeError, ValueError) as error:
            raise TransientError("looking at keys: the answer is not Matrix") from error


def _key(shown: Shown, usage: str, user_id: str) -> str | None:
    """Return the one key that somebody shows for a use; None when it is not well-formed."""
    told = shown.get(usage)
    try:
        ((key_id, key),) = told["keys"].items()  # type: ignore[index]  # what it is else is caught
        sound = told["user_id"] == user_id and usage in told["usage"] and key_id == f"ed25519:{key}"  # type: ignore[index]
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
    return str(key) if sound else None


def _is_signed(told: Any, user_id: str, key: str) -> bool:
    """Return whether somebody's key signed an object."""
    try:
        bare = {name: told[name] for name in told if name not in {"unsigned", "signatures"}}
        signature = vodozemac.Ed25519Signature.from_base64(
            told["signatures"][user_id][f"ed25519:{key}"]
        )
        vodozemac.Ed25519PublicKey.from_base64(key).verify_signature(
            Api.to_canonical_json(bare).encode(), signature
        )
    except (ValueError, TypeError, KeyError):
        return False
    return True
