"""How often people are told how far an agent is."""

from dataclasses import dataclass
from datetime import timedelta

_SLOWER = 8
"""A word comes after an eighth of the time that the turn has lasted: a long turn costs few of them."""

_LONGEST = timedelta(minutes=1)


LONGEST_SHOW = timedelta(hours=1)
"""A turn that lasts longer, or whose end was never seen, is left to itself; what it comes to is said all the same."""


@dataclass(frozen=True, slots=True)
class Pace:
    """First ``after`` so long a turn, then never sooner than ``between`` two words, and ever more rarely."""

    after: timedelta = timedelta(seconds=5)
    between: timedelta = timedelta(seconds=3)

    def pause(self, lasted: timedelta) -> timedelta:
        """Return the time until the next word on a turn that has lasted so long."""
        return max(self.between, min(lasted / _SLOWER, _LONGEST))
