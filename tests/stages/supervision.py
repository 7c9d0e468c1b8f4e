"""The supervisor's seams together, in memory and on Postgres, as the contract suite and the rules' tests meet them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.backlog.cards import CardDraft
from bot.backlog.ports import Backlog
from bot.connector import Capabilities
from bot.enclosure import Attachment, Enclosure
from bot.files.uploads import Arrival, Upload, Uploads
from bot.mail.mailbox import Mailbox
from bot.model import Address, Receipt
from bot.ports import Contents, Outbox
from bot.supervision.concerns import Concerns
from bot.supervision.pause import Pauses
from bot.supervision.ports import (
    Demands,
    Dispatches,
    Leadership,
    OpenDispatch,
    Sighting,
    Ticks,
    Worker,
    Workers,
)
from bot.supervision.tick import Seams
from storage.backlog.backlog import postgres_backlog
from storage.backlog.dispatches import PostgresDemands, PostgresDispatches
from storage.database import Database
from storage.files.contents import PostgresContents
from storage.files.uploads import PostgresUploads
from storage.mail.outbox import PostgresOutbox
from storage.pauses import PostgresPauses
from storage.supervision.concerns import PostgresConcerns
from storage.supervision.leadership import PostgresLeadership
from storage.supervision.register import PostgresTicks, PostgresWorkers
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.concerns import MemoryConcerns
from tests.fakes.contents import MemoryContents
from tests.fakes.inquiry import MemoryInquiry
from tests.fakes.keeping import MemoryKeeping
from tests.fakes.mailroom import MemoryOutbox, Room
from tests.fakes.overview import MemoryOverview
from tests.fakes.shipments import MemoryShipments
from tests.fakes.supervision import (
    Memory,
    MemoryDemands,
    MemoryDispatches,
    MemoryLeadership,
    MemoryTicks,
    MemoryWorkers,
)
from tests.fakes.threads import MemoryThreads
from tests.fakes.uploads import MemoryUploads
from tests.stages.backlog import ANN

TTL, GRACE = timedelta(minutes=15), timedelta(minutes=2)
_TABLES = "tick, verdict, slot, dispatch, worker, host_presence, card_rest, leader, pause, concern, card, card_event"


@dataclass(frozen=True, slots=True)
class SupervisionStage:
    """All seams over one state. ``advance`` lets time pass for claims, rests and workers."""

    workers: Workers
    demands: Demands
    dispatches: Dispatches
    ticks: Ticks
    leadership: Leadership
    backlog: Backlog
    outbox: Outbox
    pauses: Pauses
    concerns: Concerns
    bring: Callable[[str, str], Awaitable[None]]
    advance: Callable[[timedelta], Awaitable[None]]
    now: Callable[[], datetime]

    @property
    def mailbox(self) -> Mailbox:
        """A mailbox over the outbox, for places of no special capability."""

        def capabilities(_kind: str) -> Capabilities | None:
            return None

        return Mailbox(self.outbox, capabilities)

    @property
    def seams(self) -> Seams:
        """What a tick works through."""
        return Seams(
            self.workers,
            self.demands,
            self.dispatches,
            self.backlog,
            self.outbox,
            self.mailbox,
            self.pauses,
        )

    async def create(self, card_id: str, **said: object) -> None:
        """Write a card."""
        await self.backlog.shelf.create(CardDraft(card_id, title=card_id.lower(), **said), ANN)  # type: ignore[arg-type]

    async def seen(self, *sightings: Sighting, host: str = "here") -> None:
        """Report a host's agents."""
        await self.workers.report(host, sightings)

    async def worker(self, name: str, host: str = "here") -> Worker:
        """Return an agent of the register."""
        return next(one for one in await self.workers.all() if one.place == f"{host}/{name}")

    async def give(self, name: str) -> OpenDispatch:
        """Give an agent a card, and insist on it."""
        given = await self.dispatches.assign(await self.worker(name), TTL, GRACE)
        assert given is not None
        return given

    async def receive(self, *receipts: Receipt) -> None:
        """Let receipts come in."""
        for receipt in receipts:
            await self.outbox.record(receipt)


