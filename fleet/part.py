"""The fleet as a part of the daemon: follows the roster, keeps its agents alive, adopts those that run."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import structlog

from bot.errors import TransientError
from fleet.host.local import LocalFleet
from fleet.personas.own_contracts import OwnContracts
from fleet.roster.file import load
from fleet.roster.plan import make_plan
from fleet.tmux.terminal import answers
from fleet.watch.floor import Floor

_LOOK = timedelta(seconds=1)


class FleetPart:
    """Keeps this host's fleet as the roster says. Agents go on when it ends: see ``LocalFleet.shutdown``.

    ``tell`` hears what a changed roster means before it is done, of the floor (``fleet.watch.floor``), and of contracts
    that cannot be used (``fleet.personas.own_contracts``).
    """

    name = "fleet"

    def __init__(self, fleet: LocalFleet, tell: Callable[[str], None] = lambda _: None) -> None:
        self._fleet = fleet
        self._tell = tell
        self.floor = Floor(fleet, tell)
        self._contracts = OwnContracts(fleet.places, tell)
        self._log = structlog.get_logger(part=self.name)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Run until cancelled.

        SetupError for a roster that cannot be used (the running fleet goes on with the last good one),
        TransientError when the tmux server went away.
        """
        seen = self._stamp()
        self._contracts.begin()
        await self._open()
        ready(self._detail())
        try:
            await self._keep(ready, seen)
        finally:
            await self._fleet.release_lines()

    async def _keep(self, ready: Callable[[str], None], seen: tuple[int, int]) -> None:
        while True:
            await self._fleet.hold_lines()
            await self._watch(await self._fleet.terminal().socket_path(), seen, ready)
            seen = self._stamp()
            await self._open()
            ready(self._detail())

    async def _watch(
        self, socket: Path, seen: tuple[int, int], ready: Callable[[str], None]
    ) -> None:
        """Return when the roster's file has changed; TransientError when the server went away."""
        while self._stamp() == seen:
            # Asked first: a start would begin another server, and nobody would notice that this one ended.
            if not answers(socket):
                raise TransientError("the tmux server went away")
            before = self._refusals()
            await self.floor.keep()
            self._contracts.look()
            if self._refusals() != before:
                ready(self._detail())
            await asyncio.sleep(_LOOK.total_seconds())

    async def _open(self) -> None:
        self._fleet.opening = True
        try:
            try:
                await self._follow()
                await asyncio.to_thread(self._fleet.reload)
            finally:
                # A wrong file stops nobody: the agents of the last good one are started all the same.
                await self._start_all()
            await self._fleet.leave_unused_sockets()
        finally:
            self._fleet.opening = False

    async def _follow(self) -> None:
        """End whom a changed roster does not name any more, or names otherwise; SetupError for a wrong file."""
        if not self._fleet.is_known:
            return
        places = self._fleet.places
        wanted = await asyncio.to_thread(load, places.roster_file)
        plan = make_plan(self._fleet.current, wanted, self._fleet.host)
        if not plan.start and not plan.ends:
            return
        said = f"The roster changed: {plan.sentence()}."
        self._log.info("roster changed", plan=plan.sentence())
        self._tell(said)
        for name in plan.ends:
            await self._fleet.stop(name, by=None)

    async def _start_all(self) -> None:
        await self.floor.start_all()
        if self._fleet.is_known:
            await self._fleet.terminal().ensure_server()

    def _stamp(self) -> tuple[int, int]:
        try:
            status = self._fleet.places.roster_file.stat()
        except FileNotFoundError:
            return (0, 0)
        return (status.st_mtime_ns, status.st_size)

    def _detail(self) -> str:
        names = ", ".join(agent.name for agent in self._fleet.local_agents()) or "nobody"
        socket = self._fleet.current.tmux.socket_name or "default"
        return "; ".join((f"{names} on tmux socket {socket}", *self._refusals()))

    def _refusals(self) -> tuple[str, ...]:
        return (*self.floor.refusals, *self._contracts.refusals)
