"""Changing who is in the fleet."""

from collections.abc import Mapping
from typing import Any, Protocol


class Rosters(Protocol):
    """The roster's file, changed in place: a person's comments and order stay.

    Every method writes the whole new file or nothing. UserError ``PATH:LINE: …`` when what would be written is
    no good roster, and when the fleet would be without its only orchestrator or its last enhancer.
    """

    async def add(self, agent: Mapping[str, Any]) -> None:
        """Add an agent at the end, by the keys of a roster; UserError when its name is taken."""
        ...

    async def edit(self, name: str, changes: Mapping[str, Any]) -> None:
        """Set keys of an agent, and take away those whose value is None; UserError for an unknown name."""
        ...

    async def remove(self, name: str) -> None:
        """Take an agent out; UserError for an unknown name."""
        ...
