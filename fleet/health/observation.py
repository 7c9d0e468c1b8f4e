"""``fleet ps``: roster, tmux, process and heartbeat joined into one record per agent (spec 1-systems, row 7)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.agent_record import AgentRecord
from bot.agents.units import UnitState
from bot.config.places import Places
from fleet.health.heartbeat import Heartbeat
from fleet.health.readiness import Facts, Readiness, Thresholds, judge
from fleet.health.starts import crash_loop
from fleet.health.vital_signs import VitalSigns
from fleet.roster.document import Agent
from fleet.runtimes import RUNTIMES
from fleet.tmux.panes import OWN_ROLES, Pane


@dataclass(frozen=True, slots=True)
class _Signs:
    """What is known of one agent from outside: its pane, its last beat, a crash loop, who stopped it, its unit."""

    pane: Pane | None
    beat: Heartbeat | None
    loop: str | None
    stopped_by: str | None
    unit: UnitState | None


class Observer:
    """Joins what is known of this host's agents; it reads heartbeats and calls no program."""

    def __init__(self, places: Places, host: str, tenant_id: str, thresholds: Thresholds) -> None:
        self.host = host
        self.tenant_id = tenant_id
        self.thresholds = thresholds
        self._vital_signs = VitalSigns(places.heartbeat_directory)

    def records(
        self,
        agents: Sequence[Agent],
        panes: Sequence[Pane],
        units: Mapping[str, UnitState],
        ours: Callable[[Pane], bool],
        now: datetime,
    ) -> Sequence[AgentRecord]:
        """Return the roster's agents in its order, then the sessions that it does not name."""
        named = {agent.name for agent in agents}
        sessions: dict[str, Pane] = {}
        for pane in panes:
            if pane.role not in OWN_ROLES:
                sessions.setdefault(pane.session, pane)
        managed = {name: pane for name, pane in sessions.items() if name in named and ours(pane)}
        strays = [pane for name, pane in sessions.items() if name not in managed]
        read = self._vital_signs.read()
        signs = (
            _Signs(
                managed.get(agent.name),
                read.beats.get(agent.name),
                crash_loop(read.starts.get(agent.name, ()), now),
                read.stops.get(agent.name),
                units.get(agent.name),
            )
            for agent in agents
        )
        return [
            *(self._record(agent, seen, now) for agent, seen in zip(agents, signs, strict=True)),
            *(self._stray(pane, now) for pane in strays),
        ]

    def _record(self, agent: Agent, signs: "_Signs", now: datetime) -> AgentRecord:
        pane, beat, unit = signs.pane, signs.beat, signs.unit
        if pane is None or (beat is not None and not beat.is_of(now - pane.age(now))):
            beat = None
        idle = None if pane is None else pane.idle(now)
        facts = _facts(replace(signs, beat=beat), idle, now)
        readiness, evidence = judge(facts, self.thresholds)
        drift = pane is not None and _drifts(agent, pane, readiness)
        return AgentRecord(
            tenant_id=self.tenant_id,
            host=self.host,
            name=agent.name,
            agent_class=agent.agent_class,
            runtime=agent.runtime,
            model=agent.model_hint,
            session=None if pane is None else pane.session,
            pane_id=None if pane is None else pane.id,
            pid=None if pane is None or pane.dead else pane.pid,
            command=None if pane is None else pane.command,
            idle_seconds=_seconds(idle),
            heartbeat_age_seconds=None if beat is None else _seconds(beat.age(now)),
            readiness=readiness.value,
            evidence=evidence,
            flags=(*(("DRIFT",) if drift else ()), *_boot_flags(unit)),
            card=None,
            unit_active=None if unit is None else unit.active,
            unit_enabled=None if unit is None else unit.enabled,
        )

    def _stray(self, pane: Pane, now: datetime) -> AgentRecord:
        readiness = Readiness.DEAD if pane.dead else Readiness.UNKNOWN
        return AgentRecord(
            tenant_id=self.tenant_id,
            host=self.host,
            name=pane.session,
            agent_class=None,
            runtime=None,
            model=None,
            session=pane.session,
            pane_id=pane.id,
            pid=None if pane.dead else pane.pid,
            command=pane.command,
            idle_seconds=_seconds(pane.idle(now)),
            heartbeat_age_seconds=None,
            readiness=readiness.value,
            evidence="the roster does not name it",
            flags=("UNMANAGED",),
            card=None,
            unit_active=None,
            unit_enabled=None,
        )


def _facts(signs: _Signs, idle: timedelta | None, now: datetime) -> Facts:
    pane, beat = signs.pane, signs.beat
    return Facts(
        running=pane is not None and not pane.dead,
        age=None if pane is None else pane.age(now),
        heartbeat_age=None if beat is None else beat.age(now),
        state=None if beat is None else beat.state,
        said="" if beat is None else beat.evidence,
        idle=idle,
        crash_loop=signs.loop,
        stopped_by=signs.stopped_by,
    )


def _boot_flags(unit: UnitState | None) -> tuple[str, ...]:
    """Return a flag for what runs now and would not be there after a boot."""
    gap = unit is not None and unit.active == "active" and unit.enabled != "enabled"
    return ("BOOT-ENABLE",) if gap else ()


def _drifts(agent: Agent, pane: Pane, readiness: Readiness) -> bool:
    if readiness is Readiness.DEAD or agent.command is not None:
        return False
    return not RUNTIMES[agent.runtime].shows_as(pane.command)


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds(), 3)
