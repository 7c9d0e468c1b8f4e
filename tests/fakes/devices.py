"""People's devices in memory."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.errors import UserError
from bot.model import Address, Principal
from bot.rooms.devices import (
    DeviceTrust,
    KnownDevice,
    Symbol,
    Verification,
    VerificationStep,
)


class MemoryDevices:
    """The port Devices; ``known`` are the devices of each principal, by its id."""

    def __init__(self, known: dict[str, list[KnownDevice]]) -> None:
        self.known = known

    async def of(self, who: Principal) -> Sequence[KnownDevice]:
        return list(self.known.get(who.id, ()))

    async def decide(self, who: Principal, device_id: str, trust: DeviceTrust) -> KnownDevice:
        device = self.find(who, device_id)
        if trust is DeviceTrust.CHANGED:
            raise UserError("that keys changed is seen, and not decided")
        changed = replace(device, trust=trust, takes_part=trust is not DeviceTrust.BLOCKED)
        devices = self.known[who.id]
        devices[devices.index(device)] = changed
        return changed

    def find(self, who: Principal, device_id: str) -> KnownDevice:
        for device in self.known.get(who.id, []):
            if device.id == device_id:
                if device.trust is DeviceTrust.CHANGED:
                    raise UserError(f"the keys of {device_id} changed: nobody can say whose it is")
                return device
        raise UserError(f"{who.id} has no device {device_id}", code="unknown_device")


class MemoryVerifications:
    """The port Verifications; ``agree`` and ``confirm`` are what the person does at the other device."""

    def __init__(self, devices: MemoryDevices, home: Address) -> None:
        self._devices = devices
        self._home = home
        self._running: dict[str, Verification] = {}
        self._confirmed: set[str] = set()

    async def begin(
        self, who: Principal, device_id: str, place: Address | None, asked_by: Principal
    ) -> Verification:
        if self._devices.find(who, device_id).trust is DeviceTrust.BLOCKED:
            raise UserError(f"the device {device_id} is blocked here")
        for older in self.open():
            if (older.who.id, older.device_id) == (who.id, device_id):
                del self._running[older.code]
        code = f"{secrets.randbelow(10_000):04d}"
        until = datetime.now(UTC) + timedelta(minutes=10)
        begun = Verification(
            code,
            who,
            device_id,
            VerificationStep.ASKED,
            until,
            place or self._home,
            asked_by=asked_by.id,
        )
        self._running[code] = begun
        return begun

    async def answer(self, code: str, *, same: bool) -> Verification:
        found = self._running.get(code)
        if found is None or found.step is not VerificationStep.COMPARE:
            raise UserError(f"no symbols under {code}", code="unknown_verification")
        if not same:
            del self._running[code]
            return replace(found, step=VerificationStep.ENDED, why="our side saw other symbols")
        self._running[code] = found = replace(found, step=VerificationStep.CONFIRMED)
        return await self._finish(found)

    def open(self) -> Sequence[Verification]:
        return list(self._running.values())

    async def agree(self) -> None:
        """Say yes to what was asked last: symbols are shown then."""
        last = self.open()[-1]
        symbols = tuple(Symbol("🐶", "Dog") for _ in range(7))
        self._running[last.code] = replace(last, step=VerificationStep.COMPARE, symbols=symbols)

    async def confirm(self) -> None:
        """Say at the other device that the symbols are the same."""
        last = self.open()[-1]
        self._confirmed.add(last.code)
        await self._finish(last)

    async def _finish(self, found: Verification) -> Verification:
        if found.step is not VerificationStep.CONFIRMED or found.code not in self._confirmed:
            return found
        await self._devices.decide(found.who, found.device_id, DeviceTrust.VERIFIED)
        del self._running[found.code]
        return replace(found, step=VerificationStep.VERIFIED)
