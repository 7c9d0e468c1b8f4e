"""The words of Mosaic Fleet: the values that travel between its layers (see docs/glossary.md)."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.enclosure import Attachment, Enclosure
from bot.reply import Block, Button, Offer

_NAMESPACE = uuid.UUID("6d6f7361-6963-4666-8c65-657400000001")


def derived_id(*parts: str) -> str:
    """Return the same id for the same parts, for ever: what makes a repeated step harmless."""
    return uuid.uuid5(_NAMESPACE, "\x1f".join(parts)).hex


PRIVATE = ":private"
"""How the id of an event ends that only its sender sees, as the answers to it."""


def event_key(kind: str, event_id: str) -> str:
    """Return our id for a platform's event."""
    return derived_id("inbound", kind, event_id)


def reply_id(event: str) -> str:
    """Return the id of the message that answers an event, by our id of that."""
    return derived_id("reply", event)


class Role(StrEnum):
    """What a principal may be here. An unknown one is a stranger."""

    STRANGER = "stranger"
    MEMBER = "member"
    AGENT = "agent"
    OPERATOR = "operator"


class Via(StrEnum):
    """The face through which somebody speaks."""

    CHAT = "chat"
    CONSOLE = "console"
    CLI = "cli"
    HTTP = "http"
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who asks for something.

    ``id`` is stable and unique over all platforms (``matrix:@ann:example.org``, ``local:1000``, ``agent:HOST/NAME``),
    ``name`` is for people to read and decides nothing.
    """

    id: str
    name: str

    @property
    def platform(self) -> str:
        """The part of the id before the first colon."""
        return self.id.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Address:
    """A place where words come from and go to.

    ``kind`` is a connector's kind or ``agent``; ``place`` a room, a channel, a console or ``HOST/NAME``; ``thread`` a
    thread's id.
    """

    kind: str
    place: str
    thread: str | None = None

    @property
    def lane(self) -> str:
        """What is kept in order: everything sent to one place."""
        return f"{self.kind}:{self.place}"

    @property
    def carrier(self) -> str:
        """Who takes messages there: the connector's kind, or ``agent:HOST`` for that host's daemon."""
        if self.kind != "agent":
            return self.kind
        return f"agent:{self.place.partition('/')[0]}"

    def __str__(self) -> str:
        return self.lane if self.thread is None else f"{self.lane}#{self.thread}"


def agent_address(host: str, name: str) -> Address:
    """Return the address of an agent: its host and its name in the roster."""
    return Address("agent", f"{host}/{name}")


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal together with the face it came through: whom a change is written down to."""

    principal: Principal
    via: Via


class InboundKind(StrEnum):
    """What sort of event came in. Only a text is ever run; a reaction may choose what a message of ours offers."""

    TEXT = "text"
    EDIT = "edit"
    REACTION = "reaction"
    REDACTION = "redaction"


@dataclass(frozen=True, slots=True)
class Inbound:
    """One event that somebody caused on a platform.

    ``event_id`` is the platform's own; together with ``source.kind`` it is unique. ``recovered`` marks
    one that was read back after downtime. A reaction's ``text`` is its mark; ``stands_on`` is the platform's id of what
    a reaction stands on, or an edit or a redaction revises. With ``attachments`` the text stands below them.
    """

    event_id: str
    source: Address
    sender: Principal
    text: str
    sent_at: datetime
    kind: InboundKind = InboundKind.TEXT
    recovered: bool = False
    stands_on: str | None = None
    attachments: tuple[Attachment, ...] = ()

    @property
    def id(self) -> str:
        """Our id for it, the same however often the platform repeats the event."""
        return event_key(self.source.kind, self.event_id)

    @property
    def is_private(self) -> bool:
        """Whether nobody but its sender sees it."""
        return self.event_id.endswith(PRIVATE)

    @property
    def is_revision(self) -> bool:
        """Whether it changes or takes back what was said before."""
        return self.kind in {InboundKind.EDIT, InboundKind.REDACTION}


