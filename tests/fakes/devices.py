"""People's devices in memory."""

from collections.abc import Sequence
from dataclasses import replace

from bot.devices import DeviceTrust, KnownDevice
from bot.errors import UserError
from bot.model import Principal


class MemoryDevices:
    """The port Devices; ``known`` are the devices of each principal, by its id."""

    def __init__(self, known: dict[str, list[KnownDevice]]) -> None:
        self.known = known

    async def of(self, who: Principal) -> Sequence[KnownDevice]:
        return list(self.known.get(who.id, ()))

    async def decide(self, who: Principal, device_id: str, trust: DeviceTrust) -> KnownDevice:
        devices = self.known.get(who.id, [])
        for index, device in enumerate(devices):
            if device.id == device_id:
                if DeviceTrust.CHANGED in {trust, device.trust}:
                    raise UserError(
                        f"the keys of {device_id} changed, so nobody can say whose it is"
                    )
                devices[index] = replace(
                    device, trust=trust, takes_part=trust is not DeviceTrust.BLOCKED
                )
                return devices[index]
        raise UserError(f"{who.id} has no device {device_id}", code="unknown_device")
