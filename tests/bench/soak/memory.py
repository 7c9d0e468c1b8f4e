"""Whether a process grows: its resident memory beside what it has done, life after life."""

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_WARM_UP = 0.25
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Sample:
    """Resident memory in MB (10^6 bytes) and open files when so many messages were answered."""

    answered: int
    megabytes: float
    files: int


@dataclass(slots=True)
class Life:
    """One process, from its start to its death."""

    pid: int
    samples: list[Sample] = field(default_factory=list)

    def look(self, answered: int) -> None:
        """Take a sample; a process that is gone leaves none."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
            files = len(list(Path(f"/proc/{self.pid}/fd").iterdir()))
        except (OSError, IndexError):
            return
        self.samples.append(Sample(answered, pages * _PAGE / 1e6, files))

    @property
    def peak(self) -> float:
        """The most memory it had, in MB."""
        return max((sample.megabytes for sample in self.samples), default=0.0)

    @property
    def warm(self) -> Sequence[Sample]:
        """The samples after the first quarter of what it answered: imports and pools are there by then."""
        if not self.samples:
            return ()
        first, last = self.samples[0].answered, self.samples[-1].answered
        return [s for s in self.samples if s.answered >= first + (last - first) * _WARM_UP]

    @property
    def slope(self) -> float:
        """MB for each 1,000 messages once it is warm; 0.0 where there is too little to say."""
        points = [(sample.answered, sample.megabytes) for sample in self.warm]
        if len({answered for answered, _ in points}) < 3:
            return 0.0
        return statistics.linear_regression(*zip(*points, strict=True)).slope * 1000

    @property
    def growth(self) -> float:
        """MB between the first and the last tenth of its warm samples, by their medians."""
        warm = [sample.megabytes for sample in self.warm]
        share = max(1, len(warm) // 10)
        return statistics.median(warm[-share:]) - statistics.median(warm[:share]) if warm else 0.0
