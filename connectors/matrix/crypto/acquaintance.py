"""The device at the other end of a verification: which it is, by which keys it is known, and what a good end means."""

from collections.abc import Collection

from nio.crypto import OlmDevice

from bot.errors import MosaicError, SetupError, UserError
from bot.rooms.devices import DeviceTrust
from connectors.matrix.crypto.cipher import Cipher
from connectors.matrix.crypto.exchange import Exchange, Tie
from connectors.matrix.crypto.sas import Side


class Acquaintance:
    """Devices as one account's cipher knows them."""

    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher

    async def find(self, user_id: str, device_id: str) -> OlmDevice:
        """Return a device that may be verified, as it is at the homeserver now.

        UserError for one that is not known, blocked, changed or our own; SetupError while our own keys are not those
        that others see.
        """
        if self._cipher.unsafe:
            raise SetupError(self._cipher.unsafe)
        tools = self._cipher.tools
        if (user_id, device_id) == (tools.machine.user_id, tools.machine.device_id):
            raise UserError(f"{device_id} is my own device")
        await tools.upkeep.know([user_id], anew=True)
        device = tools.policy.find(user_id, device_id)
        if tools.policy.of(device) is DeviceTrust.BLOCKED:
            raise UserError(f"the device {device_id} is blocked here", hint="unblock it first")
        return device

    async def exchange(self, name: str, tie: Tie, theirs: Side) -> tuple[Exchange, str | None]:
        """Return a verification that has not begun, and the other's master key, which nobody has proved yet."""
        tools = self._cipher.tools
        machine = tools.machine
        fingerprint = str(machine.olm.account.identity_keys["ed25519"])
        ours = Side(machine.user_id, machine.device_id, fingerprint)
        try:
            own_master = await tools.vouching.own_master()
        except SetupError:
            own_master = None  # the file with its seed is broken, and the status says so
        master = await tools.vouching.master_of(theirs.user_id)
        keys = (_keys(ours, own_master), _keys(theirs, master))
        return Exchange(name, ours, theirs, keys, tie), master

    async def believe(
        self, device: Side, master: str | None, proved: Collection[str]
    ) -> str | None:
        """Mark a device as verified, and vouch for its person if their master key was proved as well.

        Return what kept us from vouching, empty when we did, None when there was nobody to vouch for. UserError when
        the device is another by now.
        """
        tools = self._cipher.tools
        if tools.policy.find(device.user_id, device.device_id).ed25519 != device.ed25519:
            raise UserError(f"the device {device.device_id} has other keys by now")
        tools.policy.decide(device.user_id, device.device_id, DeviceTrust.VERIFIED)
        if master is None or f"ed25519:{master}" not in proved:
            return None
        if device.user_id == tools.machine.user_id:
            return None
        try:
            await tools.vouching.vouch(device.user_id, master)
        except MosaicError as error:
            return f"I could not vouch for {device.user_id} as a person: {error.message}"
        return ""


def _keys(side: Side, master: str | None) -> dict[str, str]:
    """Return a side's keys by their ids. A device that bears a master key's name cannot stand for it."""
    device = {f"ed25519:{side.device_id}": side.ed25519}
    if master is None or master == side.device_id:
        return device
    return {f"ed25519:{master}": master, **device}
