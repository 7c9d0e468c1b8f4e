"""The test at the start: a device whose keys cannot be used, or are not those that others see, must not speak."""

import secrets

import vodozemac
from nio.crypto import OlmAccount

from bot.errors import UserError
from connectors.matrix.crypto.machine import Machine
from connectors.matrix.crypto.upkeep import Upkeep

_ANEW = "log the bot's account in anew, which makes a new device, move the folder crypto/ away and give the new token"


async def examine(machine: Machine, upkeep: Upkeep) -> str | None:
    """Show our keys, and return why this device must not speak in encrypted rooms, None when all is well.

    Others must be shown the very keys that we have: else what we encrypt is nobody's, and what they encrypt for us is
    lost. Keys that the homeserver has already are therefore looked at before ours take their place. TransientError when
    the homeserver is away.
    """
    try:
        why = (
            _round_trip(machine.olm.account)
            or _difference(machine, await upkeep.own_keys(), shown_before=machine.olm.account.shared)
        )  # fmt: skip
        if why is None:
            await upkeep.settle()
            why = _difference(machine, await upkeep.own_keys(), shown_before=True)
    except UserError as error:
        return f"the homeserver refuses our keys: {error.message}"
    return why


def _difference(machine: Machine, shown: dict[str, str], *, shown_before: bool) -> str | None:
    ours = machine.olm.account.identity_keys
    if not shown:
        if not shown_before:
            return None
        return f"the homeserver shows others no keys of the device {machine.device_id}: {_ANEW}"
    if all(shown.get(f"{name}:{machine.device_id}") == key for name, key in ours.items()):
        return None
    return (
        f"the homeserver shows others other keys for the device {machine.device_id} than those in crypto/,"
        f" so that folder was lost or is an older one: {_ANEW}"
    )


def _round_trip(account: OlmAccount) -> str | None:
    """Encrypt and sign something, and return what went wrong."""
    said = secrets.token_bytes(16)
    try:
        ours = vodozemac.GroupSession()
        theirs = vodozemac.InboundGroupSession(ours.session_key)
        heard = theirs.decrypt(ours.encrypt(said)).plaintext
        signature = vodozemac.Ed25519Signature.from_base64(account.sign(said.hex()))
        key = vodozemac.Ed25519PublicKey.from_base64(account.identity_keys["ed25519"])
        key.verify_signature(said.hex().encode(), signature)
    except ValueError as error:  # every error of vodozemac is one
        return f"the encryption library does not work here: {error}"
    return None if heard == said else "the encryption library does not read what it wrote"
