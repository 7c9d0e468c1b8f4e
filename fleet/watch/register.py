"""This host's entries in the register of agents: how each one is, said whenever that changes."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import structlog

from bot.agent_record import AgentRecord
from bot.errors import SetupError, UserError
from bot.supervision.ports import HOST_SILENT, Sighting, Workers
from fleet.host.local import LocalFleet
from fleet.roster.document import Agent

_POLL = timedelta(milliseconds=50)
_SLOWEST = timedelta(seconds=3)
_SHARE = 10
"""How many times longer than a look took it waits before the next, while heartbeats come in all the time."""
_SPEAK = HOST_SILENT / 3


class Register:
    """The part ``register``. It looks at agents when one of their heartbeats changed, and every few seconds.

    Agents that are to be begun anew between two cards are, here, before they get the next one.
    """

    name = "register"

    def __init__(
        self, fleet: LocalFleet, workers: Workers, takes_cards: Callable[[str], bool]
    ) -> None:
        self._fleet = fleet
        self._workers = workers
        self._takes_cards = takes_cards
        self._stamp = -1
        self._said: Sequence[Sighting] = ()
        self._log = structlog.get_logger(part=self.name)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Report until cancelled; TransientError when the database or tmux is away."""
        loop = asyncio.get_running_loop()
        looked_at = spoke_at = float("-inf")
        took = 0.0
        while True:
            now = loop.time()
            if self._is_due(now - looked_at, took):
                sightings = await self._look()
                if sightings != self._said or now - spoke_at > _SPEAK.total_seconds():
                    await self._workers.report(self._fleet.host, sightings)
                    self._said, spoke_at = sightings, now
                looked_at, took = loop.time(), loop.time() - now
                ready(f"{len(sightings)} agents of {self._fleet.host}")
                await self._reset_those_who_must()
            await asyncio.sleep(_POLL.total_seconds())

    def _is_due(self, since: float, took: float) -> bool:
        if since > _SLOWEST.total_seconds():
            return True
        if since < took * _SHARE:
            return False
        # Beats are replaced by rename, which the directory's own time tells of.
        stamp = self._fleet.places.heartbeat_directory.stat().st_mtime_ns
        changed, self._stamp = stamp != self._stamp, stamp
        return changed

    async def _look(self) -> Sequence[Sighting]:
        try:
            records = await self._fleet.observe()
        except SetupError:
            return ()  # no roster, or no tmux: the fleet's own part says so
        agents = {agent.name: agent for agent in self._fleet.local_agents()}
        classes = {agent.agent_class for agent in agents.values()}
        takes = {name: self._takes_cards(name) for name in classes}
        return [
            _sighting(record, agents[record.name], takes)
            for record in records
            if record.name in agents and "UNMANAGED" not in record.flags
        ]

    async def _reset_those_who_must(self) -> None:
        if not any(one.resets for one in self._said):
            return
        for worker in await self._workers.all():
            if worker.needs_reset and worker.host == self._fleet.host:
                await self._reset(worker.name)
                await self._workers.was_reset(worker.place)

    async def _reset(self, name: str) -> None:
        try:
            await self._fleet.stop(name)
            await self._fleet.start(name)
        except (
            UserError
        ) as error:  # not in the roster any more, or not to be started: the register says how it is
            self._log.warning("agent not begun anew", agent=name, reason=error.message)
        else:
            self._log.info("agent begun anew between cards", agent=name)


def _sighting(record: AgentRecord, agent: Agent, takes: Mapping[str, bool]) -> Sighting:
    return Sighting(
        place=f"{record.host}/{record.name}",
        agent_class=agent.agent_class,
        takes_cards=takes[agent.agent_class],
        resets=agent.reset_between_tasks,
        readiness=record.readiness,
        evidence=record.evidence,
    )
