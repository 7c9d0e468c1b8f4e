"""The floor: agents that ended are started again, those first without whom a fleet does not work.

The roster names the floor's classes, an orchestrator and an enhancer unless it says otherwise. What was stopped on
purpose stays stopped (``fleet.health.stops``), what ends at once is begun ever more rarely (``fleet.health.starts``),
and people are told once when that happens to the floor, and once when it is over. It looks at what the lookout saw,
and calls tmux only to start somebody.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from bot.errors import TransientError, UserError
from fleet.health.episodes import Episodes
from fleet.health.starts import COUNTS_FOR, crash_loop, read_starts, wait
from fleet.host.local import Door, LocalFleet
from fleet.roster.document import ORCHESTRATOR, Agent

_DUTIES = {
    ORCHESTRATOR: "nobody takes what people say",
    "enhancer": "nobody looks at how the work goes",
}
_DUTY = "its part of the work is not done"
_AGAIN = timedelta(seconds=30)
"""When a start that was refused is tried again: a person has to change something first."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a start was refused; ``only_early`` when it is no more than too soon."""

    reason: str
    again_at: datetime
    only_early: bool


class Floor:
    """Keeps this host's agents alive. ``tell`` hears of the floor's episodes, in sentences for people."""

    def __init__(
        self,
        fleet: LocalFleet,
        tell: Callable[[str], None],
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._fleet = fleet
        self._tell = tell
        self._now = now
        self._episodes = Episodes(fleet.places.episodes_file)
        self._ages: Mapping[str, timedelta] | None = None
        self._refusals: dict[str, _Refusal] = {}
        self._log = structlog.get_logger(part="floor")

    def see(self, doors: Sequence[Door]) -> None:
        """Take what the lookout saw: everybody who runs."""
        now = self._now()
        self._ages = {door.agent.name: door.pane.age(now) for door in doors}

    @property
    def refusals(self) -> Sequence[str]:
        """Why agents were not started, for those that still are not."""
        return [refusal.reason for refusal in self._refusals.values()]

    async def start_all(self) -> None:
        """Start everybody who does not run, at an opening; TransientError when tmux does not answer."""
        self._refusals.clear()
        self._ages = None  # what was seen before is no longer so
        for agent in self._in_order():
            await self._start(agent)

    async def keep(self) -> None:
        """Start again who ended since; nothing is done before the lookout has looked anew."""
        ages, self._ages = self._ages, None
        if ages is None:
            return
        for agent in self._in_order():
            if agent.name in ages:
                self._refusals.pop(agent.name, None)
            elif self._may_start(agent):
                await self._start_again(agent)
        self._tell_of_agents(ages)
        self._tell_of_classes()

    # -- starting --------------------------------------------------------------------------------------

    def _in_order(self) -> Sequence[Agent]:
        return sorted(self._fleet.local_agents(), key=lambda agent: not self._is_floor(agent))

    def _is_floor(self, agent: Agent) -> bool:
        return agent.agent_class in self._fleet.floor

    def _may_start(self, agent: Agent) -> bool:
        refusal = self._refusals.get(agent.name)
        if self._fleet.stops.by(agent.name) is not None:
            self._refusals.pop(agent.name, None)
            return False
        if refusal is not None and self._now() < refusal.again_at:
            return False
        return not wait(self._starts(agent), self._now())

    async def _start_again(self, agent: Agent) -> None:
        try:
            await self._start(agent)
        except TransientError as error:
            self._log.info("agent not started yet", agent=agent.name, reason=error.message)

    async def _start(self, agent: Agent) -> None:
        try:
            await self._fleet.start(agent.name, by_itself=True)
        except UserError as error:
            early = error.code == "crash_loop"
            known = self._refusals.get(agent.name)
            again_at = self._now() + (timedelta() if early else _AGAIN)
            self._refusals[agent.name] = _Refusal(error.message, again_at, early)
            if known is None or known.reason != error.message:
                self._log.warning("agent not started", agent=agent.name, reason=error.message)
        else:
            self._refusals.pop(agent.name, None)

    def _starts(self, agent: Agent) -> Sequence[datetime]:
        return read_starts(self._fleet.places.starts_file(agent.name))

    # -- telling ---------------------------------------------------------------------------------------

    def _tell_of_agents(self, ages: Mapping[str, timedelta]) -> None:
        floor = {agent.name: agent for agent in self._fleet.local_agents() if self._is_floor(agent)}
        for name, agent in floor.items():
            age = ages.get(name)
            if age is None:
                self._tell_of_dead(agent)
            elif name in self._episodes and age >= COUNTS_FOR:
                self._episodes.end(name)
                self._tell(f"{name} is well again: it runs since {_clock(self._now() - age)}.")
        for key in self._episodes:
            if key not in floor and key not in map(_class_key, self._fleet.floor):
                self._episodes.end(key)

    def _tell_of_dead(self, agent: Agent) -> None:
        if self._fleet.stops.by(agent.name) is not None:
            self._episodes.end(agent.name)
            return
        refusal = self._refusals.get(agent.name)
        loop = crash_loop(self._starts(agent), self._now())
        reason = loop if refusal is None or refusal.only_early else refusal.reason
        if reason is not None and self._episodes.begin(agent.name, self._now()):
            self._tell(
                f"{agent.name} ({agent.agent_class}) cannot be kept alive: {reason}."
                f" It is tried again, ever more rarely; !fleet start {agent.name} tries at once."
            )

    def _tell_of_classes(self) -> None:
        agents = self._fleet.current.agents if self._fleet.is_known else ()
        there = {agent.agent_class for agent in agents}
        for one in self._fleet.floor:
            key, at = _class_key(one), _clock(self._now())
            if agents and one not in there:
                if self._episodes.begin(key, self._now()):
                    self._tell(
                        f"Since {at} the roster has no agent of class {one}: {_DUTIES.get(one, _DUTY)}."
                        f" !fleet add NAME --class {one} --runtime RUNTIME adds one."
                    )
            elif self._episodes.end(key) and agents:
                self._tell(f"Since {at} the roster has an agent of class {one} again.")


def _class_key(agent_class: str) -> str:
    return f"class {agent_class}"


def _clock(moment: datetime) -> str:
    return moment.strftime("%H:%M UTC")
