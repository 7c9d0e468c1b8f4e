"""People's devices in encrypted rooms: what is known of them, and who takes part."""

from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from bot.command.declare import MEMBERS, OPERATORS, Call, Effect, Help, command, topic
from bot.errors import SetupError, UserError
from bot.model import Principal, Via
from bot.policy import Policy
from bot.reply import Block, Reply, Table, Text, say
from bot.rooms.devices import Devices, DeviceTrust, Verification, Verifications
from commands.device_words import STEPS, TRUST, device_data, symbols, verification_data

Who = Annotated[
    str,
    Field(pattern=r"^(matrix:)?@[^\s:]+:\S+$"),
    Help("whose: `@ann:example.org`, or `matrix:@ann:example.org`"),
]
Which = Annotated[str, Field(min_length=1, max_length=255), Help("the device's id")]
Fingerprint = Annotated[
    str | None,
    Field(max_length=255),
    Help(
        "its key as its own client shows it, in quotes; without it the device is asked to compare symbols"
    ),
]
Digits = Annotated[
    str, Field(pattern=r"^[0-9]{4}$"), Help("the four digits that stand with the symbols")
]


@topic("devices")
class DeviceCommands:
    """The devices of people in encrypted rooms (docs/howto/matrix.md).

    ``devices`` and ``verifications`` are None where no keys are; ``policy`` is the one that holds now.
    """

    def __init__(
        self,
        devices: Callable[[], Devices | None],
        verifications: Callable[[], Verifications | None],
        policy: Callable[[], Policy],
    ) -> None:
        self._devices = devices
        self._verifications = verifications
        self._policy = policy

    @command("list", roles=MEMBERS)
    async def list(self, call: Call, user: Who | None = None) -> Reply:
        """Show somebody's devices, your own without USER: compare a fingerprint with the one that its client shows."""
        who = call.caller.principal if user is None else _principal(user)
        found = await self._known().of(who)
        if not found:
            return say(
                f"{who.id} has no device that encrypts, or shares no encrypted room with me.", []
            )
        rows = tuple(
            (
                one.id,
                one.name or "-",
                TRUST[one.trust],
                "yes" if one.takes_part else "no",
                "yes" if one.signed else "no",
                one.fingerprint,
            )
            for one in found
        )
        columns = ("device", "name", "trust", "takes part", "signed by its person", "fingerprint")
        return Reply([device_data(one) for one in found], (Table(columns, rows),))

    @command("verify", roles=OPERATORS, effect=Effect.WRITE)
    async def verify(
        self, call: Call, user: Who, device: Which, *, fingerprint: Fingerprint = None
    ) -> Reply:
        """Have a device verified: by symbols that its person compares, or by its fingerprint."""
        who = _principal(user)
        if fingerprint is not None:
            await self._compare(who, device, fingerprint)
            return await self._decide(user, device, DeviceTrust.VERIFIED)
        here = call.caller.via in {Via.CHAT, Via.CONSOLE}
        place = (call.thread or call.source) if here else None
        begun = await self._running().begin(who, device, place, call.caller.principal)
        return say(
            f"I asked the device {device} of {user}. When its person agrees there, both sides show seven symbols:"
            f" here, and by `!devices pending`, under the code {begun.code}.",
            verification_data(begun),
        )

    @command("pending", roles=MEMBERS)
    async def pending(self, call: Call) -> Reply:
        """Show the verifications that run, with their symbols."""
        found = self._running().open()
        if not found:
            return say("No verification is running.", [])
        blocks: list[Block] = []
        for one in found:
            blocks.append(Text(f"{one.code}: {one.device_id} of {one.who.id}, {STEPS[one.step]}."))
            if one.symbols:
                blocks.append(symbols(one))
        return Reply([verification_data(one) for one in found], tuple(blocks))

    @command("confirm", roles=MEMBERS, effect=Effect.WRITE)
    async def confirm(self, call: Call, code: Digits) -> Reply:
        """Say that the device shows the same symbols; for who asked, and for operators."""
        answered = await self._answer(call, code, same=True)
        return say(f"{code}: {STEPS[answered.step]}.", verification_data(answered))

    @command("refuse", roles=MEMBERS, effect=Effect.WRITE)
    async def refuse(self, call: Call, code: Digits) -> Reply:
        """Say that the symbols differ: somebody may stand in between, and nothing is verified."""
        answered = await self._answer(call, code, same=False)
        return say(
            f"{code}: broken off. If they really differed, ask yourselves who could have changed them.",
            verification_data(answered),
        )

    @command("allow", roles=OPERATORS, effect=Effect.WRITE)
    async def allow(self, call: Call, user: Who, device: Which) -> Reply:
        """Let a device take part although nobody verified it."""
        return await self._decide(user, device, DeviceTrust.IGNORED)

    @command("block", roles=OPERATORS, effect=Effect.WRITE)
    async def block(self, call: Call, user: Who, device: Which) -> Reply:
        """Give a device no keys any more, and do not believe what it writes."""
        return await self._decide(user, device, DeviceTrust.BLOCKED)

    @command("unblock", roles=OPERATORS, effect=Effect.WRITE)
    async def unblock(self, call: Call, user: Who, device: Which) -> Reply:
        """Take a block back: the device takes part as `[connectors.matrix] trust` says."""
        found = await self._known().of(_principal(user))
        if any(one.id == device and one.trust is not DeviceTrust.BLOCKED for one in found):
            raise UserError(f"{device} of {user} is not blocked")
        return await self._decide(user, device, DeviceTrust.UNSET)

    @command("forget", roles=OPERATORS, effect=Effect.WRITE)
    async def forget(self, call: Call, user: Who, device: Which) -> Reply:
        """Take back whatever was decided about a device: it takes part as `[connectors.matrix] trust` says."""
        return await self._decide(user, device, DeviceTrust.UNSET)

    async def _compare(self, who: Principal, device_id: str, fingerprint: str) -> None:
        """Refuse a fingerprint that is not the device's."""
        found = await self._known().of(who)
        device = next((one for one in found if one.id == device_id), None)
        if device is not None and _bare(device.fingerprint) != _bare(fingerprint):
            raise UserError(
                f"the fingerprint of {device_id} is another one here: {device.fingerprint}",
                code="wrong_fingerprint",
                hint="if you copied it rightly, somebody stands in between: do not verify this device",
            )

    async def _decide(self, user: str, device_id: str, trust: DeviceTrust) -> Reply:
        device = await self._known().decide(_principal(user), device_id, trust)
        part = "takes part" if device.takes_part else "does not take part"
        return say(f"{device.id} of {user}: {TRUST[device.trust]}. It {part}.", device_data(device))

    async def _answer(self, call: Call, code: str, *, same: bool) -> Verification:
        """Answer for our side, if it is theirs to answer."""
        verifications = self._running()
        asked = next((one for one in verifications.open() if one.code == code), None)
        if asked is not None:
            decision = self._policy().may_choose(call.caller.principal, asked.asked_by)
            if not decision.allowed:
                raise UserError(decision.reason, code="forbidden", hint=f"rule {decision.rule}")
        return await verifications.answer(code, same=same)

    def _known(self) -> Devices:
        devices = self._devices()
        if devices is None:
            raise _no_keys()
        return devices

    def _running(self) -> Verifications:
        verifications = self._verifications()
        if verifications is None:
            raise _no_keys()
        return verifications


def _no_keys() -> SetupError:
    return SetupError(
        "no connector that is open knows devices: Matrix is not connected, or has no keys",
        hint="set MATRIX_PICKLE_KEY; docs/howto/matrix.md",
    )


def _bare(fingerprint: str) -> str:
    return "".join(fingerprint.split())


def _principal(user: str) -> Principal:
    user_id = user.removeprefix("matrix:")
    return Principal(f"matrix:{user_id}", user_id.removeprefix("@").partition(":")[0])
