"""A fleet without processes: the ports Fleet and Panes over a dictionary."""

from collections.abc import Sequence
from itertools import count
from typing import Any

from bot.agent_record import AgentRecord
from bot.errors import UserError
from bot.model import Address, Principal, agent_address

HOST = "testhost"


class MemoryFleet:
    """Agents that start and stop at once; each start has a new pid."""

    def __init__(self, *agents: dict[str, Any]) -> None:
        self._agents = agents
        self._pids: dict[str, int] = {}
        self._numbers = count(1_000_001)

    async def start(self, name: str | None) -> Sequence[AgentRecord]:
        names = self._names(name)
        for one in names:
            if one not in self._pids:
                self._pids[one] = next(self._numbers)
        return self._records(names)

    async def stop(self, name: str | None) -> Sequence[AgentRecord]:
        names = self._names(name)
        for one in names:
            self._pids.pop(one, None)
        return self._records(names)

    async def observe(self) -> Sequence[AgentRecord]:
        return self._records(self._names(None))

    def roster(self) -> Sequence[dict[str, Any]]:
        return list(self._agents)

    def orchestrator(self) -> Address | None:
        found = (agent for agent in self._agents if agent["class"] == "orchestrator")
        return next((agent_address(HOST, agent["name"]) for agent in found), None)

    def address(self, name: str, host: str | None) -> Address:
        if not any(agent["name"] == name for agent in self._agents) and host in {None, HOST}:
            raise UserError(f"no agent is named {name}", code="unknown_agent")
        return agent_address(host or HOST, name)

    async def agent_of(self, pid: int) -> Principal | None:
        names = (name for name, own in self._pids.items() if own == pid)
        return next((Principal(f"agent:{HOST}/{name}", name) for name in names), None)

    def _names(self, name: str | None) -> Sequence[str]:
        names = [str(agent["name"]) for agent in self._agents]
        if name is not None and name not in names:
            known = ", ".join(names) or "nobody"
            raise UserError(
                f"no agent is named {name} on {HOST}; the roster has: {known}", code="unknown_agent"
            )
        return names if name is None else [name]

    def _records(self, names: Sequence[str]) -> Sequence[AgentRecord]:
        return [self._record(agent) for agent in self._agents if agent["name"] in names]

    def _record(self, agent: dict[str, Any]) -> AgentRecord:
        name = str(agent["name"])
        pid = self._pids.get(name)
        return AgentRecord(
            tenant_id="local",
            host=HOST,
            name=name,
            agent_class=agent["class"],
            runtime=agent["runtime"],
            model=None,
            session=None if pid is None else name,
            pane_id=None if pid is None else f"%{pid}",
            pid=pid,
            command=None if pid is None else "python",
            idle_seconds=None if pid is None else 0.0,
            heartbeat_age_seconds=None,
            readiness="dead" if pid is None else "unknown",
            evidence="no running process in a pane" if pid is None else "starting",
            flags=(),
            card=None,
            unit_active=None,
            unit_enabled=None,
        )
