"""The ports of the mailbox, together, as the contract suites meet them."""

from dataclasses import dataclass, field

from bot.model import Address, Letter, Message, MessageKind, OutboundMessage
from bot.ports import Audit, Confirmations, Correspondence, Journal, Outbox, Positions
from bot.post import Post
from bot.reply import Block, Text
from storage.audit import PostgresAudit
from storage.confirmations import PostgresConfirmations
from storage.correspondence import PostgresCorrespondence
from storage.database import Database
from storage.journal import PostgresJournal, PostgresPositions
from storage.outbox import PostgresOutbox
from storage.post import PostgresPost
from tests.fakes.decisions import MemoryAudit, MemoryConfirmations
from tests.fakes.mailroom import (
    MemoryCorrespondence,
    MemoryJournal,
    MemoryOutbox,
    MemoryPositions,
    MemoryPost,
    Room,
)

ROOM = Address("memory", "room")


@dataclass(frozen=True, slots=True)
class Mailroom:
    """Seven ports over one state."""

    journal: Journal
    positions: Positions
    outbox: Outbox
    correspondence: Correspondence
    post: Post
    audit: Audit = field(default_factory=MemoryAudit)
    confirmations: Confirmations = field(default_factory=MemoryConfirmations)


def memory_mailroom() -> Mailroom:
    """Return the fakes."""
    room = Room()
    return Mailroom(
        MemoryJournal(room),
        MemoryPositions(room),
        MemoryOutbox(room),
        MemoryCorrespondence(room),
        MemoryPost(room),
    )


def postgres_mailroom(database: Database) -> Mailroom:
    """Return the real ones."""
    return Mailroom(
        PostgresJournal(database),
        PostgresPositions(database),
        PostgresOutbox(database),
        PostgresCorrespondence(database),
        PostgresPost(database),
        PostgresAudit(database),
        PostgresConfirmations(database),
    )


def letter(
    name: str,
    to: Address = ROOM,
    *,
    kind: MessageKind = MessageKind.REPLY,
    blocks: tuple[Block, ...] = (Text("hello"),),
    parts: int = 1,
    author: str = "mosaic",
    replaces: str | None = None,
) -> Letter:
    """Return a letter as the mailbox would seal it."""
    message = Message(id=name, to=to, kind=kind, blocks=blocks, author=author, replaces=replaces)
    return Letter(message, tuple(_part(message, number) for number in range(parts)))


def _part(message: Message, number: int) -> OutboundMessage:
    return OutboundMessage(
        message_id=message.id,
        part=number,
        transaction_id=f"{message.id}.{number}",
        to=message.to,
        kind=message.kind,
        text=f"{message.id} part {number}",
        replaces=message.replaces,
    )
