"""People's devices in encrypted rooms: what is known of them, and who takes part."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from bot.command.declare import OPERATORS, Call, Effect, Help, command, topic
from bot.devices import Devices, DeviceTrust, KnownDevice
from bot.errors import SetupError
from bot.model import Principal
from bot.reply import Reply, Table, Text

_SAID = {
    DeviceTrust.UNSET: "seen first, not verified",
    DeviceTrust.VERIFIED: "verified",
    DeviceTrust.IGNORED: "let in unverified",
    DeviceTrust.BLOCKED: "blocked",
    DeviceTrust.CHANGED: "its keys changed",
}

Who = Annotated[
    str,
    Field(pattern=r"^(matrix:)?@[^\s:]+:\S+$"),
    Help("whose: `@ann:example.org`, or `matrix:@ann:example.org`"),
]
Which = Annotated[str, Field(min_length=1, max_length=255), Help("the device's id")]


@topic("devices")
class DeviceCommands:
    """The devices of people in encrypted rooms (docs/howto/matrix.md). ``devices`` is None where none are known."""

    def __init__(self, devices: Callable[[], Devices | None]) -> None:
        self._devices = devices

    @command("list", roles=OPERATORS)
    async def list(self, call: Call, user: Who | None = None) -> Reply:
        """Show somebody's devices, your own without USER: compare a fingerprint with the one that its client shows."""
        who = call.caller.principal if user is None else _principal(user)
        found = await self._known().of(who)
        if not found:
            return Reply(
                [],
                (
                    Text(
                        f"{who.id} has no device that encrypts, or shares no encrypted room with me."
                    ),
                ),
            )
        rows = tuple(
            (
                one.id,
                one.name or "-",
                _SAID[one.trust],
                "yes" if one.takes_part else "no",
                one.fingerprint,
            )
            for one in found
        )
        columns = ("device", "name", "trust", "takes part", "fingerprint")
        return Reply([_data(one) for one in found], (Table(columns, rows),))

    @command("verify", roles=OPERATORS, effect=Effect.WRITE)
    async def verify(self, call: Call, user: Who, device: Which) -> Reply:
        """Say that a device is its person's, after its fingerprint was compared over another way than this one."""
        return await self._decide(user, device, DeviceTrust.VERIFIED)

    @command("allow", roles=OPERATORS, effect=Effect.WRITE)
    async def allow(self, call: Call, user: Who, device: Which) -> Reply:
        """Let a device take part although nobody verified it."""
        return await self._decide(user, device, DeviceTrust.IGNORED)

    @command("block", roles=OPERATORS, effect=Effect.WRITE)
    async def block(self, call: Call, user: Who, device: Which) -> Reply:
        """Give a device no keys any more, and do not believe what it writes."""
        return await self._decide(user, device, DeviceTrust.BLOCKED)

    @command("reset", roles=OPERATORS, effect=Effect.WRITE)
    async def reset(self, call: Call, user: Who, device: Which) -> Reply:
        """Take back what was decided about a device: it takes part as `[connectors.matrix] trust` says."""
        return await self._decide(user, device, DeviceTrust.UNSET)

    async def _decide(self, user: str, device_id: str, trust: DeviceTrust) -> Reply:
        device = await self._known().decide(_principal(user), device_id, trust)
        part = "takes part" if device.takes_part else "does not take part"
        return Reply(
            _data(device), (Text(f"{device.id} of {user}: {_SAID[device.trust]}. It {part}."),)
        )

    def _known(self) -> Devices:
        devices = self._devices()
        if devices is None:
            raise SetupError(
                "no connector that is open knows devices: Matrix is not connected, or has no keys",
                hint="set MATRIX_PICKLE_KEY; docs/howto/matrix.md",
            )
        return devices


def _principal(user: str) -> Principal:
    user_id = user.removeprefix("matrix:")
    return Principal(f"matrix:{user_id}", user_id.removeprefix("@").partition(":")[0])


def _data(device: KnownDevice) -> dict[str, Any]:
    return {
        "id": device.id,
        "name": device.name,
        "fingerprint": device.fingerprint,
        "trust": device.trust,
        "takes_part": device.takes_part,
        "heard_at": None if device.heard_at is None else device.heard_at.isoformat(),
    }
