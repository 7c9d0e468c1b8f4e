"""The HTTP face on a real socket, over the real interpreter, with the edges in memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from bot.agent_record import AgentRecord
from bot.command.catalog import Catalog
from bot.command.interpreter import Interpreter
from bot.mail.mailbox import Mailbox
from bot.mail.post import Limits
from bot.mail.post_office import PostOffice
from bot.model import Address, Principal, agent_address
from bot.policy import Access, Policy
from bot.ports import ConsoleLine
from bot.supervision.holders import Holders
from bot.supervision.pause_watch import PauseWatch
from commands.backlog import BacklogCommands
from commands.board import BoardCommands
from commands.briefs import BriefCommands
from commands.fleet import FleetCommands
from commands.graph import GraphCommands
from commands.mail import MailCommands
from commands.pause import PauseCommands
from commands.personas import PersonaCommands
from commands.post import PostCommands
from commands.profiles import ProfileCommands
from commands.roster import RosterCommands
from commands.session import SessionCommands
from commands.sessions import DialogCommands, FleetChecks, SessionViews
from commands.shipments import ShipmentCommands
from commands.threads import ThreadCommands
from commands.units import UnitCommands
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.briefs import MemoryBriefs
from tests.fakes.correspondence import MemoryCorrespondence, MemoryPost
from tests.fakes.decisions import MemoryAudit, MemoryConfirmations
from tests.fakes.fleet import MemoryFleet
from tests.fakes.mailroom import MemoryOutbox, Room
from tests.fakes.overview import MemoryOverview
from tests.fakes.personas import MemoryPersonas
from tests.fakes.provisioning import MemoryProvisioning
from tests.fakes.rosters import MemoryRosters
from tests.fakes.sessions import MemoryDialogs, MemorySessions
from tests.fakes.shipments import MemoryShipments
from tests.fakes.threads import MemoryThreads
from tests.fakes.units import MemoryUnits
from web.api import ApiPart

ROOM = Address("matrix", "!ops:example.org")
PEOPLE = {
    "operator": Principal("matrix:@ann:example.org", "ann"),
    "member": Principal("matrix:@max:example.org", "max"),
    "agent": Principal("agent:host/coder0", "coder0"),
    "stranger": Principal("matrix:@eve:example.org", "eve"),
}
"""One principal of every role; the token of each is its role's name."""


class QuietFleet:
    """The port Fleet: one agent in the roster, nothing running."""

    async def start(self, name: str | None) -> Sequence[AgentRecord]:
        return ()

    async def stop(self, name: str | None) -> Sequence[AgentRecord]:
        return ()

    async def observe(self) -> Sequence[AgentRecord]:
        return ()

    def roster(self) -> Sequence[dict[str, Any]]:
        return [{"name": "coder0", "class": "code", "runtime": "dogfood"}]

    def orchestrator(self) -> Address | None:
        return None

    def address(self, name: str, host: str | None) -> Address:
        return agent_address(host or "host", name)


class EchoConsoles:
    """The port Consoles: says who came, then every frame again."""

    async def attend(self, principal: Principal, line: ConsoleLine) -> None:
        await line.push({"type": "welcome", "who": principal.id})
        async for frame in line.frames():
            if frame.get("type") == "break":
                raise RuntimeError("a bug")
            await line.push({"type": "echo", "frame": frame})


@dataclass
class Face:
    """What a test may look at and change; ``below_pane`` is what peer credentials say of every caller."""

    path: Path
    interpreter: Interpreter
    audit: MemoryAudit
    below_pane: Principal | None = None
    stops: list[bool] = field(default_factory=list)
    status: dict[str, Any] = field(default_factory=dict)

    async def agent_of(self, pid: int) -> Principal | None:
        assert pid > 0
        return self.below_pane

    @contextlib.asynccontextmanager
    async def session(self, token: str | None = None) -> AsyncIterator[aiohttp.ClientSession]:
        """A client of the face; without a token the process speaks for itself."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        connector = aiohttp.UnixConnector(str(self.path))
        async with aiohttp.ClientSession(
            "http://mosaic", connector=connector, headers=headers
        ) as session:
            yield session


async def bearer(token: str) -> Principal | None:
    """The principal of a role's name."""
    return PEOPLE.get(token)