def sighting(
    name: str,
    agent_class: str = "code",
    *,
    host: str = "here",
    takes: bool = True,
    resets: bool = False,
    readiness: str = "available",
) -> Sighting:
    """Return an agent as its host sees it."""
    return Sighting(f"{host}/{name}", agent_class, takes, resets, readiness, "its prompt is empty")


def memory_supervision() -> SupervisionStage:
    """Return the fakes over one pure backlog and one room, whose clocks are the same."""
    backlog = MemoryBacklog()
    room = Room(now=backlog.look)
    memory = Memory(backlog, room)
    keeping, inquiry, threads = (
        MemoryKeeping(backlog),
        MemoryInquiry(backlog),
        MemoryThreads(backlog),
    )

    contents = MemoryContents()
    uploads = MemoryUploads(room, contents)

    async def bring(card_id: str, name: str) -> None:
        await bring_file(uploads, contents, card_id, name)

    async def advance(by: timedelta) -> None:
        backlog.advance(by)

    return SupervisionStage(
        MemoryWorkers(memory),
        MemoryDemands(memory),
        MemoryDispatches(memory),
        MemoryTicks(memory),
        MemoryLeadership(memory),
        Backlog(
            backlog,
            backlog,
            backlog,
            keeping,
            inquiry,
            inquiry,
            keeping,
            keeping,
            MemoryShipments(backlog),
            MemoryOverview(backlog),
            threads,
            threads,
            uploads,
        ),
        MemoryOutbox(room),
        room.pauses,
        MemoryConcerns(room),
        bring,
        advance,
        backlog.look,
    )


def postgres_supervision(database: Database) -> SupervisionStage:
    """Return the real ones over a migrated database."""

    async def bring(card_id: str, name: str) -> None:
        uploads, contents = PostgresUploads(database), PostgresContents(database)
        await bring_file(uploads, contents, card_id, name)

    async def advance(by: timedelta) -> None:
        async with database.connection() as connection:
            for statement in (
                "UPDATE card SET claim_expires_at = claim_expires_at - $1::interval WHERE status = 'claimed'",
                "UPDATE card_rest SET rests_until = rests_until - $1::interval",
                "UPDATE worker SET since = since - $1::interval, rests_until = rests_until - $1::interval",
                "UPDATE host_presence SET seen_at = seen_at - $1::interval",
                "UPDATE dispatch SET begun_at = begun_at - $1::interval",
                "UPDATE tick SET begun_at = begun_at - $1::interval",
            ):
                await connection.execute(statement, by)

    return SupervisionStage(
        PostgresWorkers(database),
        PostgresDemands(database),
        PostgresDispatches(database),
        PostgresTicks(database),
        PostgresLeadership(database),
        postgres_backlog(database),
        PostgresOutbox(database),
        PostgresPauses(database),
        PostgresConcerns(database),
        bring,
        advance,
        lambda: datetime.now(UTC),
    )


async def bring_file(uploads: Uploads, contents: Contents, card_id: str, name: str) -> None:
    """Put a file into a card's folder, as if somebody had sent it."""

    async def three_bytes() -> AsyncIterator[bytes]:
        yield b"abc"

    attachment = Attachment(name, "text/plain", 3, {})
    source = Address("memory", "ops", card_id)
    wanted = Upload(name, attachment, source, "$e", ANN.principal, "", ORCHESTRATOR, card_id)
    await uploads.want([wanted])
    (claimed,) = await uploads.claim(["memory"], "box one", timedelta(minutes=1), 1)
    await contents.keep(name, three_bytes())
    file = Enclosure(claimed.name, "text/plain", 3, name, card=card_id)
    await uploads.settle(Arrival(claimed, file))


async def clear(database: Database) -> None:
    """Empty what a test may have filled."""
    async with database.connection() as connection:
        await connection.execute(f"TRUNCATE {_TABLES} CASCADE")


ORCHESTRATOR = Address("agent", "here/lead")
