"""The middle of the daemon on in-memory edges: one platform, one agent, no I/O."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.backlog.ports import Threads
from bot.clock.backoff import Backoff
from bot.clock.pace import Pace
from bot.command.catalog import Catalog
from bot.command.declare import EVERYONE, OPERATORS, Call, Effect, command, topic
from bot.command.interpreter import Interpreter
from bot.errors import TransientError
from bot.files.rules import TAKEN_TYPES, FileRules
from bot.mail.choices import Choices
from bot.mail.intake import Intake
from bot.mail.mailbox import Mailbox
from bot.mail.marks import Marks
from bot.mail.porter import Porter, Waits
from bot.mail.post import Limits
from bot.mail.post_office import PostOffice
from bot.mail.presence import Typing
from bot.mail.progress import Progress
from bot.mail.relay import Relay
from bot.mail.revising import Revising
from bot.mail.router import Router
from bot.mail.worker import Worker
from bot.model import (
    Address,
    Delivery,
    Inbound,
    Message,
    MessageKind,
    Principal,
    Receipt,
    ReceiptState,
    SendResult,
    agent_address,
    derived_id,
)
from bot.policy import Access, Policy
from bot.ports import Carrier, FetchesFiles
from bot.reply import Reply, Text, say
from bot.wiring.reception import ConnectorCarrier
from connectors.memory import MemoryConnector, MemoryPlatform
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.contents import MemoryContents
from tests.fakes.correspondence import MemoryCorrespondence, MemoryPost
from tests.fakes.decisions import MemoryAudit, MemoryConfirmations
from tests.fakes.mailroom import MemoryJournal, MemoryOutbox, MemoryRevisions, Room
from tests.fakes.offers import MemoryOffers
from tests.fakes.threads import MemoryThreads
from tests.fakes.uploads import MemoryUploads

ANN = Principal("memory:ann", "Ann")
EVE = Principal("memory:eve", "Eve")
OPS = "ops"
ORCHESTRATOR = agent_address("box", "orchestrator")
QUICK = Backoff(timedelta(milliseconds=10), timedelta(milliseconds=50))
RULES = FileRules(10_000, 50_000, TAKEN_TYPES)


@topic("")
class Toys:
    """Commands to try the middle with."""

    def __init__(
        self, interpreter: Callable[[], Interpreter], office: Callable[[], PostOffice]
    ) -> None:
        self._interpreter = interpreter
        self._office = office
        self.ran: list[str] = []
        self.gate = asyncio.Event()

    @command("echo", roles=EVERYONE)
    async def echo(self, call: Call, word: str) -> Reply:
        """Say it back."""
        self.ran.append(word)
        return say(f"you said {word}")

    @command("wait", roles=EVERYONE)
    async def wait(self, call: Call) -> Reply:
        """Answer when the gate opens."""
        await self.gate.wait()
        return say("at last")

    @command("crash", roles=EVERYONE)
    async def crash(self, call: Call) -> Reply:
        """Have a bug."""
        raise ZeroDivisionError("the secret inside")

    @command("lose", roles=EVERYONE)
    async def lose(self, call: Call) -> Reply:
        """Lose the database half way."""
        raise TransientError("the database went away")

    @command("wipe", roles=OPERATORS, effect=Effect.WRITE, confirm="This wipes the board.")
    async def wipe(self, call: Call) -> Reply:
        """Destroy something."""
        self.ran.append("wipe")
        return say("wiped")

    @command("press", roles=OPERATORS, effect=Effect.WRITE)
    async def press(self, call: Call, key: str) -> Reply:
        """Do something that must not be done twice."""
        self.ran.append(f"press {key}")
        return say(f"{key} was pressed")

    @command("post", roles=EVERYONE, effect=Effect.WRITE)
    async def post(self, call: Call, text: str) -> Reply:
        """Send mail, as `agent send` does."""
        blocks, kind = (Text(text),), MessageKind.MAIL
        mail = Message(
            derived_id("post", call.id),
            ORCHESTRATOR,
            kind,
            blocks,
            origin=call.thread,
            origin_event=call.event_id,
        )
        await self._office().send(call.caller.principal, mail)
        return replace(say("stored"), goes_on=True)

    @command("confirm", roles=EVERYONE, effect=Effect.WRITE)
    async def confirm(self, call: Call, code: str, *, asked_by: str | None = None) -> Reply:
        """Say yes."""
        return await self._interpreter().replay(code, call, asked_by)

    @command("cancel", roles=EVERYONE, effect=Effect.WRITE)
    async def cancel(self, call: Call, code: str, *, asked_by: str | None = None) -> Reply:
        """Say no."""
        return say(f"left alone: {(await self._interpreter().drop(code, call, asked_by)).line}")


@dataclass(slots=True)
class Terminal:
    """An agent's door: takes mail, or ends as it is told; what ``lands`` is typed before."""

    taken: list[Delivery] = field(default_factory=list)
    ends: list[SendResult | Exception] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    lands: bool = False

    async def carry(
        self, delivery: Delivery, record: Callable[[Receipt], Awaitable[None]]
    ) -> SendResult:
        """Take one message; while it is told to wait it says why, and is asked again."""
        message_id = delivery.outbound.message_id
        if self.waits:
            await record(Receipt(message_id, ReceiptState.WAITING, reason=self.waits[0]))
            raise TransientError(self.waits[0], retry_after=timedelta(milliseconds=20))
        if self.lands:
            await record(Receipt(message_id, ReceiptState.TYPED))
        end = self.ends.pop(0) if self.ends else SendResult(ReceiptState.ACCEPTED)
        if isinstance(end, Exception):
            raise end
        self.taken.append(delivery)
        return end


