"""The port Briefs: what the roster's agents are told."""

from collections.abc import Sequence

from bot.agents.briefs import Piece
from bot.errors import UserError
from fleet.host.local import LocalFleet
from fleet.launch.comms import comms_block
from fleet.launch.prompt import prompt_pieces


class LocalBriefs:
    """Made from the roster in force, at each question anew."""

    def __init__(self, fleet: LocalFleet) -> None:
        self._fleet = fleet

    def prompt(self, name: str) -> Sequence[Piece]:
        """Return what an agent of this host is told at its start, in pieces."""
        (agent,) = self._fleet.agents(name)
        return prompt_pieces(self._fleet.current, agent, self._fleet.host, self._fleet.places)

    def comms_block(self, role: str, host: str | None) -> str:
        """Return the comms block of an agent on any host; UserError lists the roles that there are."""
        roster, here = self._fleet.current, self._fleet.host
        for agent in roster.agents:
            if role in {agent.name, agent.alias} and host in {None, agent.host or here}:
                return comms_block(roster, agent, here)
        known = ", ".join(agent.name for agent in roster.agents) or "nobody"
        where = "" if host is None else f" on host {host}"
        raise UserError(
            f"role: no agent is named {role}{where}; the roster has: {known}", code="unknown_agent"
        )
