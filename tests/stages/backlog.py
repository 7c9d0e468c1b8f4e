"""A backlog to test: its three ports, and a way to let claims grow old."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from bot.backlog.activity import Activity
from bot.backlog.cards import Card, CardDraft
from bot.backlog.kept_threads import ThreadBook
from bot.backlog.ports import (
    CardShelf,
    Checklists,
    Claims,
    Dependencies,
    Housekeeping,
    Inquiry,
    Keeping,
    NewsFeed,
    Overview,
    Recount,
    Shipments,
    Threads,
)
from bot.errors import UserError
from bot.model import Caller, Inbound, InboundBatch, Principal, Via
from bot.supervision.pause import Pauses
from storage.backlog.activity import PostgresActivity
from storage.backlog.backlog import postgres_backlog
from storage.backlog.kept_threads import PostgresThreadBook
from storage.database import Database
from storage.mail.journal import PostgresJournal
from storage.pauses import PostgresPauses
from tests.fakes.activity import MemoryActivity
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.inquiry import MemoryInquiry
from tests.fakes.keeping import MemoryKeeping
from tests.fakes.kept_threads import MemoryThreadBook
from tests.fakes.overview import MemoryOverview
from tests.fakes.shipments import MemoryShipments
from tests.fakes.threads import Heard, MemoryThreads

ANN = Caller(Principal("matrix:@ann:example.org", "Ann"), Via.CHAT)
CODER = Caller(Principal("agent:east/coder0", "coder0"), Via.CLI)
MINUTE = timedelta(minutes=1)
Asking = Callable[[Inbound], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class BacklogStage:
    """The ports of one implementation. ``age`` makes claims and history older.

    ``asking`` lets a platform's message be handled for as long as its block lasts. ``dispatched`` hands a card out by
    a message.
    """

    shelf: CardShelf
    claims: Claims
    dependencies: Dependencies
    keeping: Keeping
    checklists: Checklists
    inquiry: Inquiry
    recount: Recount
    housekeeping: Housekeeping
    shipments: Shipments
    overview: Overview
    threads: Threads
    book: ThreadBook
    news: NewsFeed
    pauses: Pauses
    activity: Activity
    asking: Asking
    dispatched: Callable[[str, str], Awaitable[None]]
    age: Callable[[timedelta], Awaitable[None]]

    async def make(self, *ids: str, needs: tuple[str, ...] = (), priority: int = 0) -> None:
        """Create cards that differ in nothing but their ids."""
        for card_id in ids:
            draft = CardDraft(card_id, title=card_id.lower(), depends_on=needs, priority=priority)
            await self.shelf.create(draft, ANN)

    async def take(self, card_id: str | None = None, owner: str = "w1") -> Card:
        """Claim a card for a minute, and insist on it."""
        card = await self.claims.claim(owner, MINUTE, card_id, ANN)
        assert card is not None
        return card

    async def card(self, card_id: str) -> Card:
        """Return a card as it is now."""
        return (await self.shelf.show(card_id))[0]

    async def actions(self, card_id: str) -> list[str]:
        """Return what history says was done to a card."""
        return [event.action for event in (await self.shelf.show(card_id))[1]]


def memory_stage() -> BacklogStage:
    """Return a stage over the pure model."""
    memory = MemoryBacklog()

    async def age(by: timedelta) -> None:
        memory.advance(by)

    threads = MemoryThreads(memory)

    async def dispatched(card_id: str, message_id: str) -> None:
        threads.dispatched[message_id] = card_id

    @asynccontextmanager
    async def asking(event: Inbound) -> AsyncIterator[None]:
        heard = Heard(event, memory.look())
        threads.heard.append(heard)
        yield
        heard.ended_at = memory.look()

    keeping, inquiry = MemoryKeeping(memory), MemoryInquiry(memory)
    return BacklogStage(
        memory,
        memory,
        memory,
        keeping,
        inquiry,
        inquiry,
        keeping,
        keeping,
        MemoryShipments(memory),
        MemoryOverview(memory),
        threads,
        MemoryThreadBook(memory, threads),
        threads,
        memory.pauses,
        MemoryActivity(memory),
        asking,
        dispatched,
        age,
    )


def postgres_stage(database: Database) -> BacklogStage:
    """Return a stage over a migrated database."""

    async def age(by: timedelta) -> None:
        async with database.connection() as connection:
            await connection.execute(
                "UPDATE card SET claimed_at = claimed_at - $1::interval,"
                " claim_expires_at = claim_expires_at - $1::interval WHERE status = 'claimed'",
                by,
            )
            await connection.execute("UPDATE card SET updated_at = updated_at - $1::interval", by)
            await connection.execute("UPDATE card_event SET at = at - $1::interval", by)
            await connection.execute(
                "UPDATE kept_thread SET begun_at = begun_at - $1::interval, again_at = again_at - $1::interval",
                by,
            )

    @asynccontextmanager
    async def asking(event: Inbound) -> AsyncIterator[None]:
        journal = PostgresJournal(database)
        await journal.accept(InboundBatch(event.source.kind, (event,)))
        await journal.begin(event, "life")
        yield
        await journal.finish(event, (), "done")

    async def dispatched(card_id: str, message_id: str) -> None:
        async with database.connection() as connection:
            await connection.execute(
                "INSERT INTO dispatch (id, card_id, place, agent_class, claim_token, message_id, ask_id)"
                " VALUES ($1, $2, 'east/coder0', 'code', 'token', $1, $1 || ' asked')",
                message_id,
                card_id,
            )

    ours = postgres_backlog(database)
    return BacklogStage(
        ours.shelf,
        ours.claims,
        ours.dependencies,
        ours.keeping,
        ours.checklists,
        ours.inquiry,
        ours.recount,
        ours.housekeeping,
        ours.shipments,
        ours.overview,
        ours.threads,
        PostgresThreadBook(database),
        ours.news,
        PostgresPauses(database),
        PostgresActivity(database),
        asking,
        dispatched,
        age,
    )


async def clear(database: Database) -> None:
    """Empty the backlog."""
    async with database.transaction() as connection:
        for table in ("card_edge", "card_key", "card", "card_event", "inbound", "pause"):
            await connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        for table in ("kept_thread", "card_thread_position", "dispatch"):
            await connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        await connection.execute("UPDATE card_news SET event_id = 0")


async def refusal(asked: Awaitable[object]) -> UserError:
    """Return the UserError that was met."""
    try:
        answer = await asked
    except UserError as error:
        return error
    raise AssertionError(f"it was not refused but answered {answer!r}")
