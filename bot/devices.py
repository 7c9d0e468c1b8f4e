"""The devices of people in encrypted conversations: what is known of them, and who may take part."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.model import Principal


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
    given keys and believed now; ``heard_at`` when the newest message of it was read, None when none was.
    """

    id: str
    name: str
    fingerprint: str
    trust: DeviceTrust
    takes_part: bool
    heard_at: datetime | None = None


class KnowsDevices(Protocol):
    """A connector whose conversations can be encrypted; ``devices`` is None while it was set up without keys."""

    @property
    def devices(self) -> "Devices | None": ...


class Devices(Protocol):
    """The devices of people on one platform. TransientError while that is away.

    ``decide`` stores a decision for good and returns the device as it is then; UserError for a device that is not
    known (``unknown_device``), and for a decision that cannot be made: nobody makes a device ``changed``, or decides of
    one that is.
    """

    async def of(self, who: Principal) -> Sequence[KnownDevice]: ...

    async def decide(self, who: Principal, device_id: str, trust: DeviceTrust) -> KnownDevice: ...
