"""A platform inside the process: for tests and examples, with faults on demand."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.enclosure import Attachment
from bot.errors import TransientError, UserError
from bot.files.contents import bytes_of
from bot.model import (
    Address,
    Capabilities,
    ConnectorHealth,
    Gap,
    Inbound,
    InboundBatch,
    InboundKind,
    MessageKind,
    OutboundMessage,
    Principal,
    ReceiptState,
    SendResult,
)
from bot.ports import Accept, Contents
from bot.render.markup import storable

KIND = "memory"
FILE_BYTES = 1024 * 1024
_PIECE = 16 * 1024


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in a place: a person's words, or ours (then with the message that they came from)."""

    id: str
    place: str
    text: str
    thread: str | None = None
    sender: Principal | None = None
    message: OutboundMessage | None = None
    edits: str | None = None
    file: bytes | None = None


class MemoryPlatform:
    """The other side: places with people in them. It outlives the connectors that talk to it.

    ``line_up`` false cuts everybody off. ``lose_answers`` counts sends that arrive while the sender is
    told that they did not, which is what a broken line looks like. ``marks`` are ours that stand there now,
    with what they stand on, ``shown`` all that ever stood there. ``files`` are people's, by their event id.
    """

    def __init__(
        self, now: Callable[[], datetime] = lambda: datetime.now(UTC), kind: str = KIND
    ) -> None:
        self.kind = kind
        self.standing: list[Standing] = []
        self.marks: list[tuple[str, str]] = []
        self.shown: list[tuple[str, str]] = []
        self._ours: dict[str, tuple[str, str]] = {}
        self.files: dict[str, bytes] = {}
        self.typing: set[str] = set()
        self.line_up = True
        self.lose_answers = 0
        self._now = now
        self._log: list[Inbound] = []
        self._transactions: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._changed = asyncio.Event()

    def speak(
        self,
        place: str,
        sender: Principal,
        text: str,
        *,
        thread: str | None = None,
        edits: str | None = None,
    ) -> str:
        """Let a person say something, or say it anew in place of ``edits``; return its event id."""
        event_id = f"event-{next(self._numbers)}"
        self.standing.append(Standing(event_id, place, text, thread, sender, edits=edits))
        kind = InboundKind.EDIT if edits else InboundKind.TEXT
        source = Address(self.kind, place, thread)
        said = Inbound(event_id, source, sender, storable(text), self._now(), kind)
        self._log.append(replace(said, stands_on=edits))
        self._changed.set()
        return event_id

    def redact(self, place: str, sender: Principal, redacted: str) -> str:
        """Let a person take back what was said or marked; return the redaction's event id."""
        event_id = f"event-{next(self._numbers)}"
        self.standing = [one for one in self.standing if one.id != redacted]
        said = Inbound(
            event_id, Address(self.kind, place), sender, "", self._now(), InboundKind.REDACTION
        )
        self._log.append(replace(said, stands_on=redacted))
        self._changed.set()
        return event_id

    def send_file(
        self,
        place: str,
        sender: Principal,
        name: str,
        content: bytes,
        *,
        media_type: str = "application/octet-stream",
        caption: str = "",
        thread: str | None = None,
        size: int | None = None,
    ) -> str:
        """Let a person send a file, and say what they like of its type and size; return its event id."""
        event_id = f"event-{next(self._numbers)}"
        self.files[event_id] = content
        told = len(content) if size is None else size
        attachment = Attachment(storable(name), media_type, told, {"event": event_id})
        self.standing.append(Standing(event_id, place, caption, thread, sender, file=content))
        source = Address(self.kind, place, thread)
        self._log.append(
            Inbound(
                event_id,
                source,
                sender,
                storable(caption),
                self._now(),
                attachments=(attachment,),
            )
        )
        self._changed.set()
        return event_id

    def react(self, place: str, sender: Principal, mark: str, stands_on: str) -> str:
        """Let a person put a mark on what stands somewhere; return the mark's own event id."""
        event_id = f"event-{next(self._numbers)}"
        source = Address(self.kind, place)
        self._log.append(
            Inbound(
                event_id,
                source,
                sender,
                storable(mark),
                self._now(),
                InboundKind.REACTION,
                stands_on=stands_on,
            )
        )
        self._changed.set()
        return event_id

    def cut(self) -> None:
        """Take the line down; whoever listens learns of it."""
        self.line_up = False
        self._changed.set()

    def restore(self) -> None:
        """Bring the line back."""
        self.line_up = True

    def show(self, message: OutboundMessage, file: bytes | None = None) -> str:
        """Put a message where it belongs, once per transaction id; return the platform's id for it."""
        self.require_line()
        platform_id = self._transactions.get(message.transaction_id)
        if platform_id is None:
            platform_id = f"event-{next(self._numbers)}"
            self._transactions[message.transaction_id] = platform_id
            self._put(message, platform_id, file)
        if self.lose_answers:
            self.lose_answers -= 1
            raise TransientError("the line broke before the answer came")
        return platform_id

    def _put(self, message: OutboundMessage, platform_id: str, file: bytes | None) -> None:
        if message.kind is MessageKind.REACTION:
            self._mark(message, platform_id)
            return
        if message.kind is MessageKind.REDACTION:
            self._take_away(message.replaced_event or "")
            return
        place, thread = message.to.place, message.to.thread
        if message.replaced_event is not None:
            self.standing = [
                replace(one, text=message.text, message=message)
                if one.id == message.replaced_event
                else one
                for one in self.standing
            ]
            return
        self.standing.append(
            Standing(platform_id, place, message.text, thread, message=message, file=file)
        )

    def _take_away(self, ours: str) -> None:
        mark = self._ours.pop(ours, None)
        if mark is not None:
            self.marks.remove(mark)
        self.standing = [one for one in self.standing if one.id != ours]

    def _mark(self, message: OutboundMessage, platform_id: str) -> None:
        if not message.reply_to:
            raise UserError("a reaction needs the event that it stands on; reply_to is empty")
        self._ours[platform_id] = (message.reply_to, message.text)
        self.marks.append((message.reply_to, message.text))
        self.shown.append((message.reply_to, message.text))
        former = self._ours.pop(message.former_mark or "", None)
        if former is not None:
            self.marks.remove(former)

    def require_line(self) -> None:
        """Raise TransientError while the line is down."""
        if not self.line_up:
            raise TransientError("the platform is away")

    async def travel(self) -> None:
        """Take as long as the way to the platform takes: no time, unless a test makes it slow."""

    def missed(self, since: int) -> int:
        """Return how many events stand after a position."""
        return len(self._log) - since

    async def read(self, since: int) -> tuple[tuple[Inbound, ...], int]:
        """Return the events after a position, waiting for the first one, and the position after them."""
        await self.travel()
        while True:
            self.require_line()
            if since < len(self._log):
                return tuple(self._log[since:]), len(self._log)
            self._changed.clear()
            await self._changed.wait()


