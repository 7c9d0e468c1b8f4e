"""The stage on which a connector is tested: a platform with a person, and a journal in memory."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from bot.errors import TransientError
from bot.model import (
    Address,
    Inbound,
    InboundBatch,
    InboundKind,
    MessageKind,
    OutboundMessage,
    ReceiptState,
    derived_id,
)
from bot.ports import Connector, Contents

PATIENCE = 15.0
"""Seconds within which whatever must happen has happened."""

Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True)
class Standing:
    """One thing of ours that a person sees on the platform: its words, and the thread that it is in."""

    text: str
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class StandingFile:
    """A file of ours that a person sees on the platform, as that one opens it."""

    name: str
    content: bytes
    caption: str
    thread: str | None = None


class Stage(Protocol):
    """One place on a platform with one person in it, and the connector under test.

    ``connector`` is the present one; ``restart`` throws it away, as a crash does, and makes another. ``speak``,
    ``send_file``, ``edit``, ``react`` and ``redact`` return the event's id. ``cut`` and ``restore`` take the line
    between connector and platform down and up again. ``speak`` works also while it is down. ``standing`` is what we
    said and the person sees, oldest first, without marks and files; ``files`` are those, and ``marks`` is what of
    ours stands on one event. ``contents`` has the bytes of files that the connector is asked to send.
    """

    place: Address

    @property
    def contents(self) -> Contents: ...

    @property
    def connector(self) -> Connector: ...

    async def speak(self, text: str, thread: str | None = None) -> str: ...

    async def send_file(
        self, name: str, content: bytes, media_type: str, caption: str = ""
    ) -> str: ...

    async def edit(self, event_id: str, text: str) -> str: ...

    async def react(self, event_id: str, mark: str) -> str: ...

    async def redact(self, event_id: str) -> str: ...

    async def standing(self) -> Sequence[Standing]: ...

    async def files(self) -> Sequence[StandingFile]: ...

    async def marks(self, event_id: str) -> Sequence[str]: ...

    async def restart(self) -> None: ...

    async def cut(self) -> None: ...

    async def restore(self) -> None: ...


@dataclass
class Ledger:
    """A journal in memory: each event once, and the position.

    ``faults`` is how often it is away. While ``is_stuck`` it does not come to an end with any events; ``caught`` says
    that there were some.
    """

    position: str | None = None
    events: list[Inbound] = field(default_factory=list)
    faults: int = 0
    is_stuck: bool = False
    caught: bool = False

    async def accept(self, batch: InboundBatch) -> None:
        """Keep what is new of a batch, or raise TransientError and keep nothing of it."""
        if self.faults:
            self.faults -= 1
            raise TransientError("the journal is away")
        if self.is_stuck and batch.events:
            self.caught = True
            await asyncio.Event().wait()
        known = {event.id for event in self.events}
        for event in batch.events:
            if event.id not in known:
                known.add(event.id)
                self.events.append(event)
        self.position = batch.position or self.position

    def texts(self) -> list[str]:
        """Return what was said, in order; edits are left out."""
        return [event.text for event in self.events if event.kind is InboundKind.TEXT]

    async def arrival(self, event_id: str) -> Inbound:
        """Wait for the event of this id."""

        async def find() -> Inbound | None:
            return next((event for event in self.events if event.event_id == event_id), None)

        return await eventually(find)


@contextlib.asynccontextmanager
async def listening(stage: Stage, ledger: Ledger) -> AsyncIterator[None]:
    """Subscribe as the daemon does: again and again from the stored position, until the block ends."""

    async def listen() -> None:
        while True:
            with contextlib.suppress(TransientError):
                await stage.connector.subscribe(ledger.accept, ledger.position)
            await asyncio.sleep(0.05)

    task = asyncio.create_task(listen())
    try:
        await eventually(lambda: is_up(stage))
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def is_up(stage: Stage) -> bool:
    """Tell whether the connector has its platform."""
    return (await stage.connector.health()).reachable


async def eventually(fact: Callable[[], Awaitable[Fact | None]]) -> Fact:
    """Return a fact once it is true; AssertionError when it is not within ``PATIENCE``."""
    deadline = time.monotonic() + PATIENCE
    while True:
        known = await fact()
        if known:
            return known
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {PATIENCE} s: {fact}")
        await asyncio.sleep(0.02)


_numbers = itertools.count(1)


def outbound(stage: Stage, text: str, kind: MessageKind = MessageKind.REPLY) -> OutboundMessage:
    """Return a fresh message to the stage's place."""
    message_id = derived_id("contract", str(time.time_ns()), str(next(_numbers)))
    return OutboundMessage(
        message_id, 0, derived_id("transaction", message_id), stage.place, kind, text
    )


async def deliver(stage: Stage, message: OutboundMessage) -> None:
    """Send as the worker does: again while the platform is away."""

    async def sent() -> bool:
        try:
            return (await stage.connector.send(message)).state is ReceiptState.ACCEPTED
        except TransientError:
            return False

    await eventually(sent)
