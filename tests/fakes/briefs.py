"""The port Briefs over the fleet in memory."""

from collections.abc import Sequence

from bot.agents.briefs import Piece
from tests.fakes.fleet import MemoryFleet


class MemoryBriefs:
    """Every agent is told its name."""

    def __init__(self, fleet: MemoryFleet) -> None:
        self._fleet = fleet

    def prompt(self, name: str) -> Sequence[Piece]:
        self._fleet._names(name)
        return [Piece("comms", "roster", self.comms_block(name, None))]

    def comms_block(self, role: str, host: str | None) -> str:
        self._fleet._names(role)
        return f"You are `{role}`."