@dataclass(frozen=True, slots=True)
class InboundBatch:
    """What one read of a platform brought, with the position to go on from.

    Storing it is one transaction: either the events and the position are kept, or neither is. ``gaps`` are the accounts
    of places after missed time, ``unreadable`` is what people must know of.
    """

    connector: str
    events: tuple[Inbound, ...]
    position: str | None = None
    gaps: tuple["Gap", ...] = ()
    unreadable: tuple["Unreadable", ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Somebody's words that cannot be read, and why; ``event_id`` is the first of them."""

    source: Address
    sender: Principal
    event_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Gap:
    """The account of one place after downtime: every missed event is either recovered or lost."""

    source: Address
    recovered: int
    lost: int


class MessageKind(StrEnum):
    """Why a message is said; it decides how it looks, never where it goes.

    ``reply`` and ``notice`` are the bot's own words, ``mail`` goes to an agent, ``answer`` is what an agent (or a
    person elsewhere) said, ``reaction`` a mark on an event, ``progress`` how far an agent is; ``redaction`` takes
    ours away.
    """

    REPLY = "reply"
    NOTICE = "notice"
    MAIL = "mail"
    ANSWER = "answer"
    REACTION = "reaction"
    PROGRESS = "progress"
    REDACTION = "redaction"


class Queueing(StrEnum):
    """When mail may be typed: while its agent is busy too, at an empty prompt only, or after ending its turn."""

    NOW = "now"
    WHEN_IDLE = "when-idle"
    INTERRUPT = "interrupt"


@dataclass(frozen=True, slots=True)
class Message:
    """Something that we say, stored before it is sent.

    ``origin`` is where an answer to it belongs (mail only), ``reply_to`` the platform's id of the event that it
    answers, ``cause`` our id of what made us say it. ``author`` is a principal's id, or ``mosaic``. ``chain`` is the
    id of the mail with which a chain of agents' mail began (None: it begins here), ``hops`` how many came before it.
    ``offers`` are what people may choose on it, where the platform lets them. ``replaces`` is our id of the message
    whose place it takes where the platform can edit (of edits that wait only the newest one is said), that a
    redaction takes away, or on which a mark of another message stands. Mail brings its ``files`` to its agent's host.
    """

    id: str
    to: Address
    kind: MessageKind
    blocks: tuple[Block, ...]
    author: str = "mosaic"
    reply_to: str | None = None
    origin: Address | None = None
    origin_event: str | None = None
    cause: str | None = None
    tag: str = "chat"
    queueing: Queueing = Queueing.WHEN_IDLE
    chain: str | None = None
    hops: int = 0
    offers: tuple[Offer, ...] = ()
    replaces: str | None = None
    files: tuple[Enclosure, ...] = ()


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One event to be shown on a platform: a message, or one part of a long one.

    ``transaction_id`` was frozen before the first try; sending the same one again shows nothing twice where the
    platform can prove it. ``text`` is the plain form; ``html`` is trusted markup made by render; ``blocks`` are what
    both were made from, where the platform can show their form. For a reaction ``text`` is the mark, ``reply_to`` the
    event that it stands on, and ``former_mark`` the platform's id of our mark whose place it takes there, if there is
    one: that one is withdrawn. An edit ``replaces`` a message (our id); ``replaced_event`` is the platform's id of
    that, None while it was not shown. A redaction has no words: it takes ``replaced_event`` away, a message or a mark
    of ours. Mail may have many ``files``, an event at most one, below which ``text`` stands. ``answers`` is the
    principal's id of who is answered, and called. ``buttons`` stand below the last words of a message, where the
    platform has them.
    """

    message_id: str
    part: int
    transaction_id: str
    to: Address
    kind: MessageKind
    text: str
    html: str | None = None
    reply_to: str | None = None
    author: str = "mosaic"
    tag: str = "chat"
    queueing: Queueing = Queueing.WHEN_IDLE
    replaces: str | None = None
    replaced_event: str | None = None
    former_mark: str | None = None
    files: tuple[Enclosure, ...] = ()
    answers: str | None = None
    blocks: tuple[Block, ...] = ()
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """A message with the events that it becomes on its platform, rendered and split once, for good."""

    message: Message
    parts: tuple[OutboundMessage, ...]


class ReceiptState(StrEnum):
    """What is known of a message's fate (spec 4-receipts); ``dead`` is a delivery that was given up."""

    STORED = "stored"
    TYPED = "typed"
    ACCEPTED = "accepted"
    ANSWERED = "answered"
    WAITING = "waiting"
    FAILED = "failed"
    UNKNOWN = "unknown"


FINAL_STATES = frozenset({ReceiptState.ANSWERED, ReceiptState.FAILED})


@dataclass(frozen=True, slots=True)
class Receipt:
    """One dated statement on a message; later ones are added, none is ever changed.

    ``by`` says which sort of evidence (conversation, submitted, queued, screen, platform) ``evidence`` holds.
    """

    message_id: str
    state: ReceiptState
    part: int = 0
    by: str | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SendResult:
    """What a platform said to a send. ``platform_id`` is its id for what now stands there."""

    state: ReceiptState
    platform_id: str | None = None
    by: str | None = "platform"
    evidence: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One part of a message on its way: what a worker holds under a lease.

    ``attempts`` counts this one. ``first_tried_at`` tells how old the transaction id is on the platform's side.
    ``typed`` is true when bytes may already have landed: it must not be typed again.
    """

    id: int
    outbound: OutboundMessage
    attempts: int
    first_tried_at: datetime
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of ``authorize``: ``rule`` names the rule that decided, ``reason`` says it in words."""

    allowed: bool
    rule: str
    reason: str