class MemoryConnector:
    """Talks to a ``MemoryPlatform``; its position is the number of events that were read."""

    kind = KIND

    def __init__(self, platform: MemoryPlatform, contents: Contents) -> None:
        self.kind = platform.kind
        self._platform = platform
        self._contents = contents
        self._last_inbound_at: datetime | None = None

    def capabilities(self) -> Capabilities:
        """Return that everything can be shown, in small parts."""
        return Capabilities(
            threads=True,
            html=True,
            reactions=True,
            edits=True,
            typing=True,
            max_bytes=8_000,
            choices=True,
            file_bytes=FILE_BYTES,
        )

    async def health(self) -> ConnectorHealth:
        """Return how the line is."""
        up = self._platform.line_up
        age = datetime.now(UTC) - self._last_inbound_at if self._last_inbound_at else None
        return ConnectorHealth(
            up, authenticated=True, state="up" if up else "away", last_inbound_age=age
        )

    async def send(self, message: OutboundMessage) -> SendResult:
        """Show a message; TransientError while the line is down, UserError for another kind's place."""
        if message.to.kind != self.kind:
            raise UserError(f"kind {message.to.kind!r} is not here; allowed is {self.kind!r}")
        await self._platform.travel()
        return SendResult(
            ReceiptState.ACCEPTED, self._platform.show(message, await self._file(message))
        )

    async def _file(self, message: OutboundMessage) -> bytes | None:
        if not message.files:
            return None
        pieces = [piece async for piece in bytes_of(message.files[0], self._contents)]
        return b"".join(pieces)

    async def fetch(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """Give a file's bytes; TransientError while the line is down, UserError when it is not there."""
        self._platform.require_line()
        content = self._platform.files.get(attachment.reference["event"])
        if content is None:
            raise UserError(f"the file {attachment.name} is no longer there", code="gone")
        for start in range(0, len(content), _PIECE):
            yield content[start : start + _PIECE]

    async def typing(self, address: Address, *, active: bool) -> None:
        """Show that we are at work in a place, or no longer."""
        self._platform.require_line()
        (self._platform.typing.add if active else self._platform.typing.discard)(address.place)

    async def close(self) -> None:
        """Nothing is open between calls."""

    async def subscribe(self, accept: Accept, position: str | None) -> None:
        """Hand on events from ``position``; those that wait there at the start are recovered ones."""
        done = int(position or 0)
        missed = self._platform.missed(done) if position else 0
        while True:
            events, done = await self._platform.read(done)
            batch = InboundBatch(self.kind, events, str(done))
            await accept(_recovered(batch) if missed else batch)
            missed = 0
            self._last_inbound_at = datetime.now(UTC)


def _recovered(batch: InboundBatch) -> InboundBatch:
    """Return a batch marked as read back after downtime, with its account per place."""
    places = Counter(event.source.place for event in batch.events)
    gaps = tuple(Gap(Address(batch.connector, p), count, 0) for p, count in places.items())
    return replace(
        batch, events=tuple(replace(event, recovered=True) for event in batch.events), gaps=gaps
    )
