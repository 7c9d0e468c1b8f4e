"""What became of the backlog in a time: the numbers of a daily digest."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Tally:
    """Cards created and completed since a moment; ``began_at`` is when this installation's database was made."""

    created: int
    completed: int
    began_at: datetime


class Activity(Protocol):
    """Counts what happened."""

    async def since(self, moment: datetime) -> Tally:
        """Return what happened since a moment."""
        ...
