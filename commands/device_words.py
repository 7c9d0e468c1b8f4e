"""What people are told of devices and of verifications."""

from datetime import UTC, datetime
from typing import Any, Protocol

from bot.model import Address
from bot.reply import Block, Code, Offer
from bot.rooms.devices import DeviceTrust, KnownDevice, Verification, VerificationStep

TRUST = {
    DeviceTrust.UNSET: "seen first, not verified",
    DeviceTrust.VERIFIED: "verified",
    DeviceTrust.IGNORED: "let in unverified",
    DeviceTrust.BLOCKED: "blocked",
    DeviceTrust.CHANGED: "its keys changed",
}
STEPS = {
    VerificationStep.ASKED: "its person has not agreed yet",
    VerificationStep.COMPARE: "the symbols are to be compared",
    VerificationStep.CONFIRMED: "confirmed here, not yet on the device",
    VerificationStep.VERIFIED: "verified",
    VerificationStep.ENDED: "ended",
}


class Put(Protocol):
    """Says a piece of news (Bulletin.put)."""

    def __call__(
        self,
        text: str,
        *more: Block,
        urgent: bool = False,
        offers: tuple[Offer, ...] = (),
        to: Address | None = None,
    ) -> None: ...


async def tell_of(verification: Verification, put: Put) -> None:
    """Say what is new of a verification, where its people follow it; nothing while they have nothing to do."""
    told = {
        VerificationStep.COMPARE: _compare,
        VerificationStep.VERIFIED: _verified,
        VerificationStep.ENDED: _ended,
    }.get(verification.step)
    if told is not None:
        blocks = (
            () if verification.step is not VerificationStep.COMPARE else (symbols(verification),)
        )
        put(
            told(verification),
            *blocks,
            urgent=True,
            offers=_offers(verification),
            to=verification.place,
        )


def symbols(verification: Verification) -> Block:
    """Return the seven symbols with their names, one a line, as every platform shows them."""
    return Code("\n".join(f"{one.mark}  {one.name}" for one in verification.symbols))


def device_data(device: KnownDevice) -> dict[str, Any]:
    """Return a device as ``--json`` prints it."""
    return {
        "id": device.id,
        "name": device.name,
        "fingerprint": device.fingerprint,
        "trust": device.trust,
        "takes_part": device.takes_part,
        "signed": device.signed,
        "heard_at": None if device.heard_at is None else device.heard_at.isoformat(),
    }


def verification_data(verification: Verification) -> dict[str, Any]:
    """Return a verification as ``--json`` prints it."""
    return {
        "code": verification.code,
        "user": verification.who.id,
        "device": verification.device_id,
        "step": verification.step,
        "symbols": [[one.mark, one.name] for one in verification.symbols],
        "until": verification.until.isoformat(),
        "why": verification.why,
    }


def _compare(verification: Verification) -> str:
    code = verification.code
    return (
        f"{_name(verification)} is being verified. Does it show these seven, in this order? If so, confirm it there,"
        f" and say `!devices confirm {code}` here; if not, `!devices refuse {code}`."
        f" Until {verification.until.astimezone(UTC):%H:%M} UTC."
    )


def _verified(verification: Verification) -> str:
    person = " Its person is vouched for as well." if verification.vouched else ""
    note = f" {verification.why}." if verification.why else ""
    return f"{_name(verification)} is verified ({verification.code}).{person}{note}"


def _ended(verification: Verification) -> str:
    return (
        f"{_name(verification)} is not verified ({verification.code}): {verification.why}."
        " Nothing was decided about it."
    )


def _name(verification: Verification) -> str:
    return f"The device {verification.device_id} of {verification.who.id}"


def _offers(verification: Verification) -> tuple[Offer, ...]:
    """Return what may be tapped. Taps are never encrypted: in an encrypted room the yes is said by words."""
    if verification.step is not VerificationStep.COMPARE:
        return ()
    code, chooser = verification.code, verification.asked_by
    left = verification.until - datetime.now(UTC)
    refuse = Offer("❌", f"devices refuse {code}", "they differ", left, chooser)
    if verification.private:
        return (refuse,)
    return (Offer("✅", f"devices confirm {code}", "they are the same", left, chooser), refuse)
