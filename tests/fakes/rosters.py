"""The port Rosters in memory."""

from collections.abc import Mapping
from typing import Any

from bot.errors import UserError


class MemoryRosters:
    """A roster as a dictionary of dictionaries."""

    def __init__(self, *agents: Mapping[str, Any]) -> None:
        self.agents = {str(agent["name"]): dict(agent) for agent in agents}

    async def add(self, agent: Mapping[str, Any]) -> None:
        if agent["name"] in self.agents:
            raise UserError(f"two agents are named {agent['name']}")
        self.agents[str(agent["name"])] = dict(agent)

    async def edit(self, name: str, changes: Mapping[str, Any]) -> None:
        wanted = self._find(name) | dict(changes)
        self._protect(self.agents | {name: wanted})
        if wanted.get("reports_to") not in {None, *self.agents}:
            raise UserError(f"{name}: reports_to: no agent is named {wanted['reports_to']}")
        self.agents[name] = {key: value for key, value in wanted.items() if value is not None}

    async def remove(self, name: str) -> None:
        superior = self._find(name).get("reports_to")
        left = {one: dict(agent) for one, agent in self.agents.items() if one != name}
        self._protect(left)
        for agent in left.values():
            if agent.get("reports_to") == name:
                del agent["reports_to"]
                agent.update({} if superior is None else {"reports_to": superior})
        self.agents = left

    def _find(self, name: str) -> dict[str, Any]:
        if name not in self.agents:
            known = ", ".join(self.agents)
            raise UserError(f"name: no agent is named {name}; the roster has: {known}")
        return self.agents[name]

    def _protect(self, after: Mapping[str, Mapping[str, Any]]) -> None:
        for needed in ("orchestrator", "enhancer"):
            had = [one for one, agent in self.agents.items() if agent["class"] == needed]
            if had and not any(agent["class"] == needed for agent in after.values()):
                raise UserError(f"name: {had[0]} stays", code="needed_agent")
