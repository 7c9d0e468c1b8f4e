"""One turn of a dogfood agent: what it was told, and the steps that are left to do, each after a while."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from fleet.dogfood.errands import Completion
from fleet.dogfood.message import Errand

Step = Callable[["Turn"], None]


@dataclass(slots=True)
class Turn:
    """``vice`` is how the agent misbehaves in it, empty when it does not."""

    text: str
    errand: Errand | None = None
    vice: str = ""
    completion: Completion | None = None
    _steps: deque[tuple[float, Step]] = field(default_factory=deque)
    _begun_at: float = field(default_factory=time.monotonic)

    def then(self, seconds: float, step: Step) -> None:
        """Add a step, ``seconds`` after the one before it."""
        self._steps.append((seconds, step))

    @property
    def due_at(self) -> float:
        """When the next step is due, in seconds of the monotonic clock."""
        return self._begun_at + self._steps[0][0]

    def go_on(self) -> None:
        """Do the step that is due."""
        _, step = self._steps.popleft()
        self._begun_at = time.monotonic()
        step(self)

    def rest(self) -> None:
        """Begin the wait for the next step anew: somebody kept us."""
        self._begun_at = time.monotonic()
