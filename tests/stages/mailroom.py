"""The ports of the mailbox, together, as the contract suites meet them."""

from dataclasses import dataclass, field, replace

from bot.mail.post import Post
from bot.model import Address, Letter, Message, MessageKind, OutboundMessage
from bot.news.reminders import Reminders
from bot.persons import LinkRequests, Links
from bot.ports import (
    Audit,
    Confirmations,
    Correspondence,
    Journal,
    Offers,
    Outbox,
    Positions,
    Revisions,
    Successions,
)
from bot.reply import Block, Offer, Text
from bot.rooms.placards import Placards
from bot.rooms.ports import RoomBook
from bot.supervision.concerns import Concerns
from bot.supervision.pause import Pauses
from storage.audit import PostgresAudit
from storage.database import Database
from storage.mail.confirmations import PostgresConfirmations
from storage.mail.correspondence import PostgresCorrespondence
from storage.mail.journal import PostgresJournal, PostgresPositions, PostgresRevisions
from storage.mail.offers import PostgresOffers
from storage.mail.outbox import PostgresOutbox
from storage.mail.post import PostgresPost
from storage.mail.reminders import PostgresReminders
from storage.pauses import PostgresPauses
from storage.people.persons import PostgresLinkRequests, PostgresLinks
from storage.rooms.book import PostgresRoomBook
from storage.rooms.placards import PostgresPlacards
from storage.rooms.successions import PostgresSuccessions
from storage.supervision.concerns import PostgresConcerns
from tests.fakes.concerns import MemoryConcerns
from tests.fakes.correspondence import MemoryCorrespondence, MemoryPost
from tests.fakes.decisions import MemoryAudit, MemoryConfirmations
from tests.fakes.mailroom import (
    MemoryJournal,
    MemoryOutbox,
    MemoryPositions,
    MemoryRevisions,
    MemorySuccessions,
    Room,
)
from tests.fakes.offers import MemoryOffers
from tests.fakes.pauses import MemoryPauses
from tests.fakes.persons import MemoryLinks
from tests.fakes.reminders import MemoryReminders
from tests.fakes.rooms import MemoryPlacards, MemoryRoomBook

ROOM = Address("memory", "room")


@dataclass(frozen=True, slots=True)
class Mailroom:
    """The ports, all over one state."""

    journal: Journal
    positions: Positions
    outbox: Outbox
    correspondence: Correspondence
    post: Post
    offers: Offers
    concerns: Concerns
    reminders: Reminders
    revisions: Revisions
    successions: Successions
    requests: LinkRequests
    links: Links
    audit: Audit = field(default_factory=MemoryAudit)
    confirmations: Confirmations = field(default_factory=MemoryConfirmations)
    pauses: Pauses = field(default_factory=MemoryPauses)
    rooms: RoomBook = field(default_factory=MemoryRoomBook)
    placards: Placards = field(default_factory=lambda: MemoryPlacards(Room()))


def memory_mailroom() -> Mailroom:
    """Return the fakes."""
    room = Room()
    links = MemoryLinks(room)
    return Mailroom(
        MemoryJournal(room),
        MemoryPositions(room),
        MemoryOutbox(room),
        MemoryCorrespondence(room),
        MemoryPost(room),
        MemoryOffers(room),
        MemoryConcerns(room),
        MemoryReminders(room),
        MemoryRevisions(room),
        MemorySuccessions(),
        links,
        links,
        pauses=room.pauses,
        placards=MemoryPlacards(room),
    )


def postgres_mailroom(database: Database) -> Mailroom:
    """Return the real ones."""
    return Mailroom(
        PostgresJournal(database),
        PostgresPositions(database),
        PostgresOutbox(database),
        PostgresCorrespondence(database),
        PostgresPost(database),
        PostgresOffers(database),
        PostgresConcerns(database),
        PostgresReminders(database),
        PostgresRevisions(database),
        PostgresSuccessions(database),
        PostgresLinkRequests(database),
        PostgresLinks(database),
        PostgresAudit(database),
        PostgresConfirmations(database),
        PostgresPauses(database),
        PostgresRoomBook(database),
        PostgresPlacards(database),
    )


def letter(
    name: str,
    to: Address = ROOM,
    *,
    kind: MessageKind = MessageKind.REPLY,
    blocks: tuple[Block, ...] = (Text("hello"),),
    parts: int = 1,
    author: str = "mosaic",
    offers: tuple[Offer, ...] = (),
    reply_to: str | None = None,
    replaces: str | None = None,
) -> Letter:
    """Return a letter as the mailbox would seal it."""
    message = Message(
        name, to, kind, blocks, author=author, reply_to=reply_to, offers=offers, replaces=replaces
    )
    words = [_part(message, number) for number in range(parts)]
    marks = [
        replace(_part(message, number), kind=MessageKind.REACTION, text=offer.mark)
        for number, offer in enumerate(offers, parts)
    ]
    return Letter(message, (*words, *marks))


def _part(message: Message, number: int) -> OutboundMessage:
    return OutboundMessage(
        message_id=message.id,
        part=number,
        transaction_id=f"{message.id}.{number}",
        to=message.to,
        kind=message.kind,
        text=f"{message.id} part {number}",
        author=message.author,
        reply_to=message.reply_to,
        replaces=message.replaces,
    )
