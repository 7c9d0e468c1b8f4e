"""A card that is talked about on two platforms: two memory connectors, the real router, worker and mirror, on Postgres."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import cast

from bot.backlog.cards import CardDraft
from bot.clock.pace import Pace
from bot.command.catalog import Catalog
from bot.command.interpreter import Interpreter
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
from bot.model import Address, Inbound, Principal, Via
from bot.people.mirror import Mirror
from bot.persons import Persons
from bot.policy import TALK, Access, Policy
from bot.ports import Carrier, Connector, FetchesFiles
from bot.wiring.reception import ConnectorCarrier
from connectors.memory import MemoryConnector, MemoryPlatform, Standing
from storage.backlog.backlog import postgres_backlog
from storage.backlog.threads import PostgresThreads
from storage.database import Database
from storage.files.contents import PostgresContents
from storage.files.uploads import PostgresArrivals, PostgresUploads
from storage.mail.confirmations import PostgresConfirmations
from storage.mail.correspondence import PostgresCorrespondence
from storage.mail.journal import PostgresJournal, PostgresPositions, PostgresRevisions
from storage.mail.offers import PostgresOffers
from storage.mail.outbox import PostgresOutbox
from storage.mail.post import PostgresPost
from storage.people.reflections import PostgresOverheard, PostgresReflections
from tests.fakes.decisions import MemoryAudit
from tests.stages.backlog import CODER
from tests.stages.middle import ORCHESTRATOR, QUICK, RULES, Terminal, Toys
from tests.waiting import until

LEFT, RIGHT = "left", "right"
ANN = Principal("left:ann", "Ann")
ANNIE = Principal("right:annie", "annie99")
BEN = Principal("right:ben", "Ben")
EVE = Principal("right:eve", "Eve")
PLACE = "ops"
CARD = "A1"


@dataclass
class Worlds:
    """What outlives the daemon: the database, and the two platforms with the card's thread on each."""

    database: Database
    left: MemoryPlatform = field(default_factory=lambda: MemoryPlatform(kind=LEFT))
    right: MemoryPlatform = field(default_factory=lambda: MemoryPlatform(kind=RIGHT))
    persons: Persons = field(default_factory=Persons)
    apart: set[str] = field(default_factory=set)
    several: bool = True
    active: bool = True
    asked: int = 0
    looks: int = 0

    def __post_init__(self) -> None:
        self.roots = {
            LEFT: self.left.speak(PLACE, ANN, "root on the left"),
            RIGHT: self.right.speak(PLACE, BEN, "root on the right"),
        }

    def has_several(self) -> bool:
        """Whether the daemon has both platforms; counts how often the mirror asked."""
        self.looks += 1
        return self.several

    def is_active(self) -> bool:
        """Whether the mirror is to show anything; counts how often it asked."""
        self.asked += 1
        return self.active

    async def settle(self) -> None:
        """Let the mirror count everything until now as past."""
        await self.age()
        await PostgresOverheard(self.database).settle()

    async def age(self) -> None:
        """Let everything until now have been stored so long ago that it may count as past."""
        async with self.database.connection() as connection:
            for table, column in (
                ("inbound", "stored_at"),
                ("message", "stored_at"),
                ("card_thread", "bound_at"),
            ):
                earlier = f"{column} = {column} - interval '10 minutes'"
                await connection.execute(f"UPDATE {table} SET {earlier}")  # noqa: S608

    async def bind(self) -> None:
        """Make the card, and give it its two threads."""
        await postgres_backlog(self.database).shelf.create(CardDraft(CARD, title="schema"), CODER)
        threads = PostgresThreads(self.database)
        for kind, root in self.roots.items():
            assert await threads.bind(CARD, Address(kind, PLACE, root))

    def on_the_left(self, text: str, by: Principal = ANN, *, edits: str | None = None) -> str:
        """Say something in the left thread; return its event id."""
        return self.left.speak(PLACE, by, text, thread=self.roots[LEFT], edits=edits)

    def on_the_right(self, text: str, by: Principal = BEN, *, edits: str | None = None) -> str:
        """Say something in the right thread; return its event id."""
        return self.right.speak(PLACE, by, text, thread=self.roots[RIGHT], edits=edits)

    def ours(self, platform: MemoryPlatform) -> list[Standing]:
        """Return what of ours stands in the card's thread on a platform."""
        root = self.roots[platform.kind]
        return [one for one in platform.standing if one.message and one.thread == root]

    def texts(self, platform: MemoryPlatform) -> list[str]:
        """Return its words."""
        return [one.text for one in self.ours(platform)]

    async def copy(self, platform: MemoryPlatform, words: str) -> str:
        """Wait for what shows some words on a platform; return its event id."""

        def found() -> list[str]:
            return [one.id for one in self.ours(platform) if words in one.text]

        shown: list[str] = await until(found, what=f"{words!r} on the {platform.kind}")
        assert len(shown) == 1
        return shown[0]

    async def quiet(self, platform: MemoryPlatform) -> Sequence[str]:
        """Return what of ours stands in a thread once everything that was said before is through."""
        other, speaker = (self.right, BEN) if platform is self.left else (self.left, ANN)
        number = len(other.standing)
        last = f"the end {number}"
        other.speak(PLACE, speaker, last, thread=self.roots[other.kind])
        await self.copy(platform, last)
        return [text for text in self.texts(platform) if "the end" not in text]


