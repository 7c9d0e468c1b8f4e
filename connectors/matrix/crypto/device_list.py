"""The devices of people on Matrix, to look at and to decide on (implements Devices)."""

from collections.abc import Sequence

from bot.errors import UserError
from bot.model import Principal
from bot.rooms.devices import DeviceTrust, KnownDevice
from connectors.matrix.crypto.cipher import Cipher
from connectors.matrix.events import KIND


class DeviceList:
    """The devices that one account's cipher knows."""

    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher

    async def of(self, who: Principal) -> Sequence[KnownDevice]:
        """Return somebody's devices as they are at the homeserver now."""
        tools, user_id = self._cipher.tools, user_of(who)
        await tools.upkeep.know([user_id], anew=True)
        signed = await tools.vouching.signed_devices(user_id)
        return tools.policy.describe(tools.machine.others([user_id]), tools.replays, signed)

    async def decide(self, who: Principal, device_id: str, trust: DeviceTrust) -> KnownDevice:
        """Store a decision; what we say from then on is encrypted by it."""
        tools, user_id = self._cipher.tools, user_of(who)
        await tools.upkeep.know([user_id])
        signed = await tools.vouching.signed_devices(user_id)
        device = tools.policy.decide(user_id, device_id, trust)
        return tools.policy.describe([device], tools.replays, signed)[0]


def user_of(who: Principal) -> str:
    """Return the user id of somebody on Matrix; UserError for others."""
    if who.platform != KIND:
        raise UserError(f"{who.id} is nobody on Matrix, so has no devices there")
    return who.id.removeprefix(f"{KIND}:")
