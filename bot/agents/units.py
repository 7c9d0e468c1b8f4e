"""Agents as units of the service manager, so that they are there again after a boot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class UnitState:
    """How a unit is, in the service manager's own words (``active``, ``enabled``, …)."""

    active: str
    enabled: str


class Units(Protocol):
    """The service manager of the person who runs the fleet. Without one nothing here fails but ``install``."""

    async def install(self, names: Sequence[str]) -> Sequence[str]:
        """Write the units and enable those of the named agents; return the files. UserError when it cannot."""
        ...

    async def remove(self, names: Sequence[str]) -> Sequence[str]:
        """Disable the named agents' units and take the files away; return the files that were there."""
        ...

    async def enable(self, name: str) -> None:
        """Let one agent's unit be started at boot; harmless when none are installed."""
        ...

    async def disable(self, name: str) -> None:
        """Let one agent's unit be started at no boot any more; harmless when it is so already."""
        ...

    async def states(self, names: Sequence[str]) -> Mapping[str, UnitState]:
        """Return how the named agents' units are; nothing when none are installed."""
        ...
