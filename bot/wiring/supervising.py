"""The supervisor put together: its seams over Postgres and this host's fleet, its part, its register, its commands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from bot.backlog.ports import Backlog
from bot.clock.schedule import Job
from bot.config.settings import Settings
from bot.mail.mailbox import Mailbox
from bot.model import Address
from bot.ports import Outbox, Part
from bot.supervision.concerns import Concerns
from bot.supervision.dispatch_rules import Patience
from bot.supervision.escalation import Bounds, Escalation
from bot.supervision.supervisor import Pace, Supervisor
from bot.supervision.tick import Seams, Tick
from commands.supervisor import SupervisorCommands
from fleet.host.local import LocalFleet
from fleet.personas.persona import persona
from fleet.watch.register import Register
from storage.backlog.dispatches import PostgresDemands, PostgresDispatches
from storage.database import Database
from storage.pauses import PostgresPauses
from storage.supervision.leadership import PostgresLeadership
from storage.supervision.register import PostgresTicks, PostgresWorkers

_PLANNER = "planner"


@dataclass(frozen=True, slots=True)
class Supervision:
    """All of it: parts of the daemon, jobs of the clock, a topic of commands."""

    supervisor: Supervisor
    parts: Sequence[Part]
    jobs: Sequence[Job]
    topic: SupervisorCommands


def make_supervision(
    database: Database,
    fleet: LocalFleet,
    backlog: Backlog,
    outbox: Outbox,
    mailbox: Mailbox,
    *,
    settings: Settings,
    concerns: Concerns,
    tell: Callable[[str], None],
) -> Supervision:
    """Return the supervisor of this daemon; whether it leads is settled among all on the database."""
    wanted = settings.supervisor
    workers, ticks = PostgresWorkers(database), PostgresTicks(database)
    dispatches, leadership = PostgresDispatches(database), PostgresLeadership(database)
    seams = Seams(
        workers,
        PostgresDemands(database),
        dispatches,
        backlog,
        outbox,
        mailbox,
        PostgresPauses(database),
    )
    patience = Patience(accept=wanted.accept, quiet=wanted.quiet, claim=wanted.claim)
    tick = Tick(
        seams,
        patience,
        lambda: _planner(fleet) if wanted.replan else None,
        lambda: datetime.now(UTC),
    )
    supervisor = Supervisor(
        tick,
        ticks,
        workers,
        leadership,
        Escalation(
            concerns,
            dispatches,
            backlog,
            Bounds(wanted.attempt_limit or None, wanted.no_progress),
        ),
        host=settings.host.name,
        pace=Pace(wanted.tick),
        limits=wanted.limits,
        overran=tell,
        clock=lambda: datetime.now(UTC),
    )
    return Supervision(
        supervisor,
        (
            Register(fleet, workers, partial(_takes_cards, fleet)),
            supervisor,
        ),
        (Job("tick", wanted.tick, supervisor.due),),
        SupervisorCommands(tick, ticks, dispatches, leadership, backlog.inquiry, every=wanted.tick),
    )


def _planner(fleet: LocalFleet) -> Address | None:
    """Return the first agent of class planner, else the orchestrator."""
    for agent in fleet.roster():
        if agent["class"] == _PLANNER:
            return fleet.address(str(agent["name"]), None)
    return fleet.orchestrator()


def _takes_cards(fleet: LocalFleet, agent_class: str) -> bool:
    return persona(agent_class, fleet.places).takes_cards
