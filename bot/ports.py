"""The seams: what the middle needs from the edges. Every one has a fake that passes the same suite."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from bot.agent_record import AgentRecord
from bot.asked import Kept, Offered
from bot.connector import Capabilities, ConnectorHealth
from bot.enclosure import Attachment
from bot.model import (
    Address,
    Decision,
    Delivery,
    Inbound,
    InboundBatch,
    Letter,
    Message,
    OutboundMessage,
    Principal,
    Receipt,
    ReceiptState,
    SendResult,
    Via,
)

Accept = Callable[[InboundBatch], Awaitable[None]]


class Part(Protocol):
    """A piece of the daemon with a life of its own.

    ``run`` opens what it needs, calls ``ready(detail)`` when it works, goes on until cancelled and closes
    what it opened. It raises TransientError to be started again soon, SetupError to be started again
    rarely, since a person must act first. After either the rest of the daemon goes on.
    """

    name: str

    async def run(self, ready: Callable[[str], None]) -> None: ...


class Connector(Protocol):
    """One way people reach the orchestrator. Idempotent by transaction id.

    ``send`` raises TransientError when the same call may work later, and UserError when this message can never be
    shown there; one with a ``replaced_event`` takes that event's place, where the platform can edit. ``subscribe``
    runs until cancelled: it hands every batch to ``accept`` and goes on from the stored position only after
    ``accept`` returned. It raises SetupError when a person must act (no token, wrong account) and TransientError when
    the platform is away. ``close`` ends what is still open when all calls are over.
    """

    kind: str

    async def send(self, message: OutboundMessage) -> SendResult: ...

    async def subscribe(self, accept: Accept, position: str | None) -> None: ...

    async def health(self) -> ConnectorHealth: ...

    def capabilities(self) -> Capabilities: ...

    async def close(self) -> None: ...


@runtime_checkable
class LooksBack(Protocol):
    """A connector whose platform forgets within minutes what a transaction id has shown."""

    async def send_again(self, message: OutboundMessage, first_tried_at: datetime) -> SendResult:
        """Send what may have been shown by an earlier try, unless it is found there; else as ``send``.

        Where nobody can tell whether it was shown, it is not sent, and the result is ``unknown``.
        """
        ...


class ShowsTyping(Protocol):
    """A connector that can show that we are at work; a lost signal harms nobody."""

    async def typing(self, address: Address, *, active: bool) -> None: ...


@runtime_checkable
class KnowsWhenItIsOut(Protocol):
    """A connector that can be put out of its own place."""

    def is_out(self, address: Address) -> bool: ...


@runtime_checkable
class KnowsEncryption(Protocol):
    """A connector some of whose places are encrypted."""

    async def is_encrypted(self, address: Address) -> bool: ...


class Contents(Protocol):
    """The bytes of files, written once and never changed; kept where every host of the fleet reaches them."""

    async def keep(self, content_id: str, chunks: AsyncIterator[bytes]) -> int:
        """Store bytes under an id, in pieces as they come, and return how many there are.

        What ``chunks`` raises is raised, and nothing is kept; an id that is there is written anew.
        """
        ...

    def read(self, content_id: str) -> AsyncIterator[bytes]:
        """Give the bytes in bounded pieces; UserError ``gone`` when they are not kept (any more)."""
        ...


class FetchesFiles(Protocol):
    """A connector to which people send files."""

    def fetch(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """Give a file's bytes in pieces, in clear.

        Only when it ends without an error the bytes are what was sent: UserError when they are not, or are no
        longer there; TransientError when the same call may work later.
        """
        ...


class Presence(Protocol):
    """Shows in a place that work is going on, for as long as the context lasts (best effort)."""

    def working(self, address: Address) -> AbstractAsyncContextManager[None]: ...


class ConsoleLine(Protocol):
    """One attached operator's console: JSON frames both ways; ``frames`` ends when it hangs up."""

    async def push(self, frame: dict[str, Any]) -> None: ...

    def frames(self) -> AsyncIterator[dict[str, Any]]: ...


