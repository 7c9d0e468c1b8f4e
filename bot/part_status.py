"""How a part of the daemon is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PartState(StrEnum):
    """How a part of the daemon is."""

    OK = "ok"
    RETRYING = "retrying"
    STOPPED = "stopped"
    SAFE_MODE = "safe-mode"


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One line of ``mosaic status``."""

    state: PartState
    detail: str
    since: datetime