def access_of(both: Worlds) -> Access:
    """Ann operates on the left; Ben and Annie are members on the right."""
    return Access(
        operators=frozenset({ANN.id}),
        members=frozenset({BEN.id, ANNIE.id}),
        rooms=frozenset({f"{LEFT}:{PLACE}", f"{RIGHT}:{PLACE}"}),
        persons=both.persons,
    )


class Life:
    """One life of the daemon over both platforms, or over other connectors of these kinds, with people of their own."""

    def __init__(
        self,
        worlds: Worlds,
        life: str = "one",
        *,
        connectors: Sequence[Connector] = (),
        access: Access | None = None,
    ) -> None:
        self.worlds = worlds
        self.terminal = Terminal()
        self._access = access
        database, contents = worlds.database, PostgresContents(worlds.database)
        ours = (MemoryConnector(worlds.left, contents), MemoryConnector(worlds.right, contents))
        self.connectors = {one.kind: one for one in connectors or ours}
        outbox, correspondence = PostgresOutbox(database), PostgresCorrespondence(database)
        self.mailbox = Mailbox(outbox, lambda kind: self.connectors[kind].capabilities())
        self.positions = PostgresPositions(database)
        presence = Typing(lambda _kind: None)
        progress = Progress(
            self.mailbox,
            correspondence,
            _doing,
            lambda _kind: True,
            carrier=ORCHESTRATOR.carrier,
            pace=Pace(after=timedelta(hours=1), between=timedelta(hours=1)),
        )
        self.relay = Relay(
            self.mailbox,
            outbox,
            correspondence,
            presence,
            marks=Marks(self.mailbox, correspondence),
            progress=progress,
        )
        office = PostOffice(
            PostgresPost(database),
            self.mailbox,
            correspondence,
            Limits(),
            tell=lambda _: None,
            mirror=lambda: None,
        )
        self.toys = Toys(lambda: self.interpreter, lambda: office)
        self.interpreter = self._make_interpreter()
        self.router = Router(
            PostgresJournal(database),
            self.mailbox,
            self.interpreter,
            _to_the_orchestrator,
            presence,
            choices=Choices(PostgresOffers(database), self.interpreter, self.mailbox),
            intake=Intake(PostgresUploads(database), PostgresThreads(database), lambda: None),
            revising=Revising(PostgresRevisions(database), outbox, correspondence),
            token=life,
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
        self.porter = Porter(
            PostgresUploads(database),
            PostgresArrivals(database),
            contents,
            self.mailbox,
            self._fetchers,
            rules=RULES,
            owner=f"box {life}",
            waits=Waits(timedelta(milliseconds=50), timedelta(hours=1), QUICK),
        )
        self.mirror = Mirror(
            PostgresOverheard(database),
            PostgresReflections(database),
            PostgresOffers(database),
            self.mailbox,
            several=worlds.has_several,
            active=worlds.is_active,
            hears=self._hears,
            joins=self._joins,
            persons=lambda: worlds.persons,
            look=timedelta(milliseconds=20),
        )

    def _policy(self) -> Policy:
        access = self._access or access_of(self.worlds)
        commands = self.interpreter.catalog.commands.values()
        return Policy(access, {found.name: found.roles for found in commands})

    def _make_interpreter(self) -> Interpreter:
        return Interpreter(
            Catalog([self.toys]),
            self._policy,
            MemoryAudit(),
            PostgresConfirmations(self.worlds.database),
            time_limit=timedelta(seconds=5),
            confirm_within=timedelta(seconds=60),
        )

    def _hears(self, principal: Principal, place: Address) -> bool:
        return self._policy().authorize(principal, TALK, place.lane, Via.CHAT).allowed

    async def _joins(self, one: Address, other: Address) -> bool:
        return not {one.kind, other.kind} & self.worlds.apart

    def _fetchers(self) -> dict[str, FetchesFiles]:
        return {kind: cast("FetchesFiles", one) for kind, one in self.connectors.items()}

    def _carriers(self) -> dict[str, Carrier]:
        carriers: dict[str, Carrier] = {
            kind: ConnectorCarrier(connector) for kind, connector in self.connectors.items()
        }
        return {**carriers, ORCHESTRATOR.carrier: self.terminal}

    @asynccontextmanager
    async def running(self, *, mirrors: bool = True) -> AsyncIterator["Life"]:
        """Run everything until the block ends."""
        tasks = [
            asyncio.create_task(self.router.run(lambda _detail: None)),
            asyncio.create_task(self.worker.run(lambda _detail: None)),
            asyncio.create_task(self.porter.run(lambda _detail: None)),
        ]
        if mirrors:
            tasks.append(asyncio.create_task(self.mirror.run(lambda _detail: None)))
        for kind, connector in self.connectors.items():
            position = await self.positions.position(kind)
            tasks.append(asyncio.create_task(connector.subscribe(self.router.accept, position)))
        try:
            yield self
        finally:
            for task in reversed(tasks):
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def answer(self, text: str, number: int = 1) -> None:
        """Let the agent answer the newest of so many messages that it was given."""
        await until(lambda: len(self.terminal.taken) == number)
        await self.relay.answered(self.terminal.taken[-1].outbound.message_id, text)


@asynccontextmanager
async def worlds(database: Database) -> AsyncIterator[Worlds]:
    """Lend two worlds in which the card has its threads and all that was before is handled."""
    found = Worlds(database)
    life = Life(found, "first")
    async with life.running(mirrors=False):
        await until(lambda: len(life.terminal.taken) == 2)
    await found.bind()
    yield found


def marks_of(platform: MemoryPlatform, event_id: str) -> list[str]:
    """Return the marks of ours that stand on an event, without those that say how far it is."""
    return [mark for on, mark in platform.marks if on == event_id and mark not in "👀📬✅⏳❌❓"]


def linked(*accounts: Principal) -> Persons:
    """Return persons of whom these are one."""
    return Persons([tuple(replace(one) for one in accounts)])


async def _doing(_place: str, _message_id: str) -> str:
    return ""


async def is_listening(connector: Connector) -> bool:
    """Whether a connector hears what is said from now on."""
    return (await connector.health()).state in {"listening", "up"}


async def _to_the_orchestrator(event: Inbound) -> tuple[Address | None, str]:
    return ORCHESTRATOR, event.text
