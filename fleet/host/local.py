"""The agents on this host: started, stopped, looked at; each one tmux session named as the roster names it."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from bot.agent_record import AgentRecord
from bot.agents.units import Units
from bot.config.places import Places
from bot.errors import SetupError, TransientError, UserError
from bot.model import Address, Principal, agent_address
from fleet.health.observation import Observer
from fleet.health.readiness import Thresholds
from fleet.health.starts import note_start, refuse_too_soon
from fleet.health.stops import PERSON, Stops
from fleet.host import processes
from fleet.launch.papers import Papers
from fleet.launch.preparation import Preparation
from fleet.lock import held
from fleet.roster.addresses import address_of
from fleet.roster.document import FLOOR, Agent, Roster
from fleet.roster.file import load
from fleet.runtimes import RUNTIMES, Runtime
from fleet.tmux.panes import Pane
from fleet.tmux.terminal import Terminal
from fleet.tmux.terminals import Terminals
from fleet.turns.bounds import bound_events

_PATIENCE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Door:
    """The way into one running agent: its pane, and where its runtime says what it does."""

    agent: Agent
    runtime: Runtime
    terminal: Terminal
    pane: Pane
    folder: Path

    @property
    def is_told(self) -> bool:
        """Whether its program has read who it is; what is said to it before may be taken without that."""
        mark = self.runtime.told_mark
        return mark is None or self.agent.command is not None or (self.folder / mark).exists()

    @property
    def beats_itself(self) -> bool:
        """Whether its own program writes heartbeats."""
        return self.runtime.heartbeat and self.agent.command is None


class LocalFleet:
    """This host's part of the fleet (the ports Fleet and Panes).

    It works with the last roster that was good; ``reload`` takes a new one. ``environment`` is the
    daemon's: tmux gets no more of it than a login needs, an agent what its ``env_from`` names.
    """

    def __init__(
        self,
        places: Places,
        *,
        host: str,
        tenant_id: str,
        environment: Mapping[str, str],
        thresholds: Thresholds,
        units: Units | None = None,
    ) -> None:
        self.places = places
        self.host = host
        self.thresholds = thresholds
        self.opening = True
        self._units = units
        self._environment = dict(environment)
        self.stops = Stops(self.places)
        self._papers = Papers(self.places, host, self._environment)
        self._preparation = Preparation(self.places, host, self._papers)
        self._observer = Observer(self.places, host, tenant_id, thresholds)
        self._roster: Roster | None = None
        self._terminals = Terminals(self._environment, str(places.home), places.run_directory)
        self._changing = asyncio.Lock()
        # Whose agents are ours, on a socket that several installations may share.
        self._mark = places.fingerprint[:8]
        self._log = structlog.get_logger(part="fleet")

    # -- the roster ------------------------------------------------------------------------------------

    def reload(self) -> Roster:
        """Take the roster from its file; SetupError names the line, and the fleet keeps its last good one."""
        self.places.prepare()
        try:
            roster = load(self.places.roster_file)
        except SetupError:
            if self._roster is None and self.places.last_good_roster_file.exists():
                self._roster = load(self.places.last_good_roster_file)
            raise
        self.places.last_good_roster_file.write_text(
            self.places.roster_file.read_text(encoding="utf-8")
        )
        self._roster = roster
        self.stops.keep({agent.name for agent in self.local_agents()})
        return roster

    @property
    def is_known(self) -> bool:
        """Whether there ever was a good roster."""
        return self._roster is not None

    @property
    def current(self) -> Roster:
        """The roster in force; SetupError when there never was a good one."""
        if self._roster is None:
            raise SetupError(f"no roster was read yet from {self.places.roster_file}")
        return self._roster

    def roster(self) -> Sequence[dict[str, Any]]:
        """Return the roster's agents as plain data, in the file's order."""
        agents = () if self._roster is None else self._roster.agents
        return [agent.model_dump(by_alias=True, mode="json") for agent in agents]

    def orchestrator(self) -> Address | None:
        """Return the agent to whom people talk, on its own host: the roster's lead."""
        lead = None if self._roster is None else self._roster.leader
        return None if lead is None else agent_address(lead.host or self.host, lead.name)

    def address(self, name: str, host: str | None) -> Address:
        """Return where mail to an agent goes; UserError for one that the roster does not have here."""
        return address_of(self.current, name, host, self.host)

    @property
    def floor(self) -> Sequence[str]:
        """The classes without which the fleet does not work."""
        return FLOOR if self._roster is None else self._roster.floor

    @property
    def mirrors_mail(self) -> bool:
        """Whether people are shown what agents write to each other."""
        return self._roster is not None and self._roster.mirror_mail

    def agents(self, name: str | None = None) -> Sequence[Agent]:
        """Return this host's agents, or the one named; UserError lists the names that there are."""
        everyone = self.current.agents_on(self.host)
        if name is None:
            return everyone
        found = [agent for agent in everyone if agent.name == name]
        if not found:
            names = ", ".join(agent.name for agent in everyone) or "nobody"
            raise UserError(
                f"no agent is named {name} on {self.host}; the roster has: {names}",
                code="unknown_agent",
            )
        return found

    # -- starting and stopping -------------------------------------------------------------------------

    async def start(self, name: str | None, *, by_itself: bool = False) -> Sequence[AgentRecord]:
        """Start one agent or all; one that runs is left as it is, a dead one is started anew.

        With ``by_itself`` no person asked for it: one that was stopped on purpose is left alone, one that was
        started so too often of late is refused (UserError ``crash_loop``). A person's start begins anew.
        """
        agents = self.agents(name)
        async with self._alone():
            panes = await self._panes()
            for agent in agents:
                if not by_itself:
                    self.places.starts_file(agent.name).unlink(missing_ok=True)
                    self.stops.lift(agent.name)
                elif self.stops.by(agent.name) is not None:
                    continue
                await self._start(agent, panes.get(agent.name), counts=by_itself)
        return await self._records(agents)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Keep everybody else from starting and stopping agents here, in this process and in others."""
        self.places.prepare()
        busy = "another process starts or stops agents"
        async with self._changing, held(self.places.changing_lock_file, _PATIENCE, busy):
            yield

    async def stop(self, name: str | None, *, by: str | None = PERSON) -> Sequence[AgentRecord]:
        """Stop one agent or all, with every process that they started.

        They stay stopped until somebody starts them, when they were stopped ``by`` somebody.
        """
        agents = self.agents(name)
        async with self._alone():
            if by is not None:
                for agent in agents:
                    self.stops.note(agent.name, by)
            panes = await self._panes()
            await asyncio.gather(*(self._stop(agent, panes.get(agent.name)) for agent in agents))
            for agent in agents:
                self.places.starts_file(agent.name).unlink(missing_ok=True)
        return await self._records(agents)

    async def shutdown(self) -> Sequence[str]:
        """Stop everything of ours and leave no process, socket or lock; return others' sessions left.

        Agents that the roster no longer names are ours too.
        """
        left: list[str] = []
        if self._roster is not None:
            self.terminal()
        for agent in self.local_agents():
            self.terminal(agent)
        async with self._alone():
            for terminal in self._terminals:
                ours = [pane for pane in await terminal.panes() if self._is_ours(pane)]
                names: dict[str, Pane | None] = {agent.name: None for agent in self.local_agents()}
                names |= {pane.session: pane for pane in ours}
                await asyncio.gather(
                    *(self._end(name, terminal, pane) for name, pane in names.items())
                )
                left += await terminal.close_server()
        self.stops.keep(())
        for pattern in ("*.lock", "*.starts", self.places.episodes_file.name):
            for path in self.places.heartbeat_directory.glob(pattern):
                path.unlink(missing_ok=True)
        self._log.info("fleet stopped", left=left)
        return left

    def local_agents(self) -> Sequence[Agent]:
        """Return this host's agents, nobody before a roster was read."""
        return () if self._roster is None else self._roster.agents_on(self.host)

    async def _start(self, agent: Agent, pane: Pane | None, *, counts: bool) -> None:
        terminal = self.terminal(agent)
        if pane is not None and not self._is_ours(pane):
            raise UserError(f"a session named {agent.name} is there already, and is not ours")
        if pane is not None and not pane.dead:
            self._log.info("agent adopted", agent=agent.name, pane=pane.id)
            return
        refuse_too_soon(self.places.starts_file(agent.name), agent.name, datetime.now(UTC))
        if pane is not None:
            await self._stop(agent, pane)
        words, directory = await self._preparation.words(self.current, agent)
        if counts:
            note_start(self.places.starts_file(agent.name), datetime.now(UTC))
        await bound_events(self.places, agent.name)
        started = await terminal.new_session(
            agent.name,
            words,
            role="agent",
            launch=f"{self._mark}.{secrets.token_hex(8)}",
            directory=directory,
            remain=True,
        )
        self._log.info("agent started", agent=agent.name, pane=started.id, pid=started.pid)

    async def _stop(self, agent: Agent, pane: Pane | None) -> None:
        if pane is None or self._is_ours(pane):
            await self._end(agent.name, self.terminal(agent), pane)

    async def _end(self, name: str, terminal: Terminal, pane: Pane | None) -> None:
        mark = self._papers.mark(name)
        family = [] if pane is None else await asyncio.to_thread(processes.descendants, pane.pid)
        strays = await asyncio.to_thread(processes.bearing, mark)
        if pane is not None:
            await terminal.end_session(name)
        await asyncio.to_thread(processes.end, {*family, *strays})
        # What was born while the others ended.
        await asyncio.to_thread(lambda: processes.end(processes.bearing(mark)))
        self._papers.withdraw(name)
        self.places.heartbeat_file(name).unlink(missing_ok=True)
        if pane is not None:
            self._log.info("agent stopped", agent=name)

    # -- looking ---------------------------------------------------------------------------------------

    async def observe(self) -> Sequence[AgentRecord]:
        """Return a record per agent of this host and per stray session; one tmux call per socket."""
        agents = self.agents()
        names = [agent.name for agent in agents]
        units = {} if self._units is None else await self._units.states(names)
        panes = await self._all_panes()
        return self._observer.records(agents, panes, units, self._is_ours, datetime.now(UTC))

    async def _records(self, agents: Sequence[Agent]) -> Sequence[AgentRecord]:
        names = {agent.name for agent in agents}
        return [
            record
            for record in await self.observe()
            if record.name in names and "UNMANAGED" not in record.flags
        ]

    async def doors(self) -> Sequence[Door]:
        """Return the ways into all agents of this host that run; SetupError without roster or tmux."""
        panes = await self._panes()
        found = ((agent, panes.get(agent.name)) for agent in self.agents())
        return [
            self._door(agent, pane)
            for agent, pane in found
            if pane is not None and not pane.dead and self._is_ours(pane)
        ]

    async def door(self, name: str) -> Door:
        """Return the way into a running agent.

        UserError when there is no such agent or it is dead, TransientError while the fleet is opening.
        """
        (agent,) = self.agents(name)
        pane = await self._terminals.pane_of(self.terminal(agent), name)
        if pane is None or pane.dead or not self._is_ours(pane):
            if self.opening or self._changing.locked():
                raise TransientError(f"{name} is being started")
            raise UserError(f"{name} is not running", code="dead", hint=f"fleet start {name}")
        return self._door(agent, pane)

    def _door(self, agent: Agent, pane: Pane) -> Door:
        folder = self.places.launch_directory(agent.name)
        return Door(agent, RUNTIMES[agent.runtime], self.terminal(agent), pane, folder)

    async def agent_of(self, pid: int) -> Principal | None:
        """Return the agent below whose pane a process runs, None when it runs elsewhere.

        Without a roster or without tmux there is no pane, and who asks what is wrong must get an answer.
        """
        if self._roster is None:
            return None
        family = set(await asyncio.to_thread(processes.ancestors, pid))
        if not await asyncio.to_thread(processes.any_named, family, "tmux"):
            return None  # who is below no tmux server is below no pane: it need not be asked
        try:
            panes = await self._all_panes()
        except SetupError:
            return None
        for pane in panes:
            if pane.pid in family and self._is_ours(pane):
                return self._principal(pane.session)
        return None

    async def agent_with(self, token: str) -> Principal | None:
        """Return the agent whose token this is, None when it is nobody's."""
        name = await asyncio.to_thread(self._papers.bearer, token)
        return None if name is None else self._principal(name)

    def _principal(self, name: str) -> Principal:
        return Principal(f"agent:{self.host}/{name}", name)

    # -- tmux ------------------------------------------------------------------------------------------

    def terminal(self, agent: Agent | None = None) -> Terminal:
        """Return the terminal of an agent, or the fleet's own (where the chat window lives)."""
        return self._terminals.on(self._socket(agent), self.current.tmux.holder_session)

    def _socket(self, agent: Agent | None) -> str | None:
        named = None if agent is None else agent.socket
        return named or self.current.tmux.socket_name

    async def leave_unused_sockets(self) -> None:
        """End our own sessions on sockets that the roster does not name any more."""
        await self._terminals.leave({self._socket(agent) for agent in (None, *self.agents())})

    async def hold_lines(self) -> None:
        """Look at every socket over one connection that stays, from now on."""
        await self._terminals.hold_lines()

    async def release_lines(self) -> None:
        """Give these connections up; harmless when there are none."""
        await self._terminals.release_lines()

    def _is_ours(self, pane: Pane) -> bool:
        return pane.role == "agent" and pane.launch.startswith(f"{self._mark}.")

    async def _all_panes(self) -> Sequence[Pane]:
        terminals = {self.terminal(), *(self.terminal(agent) for agent in self.agents())}
        return [pane for terminal in terminals for pane in await terminal.panes()]

    async def _panes(self) -> Mapping[str, Pane]:
        return {pane.session: pane for pane in reversed(await self._all_panes())}
