"""The port Units without a service manager."""

from collections.abc import Mapping, Sequence

from bot.agents.units import UnitState

FILES = ("daemon.service", "agent@.service")


class MemoryUnits:
    """Units that are enabled and never active: nothing boots here."""

    def __init__(self) -> None:
        self._installed = False
        self._enabled: set[str] = set()

    async def install(self, names: Sequence[str]) -> Sequence[str]:
        self._installed = True
        self._enabled |= set(names)
        return FILES

    async def remove(self, names: Sequence[str]) -> Sequence[str]:
        there = FILES if self._installed else ()
        self._installed = False
        self._enabled -= set(names)
        return there

    async def enable(self, name: str) -> None:
        if self._installed:
            self._enabled.add(name)

    async def disable(self, name: str) -> None:
        self._enabled.discard(name)

    async def states(self, names: Sequence[str]) -> Mapping[str, UnitState]:
        if not self._installed:
            return {}
        return {
            name: UnitState("inactive", "enabled" if name in self._enabled else "disabled")
            for name in names
        }