async def _to_orchestrator(event: Inbound) -> tuple[Address | None, str]:
    return ORCHESTRATOR, event.text


class Middle:
    """One life of the middle; ``room`` (the database) and ``platform`` outlive it.

    ``long`` is how long mail waits before that is shown.
    """

    def __init__(
        self,
        room: Room,
        platform: MemoryPlatform,
        life: str = "one",
        *,
        long: timedelta = timedelta(milliseconds=100),
        pace: Pace | None = None,
        contents: MemoryContents | None = None,
        uploads: MemoryUploads | None = None,
        threads: Threads | None = None,
        rules: FileRules = RULES,
        fetcher: FetchesFiles | None = None,
        conversations: bool = True,
        confirm: timedelta = timedelta(seconds=60),
    ) -> None:
        self.room, self.platform = room, platform
        self.terminal = Terminal()
        self.audit = MemoryAudit()
        self.journal = MemoryJournal(room)
        self.contents = contents or MemoryContents()
        self.connector = MemoryConnector(platform, self.contents)
        outbox = MemoryOutbox(room)
        self.mailbox = Mailbox(outbox, lambda _kind: self.connector.capabilities())
        presence = Typing(lambda _kind: self.connector)
        correspondence = MemoryCorrespondence(room)
        marks = Marks(self.mailbox, correspondence, long)
        self.doing = ""
        self.progress = Progress(
            self.mailbox,
            correspondence,
            self._doing,
            lambda _kind: self.connector.capabilities().edits,
            carrier=ORCHESTRATOR.carrier,
            pace=pace,
        )
        self.homes: dict[str, Address] = {}
        self.relay = Relay(
            self.mailbox,
            outbox,
            correspondence,
            presence,
            marks=marks,
            progress=self.progress,
            home=self._home,
        )
        self.office = PostOffice(
            MemoryPost(room),
            self.mailbox,
            correspondence,
            Limits(),
            tell=lambda _: None,
            mirror=lambda: None,
        )
        self.uploads = uploads or MemoryUploads(room, self.contents)
        self.toys = Toys(lambda: self.interpreter, lambda: self.office)
        self._confirm = confirm
        self.interpreter = self._make_interpreter()
        self.router = Router(
            self.journal,
            self.mailbox,
            self.interpreter,
            _to_orchestrator,
            presence,
            choices=Choices(MemoryOffers(room), self.interpreter, self.mailbox),
            intake=Intake(self.uploads, threads or MemoryThreads(MemoryBacklog()), self._hint),
            revising=Revising(MemoryRevisions(room), outbox, correspondence),
            token=life,
            threads=conversations,
        )
        self.porter = Porter(
            self.uploads,
            self.uploads,
            self.contents,
            self.mailbox,
            lambda: {"memory": fetcher or self.connector},
            rules=rules,
            owner=f"box {life}",
            waits=Waits(timedelta(milliseconds=50), timedelta(hours=1), QUICK),
        )
        self.worker = Worker(
            self.mailbox,
            outbox,
            self._carriers,
            self.relay.moved,
            owner=f"box {life}",
            backoff=QUICK,
            give_up_after=timedelta(hours=1),
        )

    async def _home(self, mail: Message) -> Address | None:
        return self.homes.get(mail.id)

    def _make_interpreter(self) -> Interpreter:
        catalog = Catalog([self.toys])
        access = Access(frozenset({ANN.id}), frozenset(), frozenset({f"memory:{OPS}"}))
        policy = Policy(access, {c.name: c.roles for c in catalog.commands.values()})
        return Interpreter(
            catalog,
            lambda: policy,
            self.audit,
            MemoryConfirmations(),
            time_limit=timedelta(seconds=5),
            confirm_within=self._confirm,
        )

    def _hint(self) -> None:
        self.porter.wanted.set()

    async def _doing(self, place: str, message_id: str) -> str:
        assert (place, message_id in self.room.messages) == (ORCHESTRATOR.place, True)
        return self.doing

    def _carriers(self) -> dict[str, Carrier]:
        return {"memory": ConnectorCarrier(self.connector), ORCHESTRATOR.carrier: self.terminal}

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Middle"]:
        """Run router, worker and connector until the block ends."""
        position = self.room.positions.get("memory")
        opened = asyncio.Event()
        tasks = [
            asyncio.create_task(self.router.run(lambda _detail: opened.set())),
            asyncio.create_task(self.worker.run(lambda _detail: None)),
            asyncio.create_task(self.progress.run(lambda _detail: None)),
            asyncio.create_task(self.porter.run(lambda _detail: None)),
        ]
        try:
            await opened.wait()
            tasks.append(
                asyncio.create_task(self.connector.subscribe(self.router.accept, position))
            )
            yield self
        finally:
            for task in reversed(tasks):
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def said(self) -> list[str]:
        """Return what we said on the platform, in order."""
        return [standing.text for standing in self.platform.standing if standing.message]
