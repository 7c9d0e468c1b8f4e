"""Journal, positions, outbox and correspondence in memory, over one state, as in one database."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.errors import PausedError, UserError
from bot.model import (
    Address,
    Delivery,
    Inbound,
    InboundBatch,
    InboundKind,
    Letter,
    Message,
    MessageKind,
    OutboundMessage,
    Receipt,
    ReceiptState,
    event_key,
)
from bot.reply import Offer
from bot.supervision.pause import SUPERVISOR
from storage.mail.journal import stored_form
from storage.mail.offers import bare_mark
from tests.fakes.pauses import MemoryPauses


@dataclass(slots=True)
class Row:
    """A delivery as it stands."""

    id: int
    outbound: OutboundMessage
    due_at: datetime
    state: str = "due"
    owner: str | None = None
    leased_until: datetime | None = None
    attempts: int = 0
    first_tried_at: datetime | None = None
    platform_id: str | None = None
    reason: str | None = None

    def is_free(self, owner: str, now: datetime) -> bool:
        """Whether somebody may lease it now, supposed that it is a head."""
        if self.due_at > now:
            return False
        if self.owner is None or self.leased_until is None or self.leased_until <= now:
            return True
        return self.owner != owner and self.owner.partition(" ")[0] == owner.partition(" ")[0]


@dataclass(slots=True)
class Event:
    """An event as it stands."""

    inbound: Inbound
    state: str = "stored"
    token: str | None = None
    wording: str | None = None
    stored_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(slots=True)
class Room:
    """All that the fakes remember; ``away`` is raised by whoever is asked while it is set."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    events: dict[str, Event] = field(default_factory=dict)
    positions: dict[str, str] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    dead: list[Row] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    offers: dict[tuple[str, str], tuple[Offer, datetime]] = field(default_factory=dict)
    chosen: dict[str, str] = field(default_factory=dict)
    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    away: Exception | None = None
    pauses: MemoryPauses = field(default_factory=MemoryPauses)

    def look(self) -> None:
        """Fail if the database is away."""
        if self.away is not None:
            raise self.away

    def store(self, letters: Sequence[Letter]) -> None:
        """Store letters, all or none."""
        for letter in letters:
            if not letter.parts:
                raise ValueError(f"message {letter.message.id} has no parts")
        for letter in letters:
            if letter.message.id not in self.messages:
                if letter.message.kind is not MessageKind.REACTION:
                    self._pass_over(letter.message.replaces)
                self.messages[letter.message.id] = replace(letter.message, offers=())
                for offer in letter.message.offers:
                    key = (letter.message.id, bare_mark(offer.mark))
                    self.offers.setdefault(key, (replace(offer, mark=key[1]), self.now()))
                self.add(Receipt(letter.message.id, ReceiptState.STORED))
                for part in sorted(letter.parts, key=lambda part: part.part):
                    self.rows.append(Row(next(self.numbers), part, self.now()))

    def _pass_over(self, replaced: str | None) -> None:
        """End edits of a message that wait, since a newer one came."""
        for row in self.rows:
            waits = row.state == "due" and row.owner is None and replaced is not None
            edits = row.outbound.kind not in {MessageKind.REACTION, MessageKind.REDACTION}
            if waits and edits and row.outbound.replaces == replaced:
                row.state, row.reason = "done", "a newer edit took its place"
                gone = Receipt(row.outbound.message_id, ReceiptState.FAILED, row.outbound.part)
                self.add(replace(gone, reason=row.reason))

    def add(self, receipt: Receipt) -> None:
        """Add a receipt, dated."""
        self.receipts.append(replace(receipt, at=receipt.at or self.now()))

    def of(self, message_id: str) -> list[Receipt]:
        """Return a message's receipts, oldest first."""
        return [receipt for receipt in self.receipts if receipt.message_id == message_id]

    def delivery(self, row: Row) -> Delivery:
        """Return a row as its holder sees it."""
        typed = any(
            receipt.state is ReceiptState.TYPED and receipt.part == row.outbound.part
            for receipt in self.of(row.outbound.message_id)
        )
        tried_at = row.first_tried_at or self.now()
        outbound = self._placed(row) if row.outbound.kind is MessageKind.REACTION else row.outbound
        outbound = replace(
            outbound,
            replaced_event=self._platform_id(outbound),
            answers=self._answered(outbound),
        )
        return Delivery(row.id, outbound, row.attempts, tried_at, typed)

    def _answered(self, outbound: OutboundMessage) -> str | None:
        """Return who wrote what a message answers."""
        if outbound.kind is MessageKind.REACTION or outbound.reply_to is None:
            return None
        row = self.events.get(event_key(outbound.to.kind, outbound.reply_to))
        return None if row is None else row.inbound.sender.id

    def _platform_id(self, outbound: OutboundMessage) -> str | None:
        part = outbound.part if outbound.kind is MessageKind.REDACTION else 0
        replaced = (outbound.replaces, part)
        ids = (
            row.platform_id
            for row in self.rows
            if (row.outbound.message_id, row.outbound.part) == replaced
        )
        return next(ids, None)

    def _placed(self, mark: Row) -> OutboundMessage:
        """Return a mark with what it stands on, and with our mark whose place it takes there."""
        outbound = mark.outbound
        if outbound.reply_to is None:
            words = [row for row in self.rows if row.outbound.message_id == outbound.message_id]
            words = [row for row in words if row.outbound.kind is not MessageKind.REACTION]
            return replace(outbound, reply_to=words[-1].platform_id if words else None)
        former = [
            row.platform_id
            for row in self.rows
            if row.outbound.kind is MessageKind.REACTION
            and (row.outbound.to.lane, row.outbound.reply_to)
            == (outbound.to.lane, outbound.reply_to)
            and (row.id < mark.id and row.state == "done")
            and "mirror" not in {row.outbound.tag, outbound.tag}
        ]
        return replace(outbound, former_mark=former[-1] if former else None)


