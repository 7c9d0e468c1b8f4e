"""Cross-signing keys: signatures that others accept, and seeds that nobody reads without the secret."""

from pathlib import Path

import pytest
import vodozemac
from nio import Api

from bot.errors import SetupError
from connectors.matrix.crypto.identity import IdentityFile, KeyPair, new_identity, signed

ANN = "@ann:example.org"
RFC_8032 = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo"


def test_the_public_key_is_that_of_the_first_vector_of_rfc_8032() -> None:
    assert KeyPair(bytes.fromhex(RFC_8032)).public == PUBLIC


def test_a_signature_is_accepted_by_the_library_of_the_clients() -> None:
    identity = new_identity(ANN)
    keys = identity.public_keys()
    for lower in ("self_signing_key", "user_signing_key"):
        told = keys[lower]
        signature = told["signatures"][ANN][f"ed25519:{identity.master.public}"]
        bare = {name: told[name] for name in ("user_id", "usage", "keys")}
        vodozemac.Ed25519PublicKey.from_base64(identity.master.public).verify_signature(
            Api.to_canonical_json(bare).encode(), vodozemac.Ed25519Signature.from_base64(signature)
        )
    assert "signatures" not in keys["master_key"]


def test_what_is_left_out_of_a_signature_changes_nothing_and_is_kept() -> None:
    pair = KeyPair(bytes.fromhex(RFC_8032))
    told = {"a": 1, "unsigned": {"b": 2}, "signatures": {ANN: {"ed25519:OTHER": "x"}}}
    assert pair.sign(told) == pair.sign({"a": 1})
    both = signed(told, ANN, pair)
    assert both["unsigned"] == {"b": 2}
    assert set(both["signatures"][ANN]) == {"ed25519:OTHER", f"ed25519:{PUBLIC}"}


def test_seeds_are_read_back_with_their_secret_only(tmp_path: Path) -> None:
    identity = new_identity(ANN)
    IdentityFile(tmp_path, "the secret").save(identity)
    assert IdentityFile(tmp_path, "the secret").load(ANN) == identity
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert identity.master.seed.hex() not in file.read_bytes().hex()
    for secret, user_id in (("another", ANN), ("the secret", "@eve:example.org")):
        with pytest.raises(SetupError, match="is not what was written there"):
            IdentityFile(tmp_path, secret).load(user_id)


def test_there_is_no_identity_before_one_was_saved(tmp_path: Path) -> None:
    assert IdentityFile(tmp_path, "the secret").load(ANN) is None
