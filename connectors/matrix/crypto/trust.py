"""Whose devices take part: given keys, and believed."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from nio.crypto import OlmDevice

from bot.errors import UserError
from bot.rooms.devices import DeviceTrust, KnownDevice
from connectors.matrix.crypto.machine import Machine
from connectors.matrix.crypto.replays import Replays
from connectors.matrix.keys import Trust

_STATES = {
    "unset": DeviceTrust.UNSET,
    "verified": DeviceTrust.VERIFIED,
    "ignored": DeviceTrust.IGNORED,
    "blacklisted": DeviceTrust.BLOCKED,
}


class TrustPolicy:
    """The decisions on devices, kept with the keys, and the setting for those on which nobody decided.

    ``changed`` are the devices, as user and device, that showed other keys than those that we know.
    """

    def __init__(self, machine: Machine, setting: Trust) -> None:
        self.changed: set[tuple[str, str]] = set()
        self._machine = machine
        self._setting = setting

    def of(self, device: OlmDevice) -> DeviceTrust:
        """Return what was decided about a device."""
        if (device.user_id, device.id) in self.changed:
            return DeviceTrust.CHANGED
        return _STATES[device.trust_state.name]

    def has_changed(self, user_id: str) -> bool:
        """Return whether a device of somebody showed other keys than those that we know."""
        return any(user == user_id for user, _ in self.changed)

    def takes_part(self, device: OlmDevice) -> bool:
        """Return whether a device is given keys and believed."""
        decided = self.of(device)
        if decided is DeviceTrust.UNSET:
            return self._setting is Trust.TOFU
        return decided in {DeviceTrust.VERIFIED, DeviceTrust.IGNORED}

    def refused(self, devices: Iterable[OlmDevice]) -> Mapping[str, Sequence[OlmDevice]]:
        """Return those that do not take part, by the specification's code for it (``m.room_key.withheld``)."""
        found: dict[str, list[OlmDevice]] = {}
        for device in devices:
            if not self.takes_part(device):
                unset = self.of(device) is DeviceTrust.UNSET
                found.setdefault("m.unverified" if unset else "m.blacklisted", []).append(device)
        return found

    def find(self, user_id: str, device_id: str) -> OlmDevice:
        """Return a device on which somebody may decide; UserError as ``Devices.decide`` says."""
        device = self._machine.olm.device_store[user_id].get(device_id)
        if device is None or device.deleted:
            known = ", ".join(one.id for one in self._machine.others([user_id])) or "none"
            raise UserError(
                f"{user_id} has no device {device_id}; known are: {known}", code="unknown_device"
            )
        if self.of(device) is DeviceTrust.CHANGED:
            raise UserError(
                f"the keys of {device_id} of {user_id} changed, so nobody can say whose it is",
                hint="log that device out and in again: then it is a new one",
            )
        return device

    def decide(self, user_id: str, device_id: str, trust: DeviceTrust) -> OlmDevice:
        """Store a decision; UserError as ``Devices.decide`` says."""
        device = self.find(user_id, device_id)
        if trust is DeviceTrust.CHANGED:
            raise UserError("that keys changed is seen, and not decided")
        with self._machine.stored():
            self._store(device, trust)
        return device

    def _store(self, device: OlmDevice, trust: DeviceTrust) -> None:
        olm = self._machine.olm
        if trust is DeviceTrust.VERIFIED:
            olm.verify_device(device)
        elif trust is DeviceTrust.IGNORED:
            olm.ignore_device(device)
        elif trust is DeviceTrust.BLOCKED:
            olm.blacklist_device(device)
        else:
            for undo in (olm.unverify_device, olm.unignore_device, olm.unblacklist_device):
                undo(device)

    def describe(
        self, devices: Collection[OlmDevice], heard: Replays, signed: Collection[str]
    ) -> Sequence[KnownDevice]:
        """Return devices as people are told of them; ``signed`` are those that their person's identity signed."""
        return [
            KnownDevice(
                id=device.id,
                name=device.display_name or "",
                fingerprint=_in_groups(device.ed25519),
                trust=self.of(device),
                takes_part=self.takes_part(device),
                signed=device.id in signed,
                heard_at=heard.heard_at(device.curve25519),
            )
            for device in devices
        ]


def _in_groups(key: str) -> str:
    return " ".join(key[start : start + 4] for start in range(0, len(key), 4))