def make_interpreter(
    audit: MemoryAudit, status: dict[str, Any], extra: Sequence[object], mail: object | None
) -> Interpreter:
    """The real interpreter with every topic; ann operates, max is a member, one room is listed."""
    access = Access(
        operators=frozenset({PEOPLE["operator"].id}),
        members=frozenset({PEOPLE["member"].id}),
        rooms=frozenset({ROOM.lane}),
    )
    backlog, room = MemoryBacklog(), Room()
    threads = MemoryThreads(backlog)

    def policy() -> Policy:
        commands = interpreter.catalog.commands.values()
        return Policy(access, {command.name: command.roles for command in commands})

    topics = (
        SessionCommands(
            lambda: interpreter,
            policy,
            lambda: status,
            audit,
        ),
        PauseCommands(PauseWatch(backlog.pauses, lambda _text, _offers: None, lambda: ROOM)),
        BacklogCommands(backlog, backlog, backlog, threads, standing=backlog.pauses.current),
        ThreadCommands(threads),
        ShipmentCommands(MemoryShipments(backlog)),
        GraphCommands(MemoryOverview(backlog)),
        BoardCommands(MemoryOverview(backlog)),
        FleetCommands(QuietFleet(), Holders(backlog)),
        SessionViews(MemorySessions(MemoryFleet()), QuietFleet()),
        DialogCommands(MemoryDialogs(MemoryFleet())),
        FleetChecks(MemorySessions(MemoryFleet())),
        BriefCommands(MemoryBriefs(MemoryFleet())),
        PersonaCommands(MemoryPersonas()),
        RosterCommands(MemoryRosters(), MemoryUnits()),
        ProfileCommands(MemoryProvisioning(), MemoryUnits()),
        UnitCommands(MemoryUnits(), QuietFleet()),
        PostCommands(
            quiet_office(room), MemoryPost(room), MemoryCorrespondence(room), QuietFleet()
        ),
        mail or MailCommands(MemoryCorrespondence(room), MemoryPost(room)),
        *extra,
    )
    interpreter = Interpreter(
        Catalog(topics),
        policy,
        audit,
        MemoryConfirmations(),
        time_limit=timedelta(seconds=5),
        confirm_within=timedelta(seconds=60),
    )
    return interpreter


def quiet_office(room: Room) -> PostOffice:
    """A post office over a room whose mail nobody carries."""
    mailbox = Mailbox(MemoryOutbox(room), lambda _kind: None)
    return PostOffice(
        MemoryPost(room),
        mailbox,
        MemoryCorrespondence(room),
        Limits(),
        tell=lambda _: None,
        mirror=lambda: None,
    )


@contextlib.asynccontextmanager
async def serve(
    path: Path, extra: Sequence[object] = (), *, instead_of_mail: object | None = None
) -> AsyncIterator[Face]:
    """Serve the face on ``path`` until left, with more topics, or another one under the name of mail."""
    audit = MemoryAudit()
    status: dict[str, Any] = {
        "state": "running",
        "pid": 0,
        "version": "0",
        "host": "host",
        "uptime_seconds": 1.0,
        "paused": None,
        "parts": {"api": {"state": "ok", "detail": "listening", "since": "2030-01-01T00:00:00Z"}},
    }
    face = Face(path, make_interpreter(audit, status, extra, instead_of_mail), audit, status=status)
    part = ApiPart(
        path,
        face.interpreter,
        panes=face,
        consoles=EchoConsoles(),
        status=lambda: status,
        shutdown=face.stops.append,
        tokens=bearer,
    )
    async with running(part):
        yield face


@contextlib.asynccontextmanager
async def running(part: ApiPart) -> AsyncIterator[None]:
    """Run a part until left; what it raises before it is ready is raised here."""
    ready = asyncio.Event()
    task = asyncio.create_task(part.run(lambda _detail: ready.set()))
    waiting = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        yield
    finally:
        waiting.cancel()
        task.cancel()
        await asyncio.gather(task, waiting, return_exceptions=True)
