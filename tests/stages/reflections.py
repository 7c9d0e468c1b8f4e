"""The ports Overheard and Reflections with what they look at: threads of cards, what people say, and what we say."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.backlog.cards import CardDraft
from bot.backlog.ports import CardShelf, Threads
from bot.model import (
    Address,
    Inbound,
    InboundBatch,
    InboundKind,
    Letter,
    Principal,
    Receipt,
    ReceiptState,
)
from bot.people.reflections import Overheard, Reflections
from bot.ports import Journal, Outbox
from storage.backlog.backlog import postgres_backlog
from storage.backlog.threads import PostgresThreads
from storage.database import Database
from storage.mail.journal import PostgresJournal
from storage.mail.outbox import PostgresOutbox
from storage.people.reflections import PostgresOverheard, PostgresReflections
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.mailroom import MemoryJournal, MemoryOutbox, Room
from tests.fakes.reflections import MemoryReflections
from tests.fakes.threads import MemoryThreads
from tests.stages.backlog import CODER, MINUTE


@dataclass(frozen=True, slots=True)
class ReflectionsStage:
    """The ports of one implementation. ``age`` makes all that was said older."""

    overheard: Overheard
    reflections: Reflections
    journal: Journal
    outbox: Outbox
    threads: Threads
    shelf: CardShelf
    age: Callable[[timedelta], Awaitable[None]]

    async def bind(self, card_id: str, *threads: Address) -> None:
        """Make a card with threads."""
        await self.shelf.create(CardDraft(card_id, title=card_id), CODER)
        for thread in threads:
            assert await self.threads.bind(card_id, thread)

    async def hear(
        self,
        event_id: str,
        source: Address,
        sender: Principal,
        text: str = "words",
        *,
        kind: InboundKind = InboundKind.TEXT,
        stands_on: str | None = None,
    ) -> Inbound:
        """Let somebody do something."""
        event = Inbound(
            event_id, source, sender, text, datetime.now(UTC), kind, stands_on=stands_on
        )
        await self.journal.accept(InboundBatch(source.kind, (event,)))
        return event

    async def say(self, letter: Letter, *shown: str) -> None:
        """Store a letter, and let its parts be shown under these ids."""
        await self.outbox.store([letter])
        for platform_id in shown:
            (delivery,) = await self.outbox.claim([letter.message.to.carrier], "w one", MINUTE)
            receipt = Receipt(letter.message.id, ReceiptState.ACCEPTED, delivery.outbound.part)
            await self.outbox.settle(delivery, receipt, platform_id)


def memory_reflections() -> ReflectionsStage:
    """Return the fakes, all by one clock."""
    backlog = MemoryBacklog()
    threads, room = MemoryThreads(backlog), Room(now=backlog.look)
    both = MemoryReflections(room, threads)

    async def age(by: timedelta) -> None:
        backlog.advance(by)

    return ReflectionsStage(
        both, both, MemoryJournal(room), MemoryOutbox(room), threads, backlog, age
    )


def postgres_reflections(database: Database) -> ReflectionsStage:
    """Return the real ones."""

    async def age(by: timedelta) -> None:
        async with database.connection() as connection:
            for table in ("inbound", "message"):
                await connection.execute(
                    f"UPDATE {table} SET stored_at = stored_at - $1::interval",  # noqa: S608
                    by,
                )

    return ReflectionsStage(
        PostgresOverheard(database),
        PostgresReflections(database),
        PostgresJournal(database),
        PostgresOutbox(database),
        PostgresThreads(database),
        postgres_backlog(database).shelf,
        age,
    )
