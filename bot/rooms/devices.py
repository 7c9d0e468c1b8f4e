"""The devices of people in encrypted conversations: what is known of them, and who may take part."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.model import Address, Principal


class DeviceTrust(StrEnum):
    """What was decided about one device.

    ``unset`` takes part as the trust setting says, ``ignored`` takes part although nobody verified it, ``blocked`` is
    given no keys and not believed. ``changed`` showed other keys than those first seen, and nobody decides that: it
    is blocked until its person logs in anew.
    """

    UNSET = "unset"
    VERIFIED = "verified"
    IGNORED = "ignored"
    BLOCKED = "blocked"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """One device of somebody.

    ``fingerprint`` is its Ed25519 key in groups of four, as clients show it; ``takes_part`` whether it is
    given keys and believed now; ``signed`` whether the cross-signing keys of its person vouch for it; ``heard_at``
    when the newest message of it was read, None when none was.
    """

    id: str
    name: str
    fingerprint: str
    trust: DeviceTrust
    takes_part: bool
    signed: bool = False
    heard_at: datetime | None = None


class KnowsDevices(Protocol):
    """A connector whose conversations can be encrypted; both are None while it was set up without keys."""

    @property
    def devices(self) -> "Devices | None": ...

    @property
    def verifications(self) -> "Verifications | None": ...


class Devices(Protocol):
    """The devices of people on one platform. TransientError while that is away.

    ``decide`` stores a decision for good and returns the device as it is then; UserError for a device that is not
    known (``unknown_device``), and for a decision that cannot be made: nobody makes a device ``changed``, or decides of
    one that is.
    """

    async def of(self, who: Principal) -> Sequence[KnownDevice]: ...

    async def decide(self, who: Principal, device_id: str, trust: DeviceTrust) -> KnownDevice: ...


@dataclass(frozen=True, slots=True)
class Symbol:
    """One of the seven pictures that two people compare, with its English name."""

    mark: str
    name: str


class VerificationStep(StrEnum):
    """How far a verification is.

    ``asked``: the other device was asked and its person has not agreed yet. ``compare``: both show their symbols.
    ``confirmed``: our side said that they are the same, the other has not. ``verified`` and ``ended`` are its ends.
    """

    ASKED = "asked"
    COMPARE = "compare"
    CONFIRMED = "confirmed"
    VERIFIED = "verified"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Verification:
    """The comparison of symbols by which somebody's device and ours come to know each other.

    ``code`` names it for people until ``until``. ``place`` is where they follow it, None for where the operators are
    told; ``private`` says that what stands there is encrypted. ``asked_by`` is the principal's id who may answer beside
    operators. ``why`` says why it ended, ``vouched`` that ours vouches for the person and not only for the device.
    """

    code: str
    who: Principal
    device_id: str
    step: VerificationStep
    until: datetime
    place: Address | None = None
    private: bool = False
    asked_by: str | None = None
    symbols: tuple[Symbol, ...] = ()
    why: str = ""
    vouched: bool = False


class Verifications(Protocol):
    """Verifications on one platform; they live as long as the connector. TransientError while the platform is away.

    ``begin`` asks one device (UserError: ``unknown_device``, or one that is not to be decided on). ``answer`` says
    whether the symbols were the same; UserError ``unknown_verification`` for a code that none has, or whose symbols
    are not shown. ``open`` are those that have not ended, the oldest first.
    """

    async def begin(
        self, who: Principal, device_id: str, place: Address | None, asked_by: Principal
    ) -> Verification: ...

    async def answer(self, code: str, *, same: bool) -> Verification: ...

    def open(self) -> Sequence[Verification]: ...