class Consoles(Protocol):
    """Whoever serves the operators' consoles (the tmux connector)."""

    async def attend(self, principal: Principal, line: ConsoleLine) -> None:
        """Talk with one console until it hangs up."""
        ...


class Carrier(Protocol):
    """Takes one delivery to its end: a connector, or the door into an agent's terminal.

    ``record`` stores a receipt at once; a carrier that puts bytes where they cannot be taken back must record TYPED
    right before it does, and must not if that is refused (Outbox.record). Raises TransientError to be called again,
    UserError to give up.
    """

    async def carry(
        self, delivery: Delivery, record: Callable[[Receipt], Awaitable[None]]
    ) -> SendResult: ...


class Journal(Protocol):
    """Everything that came in, in order, each event once."""

    async def accept(
        self, batch: InboundBatch, letters: Sequence[Letter] = ()
    ) -> Sequence[Inbound]:
        """Store the batch's events, its position and what is said of it in one transaction.

        Returns the events not seen before, in the batch's order.
        """
        ...

    async def pending(self, limit: int) -> Sequence[Inbound]:
        """Return the oldest events that nobody has begun, in the order they came."""
        ...

    async def begin(self, inbound: Inbound, token: str) -> bool:
        """Mark an event as being handled, for good: true for the one caller whose token it now bears.

        The text it has here is what is run, and what ``interrupted`` names.
        """
        ...

    async def finish(self, inbound: Inbound, letters: Sequence[Letter], outcome: str) -> None:
        """Store what is said in answer and that the event is done, in one transaction; repeatable.

        ``outcome`` is one of done, failed, refused, ignored, interrupted, withdrawn.
        """
        ...

    async def interrupted(self, token: str) -> Sequence[Inbound]:
        """Return events that were begun under another token than this and never finished."""
        ...


class Revisions(Protocol):
    """How people changed what they had said before."""

    async def of(self, source: Address, event_id: str) -> Sequence[Inbound]:
        """Return edits and redactions of an event in its place, whoever sent them, in the order they came.

        An edit that was redacted itself is left out.
        """
        ...


class Positions(Protocol):
    """Where each connector goes on reading."""

    async def position(self, connector: str) -> str | None: ...

    async def known(self, connector: str, event_ids: Sequence[str]) -> frozenset[str]:
        """Return those of a platform's event ids that the journal has."""
        ...


class Successions(Protocol):
    """Which places took over from others, such as the room that a Matrix room was upgraded to."""

    async def note(self, old: Address, new: Address) -> None:
        """Keep that one place took over from another; repeatable, and the first word counts."""
        ...

    async def known(self, kind: str) -> Mapping[str, str]:
        """Return a platform's old places with the ones that took over from them."""
        ...


class Outbox(Protocol):
    """Messages with their deliveries and receipts: the queue, and the record for ever."""

    async def store(self, letters: Sequence[Letter]) -> None:
        """Store letters with receipt ``stored`` and their deliveries; an id already there is left alone.

        An edit that waits and that nobody holds ends with ``failed`` when a newer one of the same message comes.
        """
        ...

    async def claim(
        self, carriers: Sequence[str], owner: str, lease: timedelta
    ) -> Sequence[Delivery]:
        """Lease the delivery at the head of every lane of these carriers that is due.

        ``owner`` is ``NAME LIFE``: a lease that the same name took in an earlier life is void.
        """
        ...

    async def settle(self, delivery: Delivery, receipt: Receipt, platform_id: str | None) -> None:
        """End a delivery with its last receipt (state FAILED makes it a dead letter)."""
        ...

    async def postpone(
        self, delivery: Delivery, wait: timedelta, reason: str, *, anew: bool = False
    ) -> None:
        """Give a delivery back to be tried again after ``wait``; it keeps its place in its lane.

        ``anew``: the time after which it is given up begins again.
        """
        ...

    async def record(self, receipt: Receipt) -> None:
        """Add a receipt to a message. TYPED is the permit to type, asked for right before the first byte.

        PausedError when a pause forbids to type it: a freeze forbids all, any pause what the supervisor says.
        UserError ``withdrawn`` when its delivery has ended or was taken back. After either it is not typed.
        """
        ...

    async def withdraw(self, message_id: str, reason: str) -> bool:
        """End mail to an agent that was not typed, for good: its last receipt says ``withdrawn: REASON``.

        False, and nothing is changed, when it may have been typed or has ended.
        """
        ...

    async def shown(self, kind: str, platform_ids: Sequence[str]) -> frozenset[str]:
        """Return those of a platform's ids under which something of ours is known to stand there."""
        ...


