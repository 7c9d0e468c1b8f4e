"""Quiet hours: when people are told nothing that can wait."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time on the wall clock until another one, over midnight too; without times there are none."""

    begin: time | None = None
    end: time | None = None
    zone: tzinfo = UTC

    def hold(self, moment: datetime) -> bool:
        """Return whether it is quiet then; the end is not quiet any more."""
        if self.begin is None or self.end is None:
            return False
        shown = moment.astimezone(self.zone).time()
        if self.begin < self.end:
            return self.begin <= shown < self.end
        return shown >= self.begin or shown < self.end
