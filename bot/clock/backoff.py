"""How long to wait before the next try."""

import random
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubling waits with full jitter in their upper half, so that many do not come back at once.

    ``wait(1)`` lies between half of ``first`` and ``first``; no wait exceeds ``longest``.
    """

    first: timedelta
    longest: timedelta

    def wait(self, attempt: int) -> timedelta:
        """Return the wait after the ``attempt``-th failure, counted from 1."""
        doubled = self.first * (1 << min(max(attempt, 1) - 1, 30))
        return min(doubled, self.longest) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
