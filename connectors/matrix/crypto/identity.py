"""The account's cross-signing keys: with them our device is signed, so that clients trust it without being asked.

nio has none of this, and vodozemac signs with a device's key only, so the three key pairs are made here (Ed25519, by
pycryptodome). Their seeds lie in the vault's folder, encrypted under the pickle secret.

Source: Matrix client-server API, "Cross-signing", and appendix "Signing JSON"; RFC 8032; RFC 5869; RFC 8439.
"""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from Crypto.Cipher import ChaCha20_Poly1305
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from nio import Api

from bot.errors import SetupError

USAGES = ("master", "self_signing", "user_signing")
_FILE = "identity.json"
_INFO = b"mosaic fleet cross-signing seeds"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """One Ed25519 key pair."""

    seed: bytes

    @property
    def public(self) -> str:
        """The public key in unpadded Base64, as Matrix writes it."""
        return _text(self._key.public_key().export_key(format="raw"))

    def sign(self, told: Mapping[str, Any]) -> str:
        """Return the signature of an object, without what the specification leaves out of it."""
        bare = {name: told[name] for name in told if name not in {"signatures", "unsigned"}}
        message = Api.to_canonical_json(bare).encode()
        return _text(eddsa.new(self._key, "rfc8032").sign(message))

    @property
    def _key(self) -> ECC.EccKey:
        return ECC.construct(curve="Ed25519", seed=self.seed)

    def __repr__(self) -> str:
        return f"KeyPair({self.public!r})"


@dataclass(frozen=True, slots=True)
class Identity:
    """The three key pairs of an account: the master key vouches for the others, they for devices and for people."""

    user_id: str
    master: KeyPair
    self_signing: KeyPair
    user_signing: KeyPair

    def public_keys(self) -> dict[str, Any]:
        """Return what is uploaded (``/keys/device_signing/upload``): the keys, the lower ones signed by the master."""
        keys = {"master_key": self._shown("master", self.master)}
        for usage, pair in (
            ("self_signing", self.self_signing),
            ("user_signing", self.user_signing),
        ):
            shown = self._shown(usage, pair)
            keys[f"{usage}_key"] = signed(shown, self.user_id, self.master)
        return keys

    def _shown(self, usage: str, pair: KeyPair) -> dict[str, Any]:
        keys = {f"ed25519:{pair.public}": pair.public}
        return {"user_id": self.user_id, "usage": [usage], "keys": keys}


def signed(told: Mapping[str, Any], user_id: str, pair: KeyPair) -> dict[str, Any]:
    """Return an object with a signature of ours added to those that it has."""
    return with_signature(told, user_id, pair.public, pair.sign(told))


def with_signature(
    told: Mapping[str, Any], user_id: str, key_name: str, signature: str
) -> dict[str, Any]:
    """Return an object with one more signature."""
    all_signatures = told.get("signatures", {})
    ours = {**all_signatures.get(user_id, {}), f"ed25519:{key_name}": signature}
    return {**told, "signatures": {**all_signatures, user_id: ours}}


def new_identity(user_id: str) -> Identity:
    """Return an identity that nobody has yet."""
    return Identity(user_id, *(KeyPair(secrets.token_bytes(32)) for _ in USAGES))


class IdentityFile:
    """Where the seeds lie, mode 0600, encrypted with a key that is derived from the pickle secret."""

    def __init__(self, folder: Path, pickle_key: str) -> None:
        self._path = folder / _FILE
        self._secret = pickle_key

    def load(self, user_id: str) -> Identity | None:
        """Return the account's identity, None when there is no file; SetupError when it is not ours to read."""
        try:
            told = json.loads(self._path.read_text(encoding="utf-8"))
            salt, nonce, tag, sealed = (_bytes(told[k]) for k in ("salt", "nonce", "tag", "seeds"))
            cipher = self._cipher(user_id, salt, nonce)
            seeds = cipher.decrypt_and_verify(sealed, tag)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SetupError(
                f"{self._path} is not what was written there for {user_id} with this MATRIX_PICKLE_KEY",
                hint="give the key with which it was made, or move the file away: the device is unsigned then",
            ) from error
        return Identity(user_id, *(KeyPair(seeds[at : at + 32]) for at in (0, 32, 64)))

    def save(self, identity: Identity) -> None:
        """Write an identity, whole or not at all."""
        salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
        pairs = (identity.master, identity.self_signing, identity.user_signing)
        cipher = self._cipher(identity.user_id, salt, nonce)
        sealed, tag = cipher.encrypt_and_digest(b"".join(pair.seed for pair in pairs))
        parts = {"salt": salt, "nonce": nonce, "tag": tag, "seeds": sealed}
        draft = self._path.with_name(f"{self._path.name}.new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"version": 1, **{name: _text(part) for name, part in parts.items()}}, file)
        draft.replace(self._path)

    def _cipher(self, user_id: str, salt: bytes, nonce: bytes) -> Any:
        key = HKDF(self._secret.encode(), 32, salt, SHA256, context=_INFO)
        cipher = ChaCha20_Poly1305.new(key=key, nonce=nonce)
        cipher.update(user_id.encode())
        return cipher


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
