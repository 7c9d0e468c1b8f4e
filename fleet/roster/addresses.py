"""Where mail to an agent goes, as the roster says."""

from bot.errors import UserError
from bot.model import Address, agent_address
from fleet.roster.document import Roster

_PLATFORMS = frozenset({"local", "matrix", "discord", "schedule"})
"""What stands before the colon of somebody who is no agent."""


def address_of(roster: Roster, name: str, host: str | None, here: str) -> Address:
    """Return an agent's address by its name or alias; ``host`` None is where the roster has it.

    UserError for an agent that this host should have and has not. What another host's own roster names is
    known there alone: mail to it is taken, and its daemon says if there is no such agent.
    """
    if host in _PLATFORMS:
        raise UserError(f"{host}:{name} is a person: what you answer reaches them", code="a_person")
    agent = roster.called(name)
    if agent is not None and host in {None, agent.host or here}:
        return agent_address(agent.host or here, agent.name)
    if host not in {None, here}:
        return agent_address(str(host), name)
    names = ", ".join(one.name for one in roster.agents) or "nobody"
    said = f"no agent is named {name}"
    if agent is not None:
        said = f"{name} lives on {agent.host}, not on {here}"
    raise UserError(f"{said}; the roster has: {names}", code="unknown_agent")
