"""``fleet ps``: roster, tmux, process and heartbeat joined into one record per agent (spec 1-systems, row 7)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.model import AgentRecord
from bot.places import Places
from fleet.heartbeat import Heartbeat, read_heartbeat
from fleet.panes import OWN_ROLES, Pane
from fleet.readiness import Facts, Readiness, Thresholds, judge
from fleet.roster import Agent
from fleet.runtimes import RUNTIMES
from fleet.starts import crash_loop, read_starts


@dataclass(frozen=True, slots=True)
class Observer:
    """Joins what is known of this host's agents; it reads heartbeats and calls no program."""

    places: Places
    host: str
    tenant_id: str
    thresholds: Thresholds

    def records(
        self,
        agents: Sequence[Agent],
        panes: Sequence[Pane],
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
        return [
            *(self._record(agent, managed.get(agent.name), now) for agent in agents),
            *(self._stray(pane, now) for pane in strays),
        ]

    def _record(self, agent: Agent, pane: Pane | None, now: datetime) -> AgentRecord:
        beat = None
        if pane is not None:
            created = now - pane.age(now)
            beat = read_heartbeat(self.places.heartbeat_file(agent.name), created)
        idle = None if pane is None else pane.idle(now)
        starts = read_starts(self.places.starts_file(agent.name))
        facts = replace(_facts(pane, beat, idle, now), crash_loop=crash_loop(starts, now))
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
            flags=("DRIFT",) if drift else (),
            card=None,
            unit_active=None,
            unit_enabled=None,
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


def _facts(
    pane: Pane | None, beat: Heartbeat | None, idle: timedelta | None, now: datetime
) -> Facts:
    return Facts(
        running=pane is not None and not pane.dead,
        age=None if pane is None else pane.age(now),
        heartbeat_age=None if beat is None else beat.age(now),
        state=None if beat is None else beat.state,
        said="" if beat is None else beat.evidence,
        idle=idle,
    )


def _drifts(agent: Agent, pane: Pane, readiness: Readiness) -> bool:
    if readiness is Readiness.DEAD or agent.command is not None:
        return False
    return not RUNTIMES[agent.runtime].shows_as(pane.command)


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds(), 3)
