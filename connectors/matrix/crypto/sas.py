"""Short authentication strings: what two devices compute so that two people can compare it.

nio's own (0.26) speaks with itself only: its commitment is hexadecimal, it names the older authentication code and
computes the newer one, and its emoji are not those that other clients show (matrix-nio issue 570, pull request 573).
vodozemac does the mathematics right, so it is asked directly.

Source: Matrix client-server API, "Short Authentication String (SAS) verification", "MAC calculation", "HKDF
calculation".
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import vodozemac
from nio import Api
from nio.crypto.sas import Sas as NioSas

from bot.rooms.devices import Symbol

AGREEMENT, HASH, AUTHENTICATION, EMOJI, DECIMAL = (
    "curve25519-hkdf-sha256",
    "sha256",
    "hkdf-hmac-sha256.v2",
    "emoji",
    "decimal",
)
METHOD = "m.sas.v1"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two devices, with the key by which others know it."""

    user_id: str
    device_id: str
    ed25519: str


def commitment(public_key: str, start: Mapping[str, Any]) -> str:
    """Return what binds who accepts to its key before it knows the other's: else it could choose the emoji."""
    text = public_key + Api.to_canonical_json(dict(start))
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode("ascii")


class Secret:
    """Our half of a secret that nobody else has; used for one verification."""

    def __init__(self) -> None:
        self._sas = vodozemac.Sas()
        self.public_key = str(self._sas.public_key.to_base64())

    def shared(self, their_key: str) -> "SharedSecret":
        """Return the secret of both; ValueError when theirs is no key. Our half is used up then."""
        key = vodozemac.Curve25519PublicKey.from_base64(their_key)
        return SharedSecret(self._sas.diffie_hellman(key), self.public_key, their_key)


class SharedSecret:
    """What both devices have, and nobody else if the symbols are the same."""

    def __init__(self, sas: vodozemac.EstablishedSas, our_key: str, their_key: str) -> None:
        self._sas = sas
        self._keys = (our_key, their_key)

    def symbols(
        self, ours: Side, theirs: Side, name: str, *, begun_here: bool
    ) -> tuple[Symbol, ...]:
        """Return the seven symbols that both show; ``begun_here`` says that our device sent the start."""
        first, second = (
            f"{side.user_id}|{side.device_id}|{key}"
            for side, key in zip((ours, theirs), self._keys, strict=True)
        )
        both = f"{first}|{second}" if begun_here else f"{second}|{first}"
        found = self._sas.bytes(f"MATRIX_KEY_VERIFICATION_SAS|{both}|{name}")
        return tuple(Symbol(*NioSas.emoji[index]) for index in found.emoji_indices)

    def codes(self, ours: Side, theirs: Side, name: str, keys: Mapping[str, str]) -> dict[str, Any]:
        """Return what proves to the other that these keys of ours, by their ids, are the right ones."""
        info = _info(ours, theirs, name)
        mac = {key_id: self._sas.calculate_mac(key, info + key_id) for key_id, key in keys.items()}
        return {
            "mac": mac,
            "keys": self._sas.calculate_mac(",".join(sorted(mac)), f"{info}KEY_IDS"),
        }

    def proves(
        self,
        ours: Side,
        theirs: Side,
        name: str,
        told: Mapping[str, Any],
        keys: Mapping[str, str],
    ) -> frozenset[str]:
        """Return which of the other's keys, as we know them by their ids, it proved to be right.

        ValueError when a code is wrong: then somebody stands in between.
        """
        mac, info = told.get("mac"), _info(theirs, ours, name)
        if not isinstance(mac, dict) or not all(isinstance(one, str) for one in mac.values()):
            raise ValueError("no authentication codes")
        self._sas.verify_mac(",".join(sorted(mac)), f"{info}KEY_IDS", str(told.get("keys")))
        proved = frozenset(mac) & frozenset(keys)
        for key_id in proved:
            self._sas.verify_mac(keys[key_id], info + key_id, mac[key_id])
        return proved


def _info(sender: Side, receiver: Side, name: str) -> str:
    return (
        f"MATRIX_KEY_VERIFICATION_MAC{sender.user_id}{sender.device_id}"
        f"{receiver.user_id}{receiver.device_id}{name}"
    )
