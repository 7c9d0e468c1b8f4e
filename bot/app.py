"""The composition root: the one place where the daemon is put together."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from bot.command.catalog import Catalog
from bot.command.declare import Call
from bot.command.interpreter import Interpreter
from bot.config.credentials import Credentials
from bot.config.places import Places
from bot.config.settings import Settings
from bot.mail.mailbox import Mailbox
from bot.mail.post import Limits
from bot.mail.post_office import PostOffice
from bot.mail.worker import Worker
from bot.model import Address, Caller, Message, Principal, Via
from bot.part_status import PartState, PartStatus
from bot.policy import INVITE, Policy
from bot.ports import Audit, Carrier, Part
from bot.rooms.moving import Moving
from bot.supervision.pause_watch import PauseWatch
from bot.wiring.acquaintance import Acquaintance
from bot.wiring.announcements import Announcements, Speech
from bot.wiring.connections import Connections
from bot.wiring.filing import make_filing, with_luggage
from bot.wiring.hosting import fleet_ports, make_fleet, make_window
from bot.wiring.housing import Housing
from bot.wiring.life import Life
from bot.wiring.memory import memory_job
from bot.wiring.parts import Parts
from bot.wiring.reception import Reception
from bot.wiring.suggesting import make_lobby
from bot.wiring.supervising import make_supervision
from bot.wiring.topics import backlog_topics, fleet_topics, mail_topics
from bot.wiring.traffic import make_traffic
from bot.wiring.upkeep import backlog_jobs
from commands.pause import PauseCommands
from commands.session import SessionCommands
from connectors.matrix.homeserver.part import LocalHomeserver
from connectors.tmux.connector import TmuxConnector
from connectors.tmux.window import TmuxWindow
from fleet.delivery.carrier import AgentCarrier
from fleet.host.chat_window import ChatWindow
from fleet.host.pause_file import PauseFile
from fleet.host.units import SystemdUnits
from fleet.part import FleetPart
from fleet.watch.answers import AnswerWatch
from fleet.watch.lookout import Lookout
from fleet.watch.rollouts import Rollouts
from storage.audit import PostgresAudit
from storage.backlog.backlog import postgres_backlog
from storage.database import Database
from storage.files.contents import PostgresContents
from storage.mail.confirmations import PostgresConfirmations
from storage.mail.correspondence import PostgresCorrespondence
from storage.mail.journal import PostgresPositions
from storage.mail.outbox import PostgresOutbox
from storage.mail.post import PostgresPost
from storage.part import DatabasePart
from storage.pauses import PostgresPauses
from storage.rooms.successions import PostgresSuccessions
from storage.supervision.tenure import PostgresTenure
from web.api import ApiPart


@dataclass(frozen=True, slots=True)
class Options:
    """What the start was asked for, beside the settings."""

    with_homeserver: bool = False


class Daemon:
    """One installation's running parts, and how they are wired."""

    def __init__(
        self,
        places: Places,
        environ: Mapping[str, str],
        settings: Settings,
        credentials: Credentials,
        options: Options,
    ) -> None:
        self._places = places
        self._settings = settings
        self._credentials = credentials
        self._host = settings.host.name
        self._life = Life(self._host)
        self._log = structlog.get_logger(part="daemon")

        self._database = Database()
        self._outbox = PostgresOutbox(self._database)
        self._correspondence = PostgresCorrespondence(self._database)
        self._post = PostgresPost(self._database)
        self._positions = PostgresPositions(self._database)
        self._backlog = postgres_backlog(self._database)
        self._pauses = PostgresPauses(self._database)

        self._units = SystemdUnits(places, environ)
        self._fleet = make_fleet(places, settings, environ, self._units)
        self._door = with_luggage(AgentCarrier(self._fleet, self._pauses), places, self._database)
        self._homeserver = self._make_homeserver(options)
        self._console = TmuxConnector()
        self._moving = Moving(PostgresSuccessions(self._database), self._post_later)
        self._connections = Connections(
            settings,
            credentials,
            self._fleet,
            homeserver=self._homeserver,
            console=self._console,
            may_invite=self._may_invite,
            tell=self._tell,
            positions=self._positions,
            moving=self._moving,
            contents=PostgresContents(self._database),
            tenure=PostgresTenure(self._database),
            outbox=self._outbox,
        )
        self._mailbox = Mailbox(self._outbox, self._connections.limits)
        self._housing = Housing(self._database, settings, self._connections, self._fleet)
        self._acquaintance = Acquaintance(
            self._database, self._connections, self._mailbox, settings.threads.mirror
        )
        self._announcements = Announcements(
            self._database,
            settings,
            Speech(self._mailbox, self._connections.primary),
            self._host,
            leads=lambda: self._supervision.supervisor.leads,
        )
        self._bulletin = self._announcements.bulletin
        self._pause = PauseWatch(
            self._pauses,
            lambda text, offers: self._bulletin.put(text, offers=offers),
            self._connections.primary,
        )
        mail = self._settings.mail
        self._office = PostOffice(
            self._post,
            self._mailbox,
            self._correspondence,
            Limits(hops=mail.hop_budget, pair=mail.pair_budget, window=mail.pair_window),
            tell=self._bulletin.put,
            mirror=self._housing.mirror,
        )
        self._supervision = make_supervision(
            self._database,
            self._fleet,
            self._backlog,
            self._outbox,
            self._mailbox,
            settings=settings,
            concerns=self._announcements.concerns,
            tell=self._bulletin.put,
        )
        self._filing = make_filing(
            self._database, self._fleet, self._mailbox, self._connections, settings
        )
        self._fleet_ports = fleet_ports(
            self._fleet,
            self._units,
            settings,
            self._pauses,
            shelf=self._backlog.shelf,
            standing=self._pause.ask,
        )
        self._interpreter = self._make_interpreter()
        self._connections.open_to(
            lambda: make_lobby(
                self._interpreter, self._policy, self._database, self._backlog, self._fleet_ports
            )
        )
        self._traffic = make_traffic(
            self._database,
            self._fleet,
            self._mailbox,
            self._connections,
            self._interpreter,
            settings=settings,
            intake=self._filing.intake,
            token=self._life.token,
            prepare=self._look_around,
        )
        self._window: ChatWindow | None = None
        self._parts = Parts(self._all_parts(), self._part_changed)

    # -- a life ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Open everything, serve until told to stop, close everything."""
        self._life.begin(str(self._places.home))
        await self._parts.run(self._life.open, self._life.ending)
        if not self._life.keeps_agents:
            if self._window is not None:
                await self._window.close()
            await self._fleet.shutdown()
        self._life.end()

    def status(self) -> dict[str, Any]:
        """Return what ``mosaic status --json`` prints."""
        return self._life.status(self._pause.current, self._parts.status)

    # -- wiring ----------------------------------------------------------------------------------------

    def _make_homeserver(self, options: Options) -> LocalHomeserver | None:
        directory, port = self._places.homeserver_directory, self._settings.homeserver.port
        return LocalHomeserver(directory, port) if options.with_homeserver else None

    def _make_topics(self, audit: Audit) -> tuple[object, ...]:
        return (
            SessionCommands(lambda: self._interpreter, self._policy, self.status, audit),
            PauseCommands(self._pause),
            *backlog_topics(
                self._backlog,
                self._pause.ask,
                require_acceptance=self._settings.backlog.require_acceptance,
                own_threads=self._housing.makes_threads,
            ),
            *fleet_topics(self._fleet_ports),
            *mail_topics(self._office, self._post, self._correspondence, self._fleet),
            self._filing.topic,
            self._supervision.topic,
            *self._announcements.topics(self._policy),
            *self._housing.topics(self._policy),
            *self._acquaintance.topics(self._policy),
        )

    def _make_interpreter(self) -> Interpreter:
        audit = PostgresAudit(self._database)
        self.topics = self._make_topics(audit)
        return Interpreter(
            Catalog(self.topics),
            self._policy,
            audit,
            PostgresConfirmations(self._database),
            time_limit=self._settings.commands.timeout,
            confirm_within=self._settings.commands.confirm,
        )

    def _policy(self) -> Policy:
        commands = self._interpreter.catalog.commands.values()
        grants = {command.name: command.roles for command in commands}
        return Policy(self._connections.access(), grants)

    def _all_parts(self) -> list[Part]:
        url = self._credentials.get("DATABASE_URL")
        data = self._settings.postgres.data_directory
        part = FleetPart(self._fleet, self._bulletin.put)
        return [
            ApiPart(
                self._places.api_socket,
                self._interpreter,
                panes=self._fleet,
                consoles=self._console,
                status=self.status,
                shutdown=self._life.stop,
                tokens=self._fleet.agent_with,
            ),
            DatabasePart(
                self._database,
                Path(data) if data else self._places.postgres_directory,
                url,
                start_timeout=self._settings.postgres.start_timeout,
                hints={
                    "outbox": lambda _: self._mailbox.posted.set(),
                    "supervisor": self._supervision.supervisor.hint,
                },
            ),
            PauseFile(self._places.paused_file, self._host, self._pauses),
            self._pause,
            part,
            Lookout(
                self._fleet,
                self._announcements.call_out,
                self._settings.heartbeat.interval,
                seen=part.floor.see,
                looked=self._announcements.dialogs_open,
            ),
            Rollouts(self._fleet),
            self._traffic.router,
            Worker(
                self._mailbox,
                self._outbox,
                self._carriers,
                self._traffic.relay.moved,
                owner=f"{self._host} {self._life.token}",
                backoff=self._settings.delivery.backoff,
                give_up_after=self._settings.delivery.give_up_after,
            ),
            AnswerWatch(
                self._fleet,
                self._correspondence,
                self._traffic.relay,
                redact=self._credentials.redact,
            ),
            self._traffic.progress,
            self._filing.porter,
            *self._announcements.parts(),
            *self._acquaintance.parts(self._policy),
            *self._housing.parts(
                self._backlog,
                self._mailbox,
                self._announcements.concerns,
                tell=self._bulletin.put,
                pause=lambda: self._pause.current,
            ),
            *([] if self._homeserver is None else [self._homeserver]),
            *(self._reception(kind) for kind in self._connections.kinds()),
            *self._supervision.parts,
            self._announcements.schedule(
                (
                    memory_job(),
                    *backlog_jobs(self._backlog, self._settings, self._bulletin.put),
                    *self._supervision.jobs,
                    self._filing.job,
                ),
                self._interpreter,
                self._backlog.shelf,
                self._fleet,
                pause=lambda: self._pause.current,
            ),
        ]

    def _reception(self, kind: str) -> Part:
        return Reception(
            kind,
            self._connections.opener(kind),
            self._positions,
            self._traffic.router.accept,
            lambda *trouble: self._parts.trouble(*trouble),  # noqa: PLW0108 - made later
            optional=kind == self._console.kind,
        )

    def _carriers(self) -> Mapping[str, Carrier]:
        return {**self._connections.carriers(), f"agent:{self._host}": self._door}

    # -- small duties ----------------------------------------------------------------------------------

    async def _may_invite(self, principal: Principal) -> bool:
        call = Call(Caller(principal, Via.CHAT), Address("matrix", "invitation"), uuid.uuid4().hex)
        return (await self._interpreter.decide(INVITE, call)).allowed

    async def _look_around(self) -> None:
        await self._housing.prepare()
        await self._moving.learn("matrix")
        await self._acquaintance.refresh()

    async def _post_later(self, messages: list[Message]) -> None:
        await self._mailbox.post(messages)

    def _tell(self, *said: Any, **more: Any) -> None:
        self._bulletin.put(*said, **more)

    def _part_changed(self, name: str, status: PartStatus) -> None:
        if status.state is PartState.STOPPED:
            self._bulletin.put(f"{name} is stopped: {status.detail}")
        if name == FleetPart.name and status.state is PartState.OK:
            self._follow_roster()

    def _follow_roster(self) -> None:
        """Open what a good roster asks for and was not there when the daemon started."""
        for kind in self._connections.kinds():
            self._parts.add(self._reception(kind))
        if self._connections.primary().kind == "tmux":
            self._window = make_window(self._fleet)
            self._parts.add(TmuxWindow(self._window))