class MemoryJournal:
    """The port Journal, over a room."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def accept(
        self, batch: InboundBatch, letters: Sequence[Letter] = ()
    ) -> Sequence[Inbound]:
        self._room.look()
        fresh = []
        for event in map(stored_form, batch.events):
            if event.id not in self._room.events:
                self._room.events[event.id] = Event(event, stored_at=self._room.now())
                fresh.append(event)
        if batch.position is not None:
            self._room.positions[batch.connector] = batch.position
        self._room.store(letters)
        return fresh

    async def pending(self, limit: int) -> Sequence[Inbound]:
        self._room.look()
        waiting = [row.inbound for row in self._room.events.values() if row.state == "stored"]
        return waiting[:limit]

    async def begin(self, inbound: Inbound, token: str) -> bool:
        self._room.look()
        row = self._room.events.get(inbound.id)
        if row is None or row.state not in {"stored", "running"}:
            return False
        if row.state == "running" and row.token != token:
            return False
        row.state, row.token = "running", token
        row.wording = inbound.text
        return True

    async def finish(self, inbound: Inbound, letters: Sequence[Letter], outcome: str) -> None:
        self._room.look()
        row = self._room.events.get(inbound.id)
        if row is None:
            raise LookupError(f"event {inbound.event_id!r} was never accepted")
        if row.state in {"stored", "running"}:
            self._room.store(letters)
            row.state = outcome

    async def interrupted(self, token: str) -> Sequence[Inbound]:
        self._room.look()
        return [
            replace(row.inbound, text=row.wording or row.inbound.text)
            for row in self._room.events.values()
            if row.state == "running" and row.token != token
        ]


class MemoryRevisions:
    """The port Revisions, over a room."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def of(self, source: Address, event_id: str) -> Sequence[Inbound]:
        self._room.look()
        events = [row.inbound for row in self._room.events.values()]
        here = [e for e in events if e.is_revision and e.source.lane == source.lane]
        gone = {e.stands_on for e in here if e.kind is InboundKind.REDACTION}
        return [e for e in here if e.stands_on == event_id and e.event_id not in gone]


