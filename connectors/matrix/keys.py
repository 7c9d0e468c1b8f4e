"""What an installation says of encryption: where a device's keys lie, and whose devices may take part."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path


class Trust(StrEnum):
    """Whose devices take part: all whose keys did not change since we first saw them, or verified ones only."""

    TOFU = "tofu"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class Keys:
    """Where the keys of one device lie, and the secret by which they are encrypted there.

    A room's key comes with the first message or a moment later; when it did not within ``patience``, people are told.
    """

    folder: Path
    pickle_key: str = field(repr=False)
    trust: Trust = Trust.TOFU
    patience: timedelta = timedelta(seconds=30)