class Offers(Protocol):
    """What messages of ours offer, and which offer was chosen. They are stored with their message."""

    async def find(self, reaction: Inbound) -> Offered | None:
        """Return the offer that a reaction means, None when it stands on nothing that has one by that mark.

        The message must stand in the reaction's own place.
        """
        ...

    async def take(self, offered: Offered, reaction: Inbound) -> bool:
        """Choose an offer, unless its time is over or one of its message's was chosen by another reaction."""
        ...


class Correspondence(Protocol):
    """What people ask of messages: their story, and the ones that were given up."""

    async def message(self, id_prefix: str) -> Message | None:
        """Return the one message whose id begins so; UserError when several do."""
        ...

    async def receipts(self, message_id: str) -> Sequence[Receipt]: ...

    async def dead(self, limit: int) -> Sequence[tuple[Delivery, str]]:
        """Return deliveries that were given up, newest first, with the reason."""
        ...

    async def retry(self, message_id: str) -> int:
        """Put a message's dead deliveries back in line; return how many."""
        ...

    async def unanswered(self, carrier: str) -> Sequence[tuple[Message, ReceiptState]]:
        """Return mail of this carrier that was typed or accepted and has no answer yet."""
        ...


class Audit(Protocol):
    """Who asked for what, and which rule decided."""

    async def note(
        self, principal: Principal, action: str, resource: str, via: Via, decision: Decision
    ) -> None: ...

    async def last(self, principal_id: str | None, limit: int) -> Sequence[dict[str, Any]]: ...


class Confirmations(Protocol):
    """Destructive commands that wait for a yes."""

    async def ask(
        self,
        code: str,
        principal_id: str,
        line: str,
        lifetime: timedelta,
        preview_id: str | None = None,
    ) -> None: ...

    async def take(self, code: str, principal_id: str) -> Kept | None:
        """Return the line that waits under this code for this person, once, in time or too late; else None."""
        ...


class Fleet(Protocol):
    """The agents on this host. A name that the roster does not have is a UserError."""

    async def start(self, name: str | None) -> Sequence[AgentRecord]: ...

    async def stop(self, name: str | None) -> Sequence[AgentRecord]: ...

    async def observe(self) -> Sequence[AgentRecord]: ...

    def roster(self) -> Sequence[dict[str, Any]]:
        """Return the roster's agents as plain data, in the file's order."""
        ...

    def orchestrator(self) -> Address | None:
        """Return the address of the agent that people talk to, None when the roster has none."""
        ...

    def address(self, name: str, host: str | None) -> Address:
        """Return where mail to an agent goes; ``name`` may be its alias, ``host`` None as the roster says.

        UserError ``unknown_agent`` for one that the roster does not have here; whether another host has
        one, only its own daemon knows.
        """
        ...


class Tenure(Protocol):
    """Who may be what there may be only one of, over all daemons of a database."""

    def hold(self, name: str) -> AbstractAsyncContextManager[asyncio.Event]:
        """Hold a name for the length of the block; what it lends is set should it be lost before the end.

        SetupError while somebody else holds it. It goes with its holder's process, however that ends.
        """
        ...


class Panes(Protocol):
    """Which agent a process belongs to: what peer credentials are worth."""

    async def agent_of(self, pid: int) -> Principal | None:
        """Return the agent below whose pane the process runs, None when it runs elsewhere."""
        ...