class MemoryPositions:
    """The port Positions, over a room."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def position(self, connector: str) -> str | None:
        self._room.look()
        return self._room.positions.get(connector)

    async def known(self, connector: str, event_ids: Sequence[str]) -> frozenset[str]:
        self._room.look()
        inbounds = [row.inbound for row in self._room.events.values()]
        ids = {one.event_id for one in inbounds if one.source.kind == connector}
        return frozenset(ids & set(event_ids))


class MemorySuccessions:
    """The port Successions."""

    def __init__(self) -> None:
        self.noted: dict[tuple[str, str], str] = {}

    async def note(self, old: Address, new: Address) -> None:
        self.noted.setdefault((old.kind, old.place), new.place)

    async def known(self, kind: str) -> Mapping[str, str]:
        return {old: new for (of, old), new in self.noted.items() if of == kind}


class MemoryOutbox:
    """The port Outbox, over a room."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def store(self, letters: Sequence[Letter]) -> None:
        self._room.look()
        self._room.store(letters)

    async def claim(
        self, carriers: Sequence[str], owner: str, lease: timedelta
    ) -> Sequence[Delivery]:
        self._room.look()
        now = self._room.now()
        leased = []
        for row in _heads(self._room.rows, paused=self._room.pauses.strictest() is not None):
            if row.outbound.to.carrier in carriers and row.is_free(owner, now):
                row.owner, row.leased_until = owner, now + lease
                row.attempts += 1
                row.first_tried_at = row.first_tried_at or now
                leased.append(self._room.delivery(row))
        return leased

    async def settle(self, delivery: Delivery, receipt: Receipt, platform_id: str | None) -> None:
        self._room.look()
        failed = receipt.state is ReceiptState.FAILED
        for row in self._room.rows:
            mine = row.attempts == delivery.attempts or not failed
            if row.id == delivery.id and row.state == "due" and mine:
                row.state = "dead" if failed else "done"
                row.platform_id, row.owner, row.leased_until = platform_id, None, None
                row.reason = receipt.reason or ("no reason was given" if failed else None)
                self._room.add(receipt)
                if failed:
                    self._room.dead.append(row)

    async def shown(self, kind: str, platform_ids: Sequence[str]) -> frozenset[str]:
        self._room.look()
        of_kind = (row for row in self._room.rows if row.outbound.to.kind == kind)
        known = {row.platform_id for row in of_kind if row.platform_id is not None}
        return frozenset(known & set(platform_ids))

    async def postpone(
        self, delivery: Delivery, wait: timedelta, reason: str, *, anew: bool = False
    ) -> None:
        self._room.look()
        for row in self._room.rows:
            if row.id == delivery.id and row.attempts == delivery.attempts and row.state == "due":
                row.due_at, row.reason = self._room.now() + wait, reason
                row.owner, row.leased_until = None, None
                if anew:
                    row.first_tried_at = self._room.now()

    async def record(self, receipt: Receipt) -> None:
        self._room.look()
        if receipt.message_id not in self._room.messages:
            raise UserError(f"there is no message {receipt.message_id}")
        if receipt.state is ReceiptState.TYPED:
            self._permit(receipt)
        self._room.add(receipt)

    def _permit(self, receipt: Receipt) -> None:
        part = (receipt.message_id, receipt.part)
        rows = {(row.outbound.message_id, row.outbound.part): row for row in self._room.rows}
        if part not in rows:
            raise UserError(f"there is no message {receipt.message_id}")
        if rows[part].state != "due":
            raise UserError("it was taken back or ended meanwhile", code="withdrawn")
        work = rows[part].outbound.author == SUPERVISOR.id
        if (pause := self._room.pauses.strictest(work=work)) is not None:
            raise PausedError(pause.notice(), retry_after=timedelta(seconds=1))

    async def withdraw(self, message_id: str, reason: str) -> bool:
        self._room.look()
        ended = False
        for row in self._room.rows:
            mine = row.outbound.message_id == message_id and row.outbound.to.kind == "agent"
            if mine and row.state == "due" and not self._room.delivery(row).typed:
                row.state, row.reason = "done", f"withdrawn: {reason}"
                row.owner, row.leased_until = None, None
                failed = Receipt(message_id, ReceiptState.FAILED, row.outbound.part)
                self._room.add(replace(failed, reason=row.reason))
                ended = True
        return ended


def _heads(rows: Iterable[Row], *, paused: bool) -> list[Row]:
    heads: dict[str, Row] = {}
    for row in rows:
        work = row.outbound.author == SUPERVISOR.id and row.attempts > 0 and row.owner is None
        if row.state == "due" and not (paused and work):
            heads.setdefault(row.outbound.to.lane, row)
    return sorted(heads.values(), key=lambda row: row.id)
