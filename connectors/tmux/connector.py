"""The default connector: people talk in consoles that are attached to the daemon."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from bot.clock.together import until_one_ends
from bot.connector import Capabilities, ConnectorHealth
from bot.errors import TransientError, UserError
from bot.model import (
    Address,
    Inbound,
    InboundBatch,
    MessageKind,
    OutboundMessage,
    Principal,
    ReceiptState,
    SendResult,
)
from bot.ports import Accept, ConsoleLine
from bot.render.markup import storable
from connectors.tmux.desk import Desk, Outgoing
from connectors.tmux.frames import (
    Hello,
    Line,
    Reaction,
    Refused,
    Said,
    Shown,
    Spoken,
    Status,
    Taken,
    Typing,
    read_from_console,
)

PLACE = Address("tmux", "console")
_CAPABILITIES = Capabilities(
    threads=True, html=False, reactions=True, edits=False, typing=True, max_bytes=64_000
)
_HEARD = 1_000
_PAST = 100  # frames kept for who comes later: some fifty lines and their marks and answers
_REMEMBERED = 2_000

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Heard:
    client_id: str
    event: Inbound


@dataclass(frozen=True, slots=True)
class _Pending:
    frame: Said | Reaction
    shown: "asyncio.Future[Desk]"


def _now() -> datetime:
    return datetime.now(UTC)


class TmuxConnector:
    """Serves every attached console (``bot.ports.Consoles``) as the one place ``tmux:console``.

    A message counts as accepted once one console says that it is shown; consoles know what they have
    shown, so that none shows it twice, also over restarts of this daemon. A person's line is acknowledged
    after ``accept`` returned; until then its console sends it again.
    """

    kind = "tmux"

    def __init__(
        self,
        *,
        patience: timedelta = timedelta(seconds=5),
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._patience = patience
        self._now = now
        self._desks: list[Desk] = []
        self._past: deque[Said | Reaction | Spoken] = deque(maxlen=_PAST)
        self._pending: dict[Key, _Pending] = {}
        self._shown: OrderedDict[Key, SendResult] = OrderedDict()
        self._heard: asyncio.Queue[_Heard] = asyncio.Queue(_HEARD)
        self._in_hand: _Heard | None = None
        self._subscribed = False
        self._last_inbound_at: datetime | None = None
        self._roundtrip_ms: float | None = None
        self._log = structlog.get_logger(part="tmux")

    def capabilities(self) -> Capabilities:
        """Return what a console can show; its HTML form is not used."""
        return _CAPABILITIES

    async def health(self) -> ConnectorHealth:
        """Return how it is; reachable means that a console is attached and heard."""
        count = len(self._attached())
        state = f"{count} console{'' if count == 1 else 's'} attached" if count else "no console"
        age = self._now() - self._last_inbound_at if self._last_inbound_at else None
        return ConnectorHealth(
            reachable=self._subscribed and count > 0,
            authenticated=True,
            state=state if self._subscribed else "not started",
            last_inbound_age=age,
            last_roundtrip_ms=self._roundtrip_ms,
            detail="" if count else "no console is open; `mosaic chat` opens one",
        )

    async def close(self) -> None:
        """Nothing is open between calls."""

    async def send(self, message: OutboundMessage) -> SendResult:
        """Show a message on every attached console and return when one has acknowledged it.

        Raises TransientError when none is attached or none answers in time, UserError for a place that
        this connector does not have.
        """
        frame = self._frame_of(message)
        if frame.key in self._shown:
            return self._shown[frame.key]
        if not self._attached():
            raise TransientError("no console is attached", hint="open one with `mosaic chat`")
        result = await self._show(frame)
        self._shown[frame.key] = result
        if len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)
        return result

    async def _show(self, frame: Said | Reaction) -> SendResult:
        future = asyncio.get_running_loop().create_future()
        pending = self._pending.setdefault(frame.key, _Pending(frame, future))
        begun = time.monotonic()
        try:
            for desk in self._attached():
                self._offer(desk, frame)
            async with asyncio.timeout(self._patience.total_seconds()):
                desk = await asyncio.shield(pending.shown)
        except TimeoutError as error:
            waited = self._patience.total_seconds()
            raise TransientError(f"no console showed the message within {waited:g} s") from error
        finally:
            self._pending.pop(frame.key, None)
        self._roundtrip_ms = (time.monotonic() - begun) * 1000
        self._past.append(frame)
        evidence = {"client_id": desk.client_id, "pid": desk.hello.pid if desk.hello else 0}
        return SendResult(ReceiptState.ACCEPTED, "/".join(map(str, frame.key)), evidence=evidence)

    def _frame_of(self, message: OutboundMessage) -> Said | Reaction:
        if message.to.lane != PLACE.lane:
            raise UserError(f"place {message.to.lane!r} is not here; allowed is {PLACE.lane!r}")
        if message.files:
            raise UserError("a console takes no files; their path is said instead")
        if message.replaced_event is not None:
            raise UserError("a console shows what was said; nothing in it is edited")
        if message.kind is MessageKind.REACTION:
            return Reaction(
                message_id=message.message_id,
                part=message.part,
                mark=message.text,
                event_id=message.reply_to or "",
            )
        return Said(
            message_id=message.message_id,
            part=message.part,
            kind=message.kind,
            text=message.text,
            author=message.author,
            at=self._now(),
            thread=message.to.thread,
            reply_to=message.reply_to,
        )

    async def typing(self, address: Address, *, active: bool) -> None:
        """Show on every console whether somebody is at work."""
        if address.lane == PLACE.lane:
            self._push_to_all(Typing(active=active))

    async def subscribe(self, accept: Accept, position: str | None) -> None:
        """Hand on what people say, one line at a time; consoles keep the position, so there is none here.

        What ``accept`` raises goes on to the caller; the line in hand is offered again first next time.
        """
        self._subscribed = True
        self._log.debug("listening", position=position)
        try:
            while True:
                if self._in_hand is None:
                    self._in_hand = await self._heard.get()
                await accept(InboundBatch(self.kind, (self._in_hand.event,)))
                self._take(self._in_hand)
                self._in_hand = None
        finally:
            self._subscribed = False

    def _take(self, heard: _Heard) -> None:
        event = heard.event
        self._last_inbound_at = self._now()
        spoken = Spoken(
            event_id=event.event_id,
            text=event.text,
            author=event.sender.name,
            at=event.sent_at,
            thread=event.source.thread,
        )
        known = any(
            isinstance(one, Spoken) and one.event_id == event.event_id for one in self._past
        )
        if not known:
            self._past.append(spoken)
        for desk in self._attached():
            if desk.client_id == heard.client_id:
                desk.push(Taken(event_id=event.event_id))
            elif not known:
                desk.push(spoken)

    async def attend(self, principal: Principal, line: ConsoleLine) -> None:
        """Talk with one console until it hangs up or reads too slowly to be talked with."""
        desk = Desk(principal, line)
        self._desks.append(desk)
        try:
            await until_one_ends(desk.write(), self._hear(desk), desk.overrun.wait())
        finally:
            self._desks.remove(desk)
            self._push_to_all(self._status())
            self._log.info("console left", client_id=desk.client_id, consoles=len(self._desks))

    async def _hear(self, desk: Desk) -> None:
        async for values in desk.line.frames():
            try:
                await self._obey(desk, read_from_console(values))
            except UserError as error:
                event_id = values.get("event_id")
                named = event_id if isinstance(event_id, str) else None
                desk.push(Refused(reason=error.message, event_id=named))

    async def _obey(self, desk: Desk, frame: Hello | Line | Shown) -> None:
        match frame:
            case Hello():
                self._welcome(desk, frame)
            case Shown():
                self._acknowledge(desk, frame.key)
            case Line() if desk.hello is None:
                raise UserError("the first frame is `hello`")
            case Line():
                await self._heard.put(_Heard(desk.client_id, self._event_of(desk, frame)))

    def _welcome(self, desk: Desk, hello: Hello) -> None:
        desk.hello = hello
        self._log.info("console attached", client_id=hello.client_id, pid=hello.pid)
        self._push_to_all(self._status())
        for frame in (*self._past, *(one.frame for one in self._pending.values())):
            self._offer(desk, frame)

    def _offer(self, desk: Desk, frame: Said | Reaction | Spoken) -> None:
        """Push a frame unless the console has said that it shows it already."""
        if isinstance(frame, Spoken):
            desk.push(frame)
        elif desk.hello and frame.key in {one.key for one in desk.hello.seen}:
            self._acknowledge(desk, frame.key)
        else:
            desk.push(frame)

    def _acknowledge(self, desk: Desk, key: Key) -> None:
        pending = self._pending.get(key)
        if pending and not pending.shown.done():
            pending.shown.set_result(desk)

    def _event_of(self, desk: Desk, line: Line) -> Inbound:
        text = storable(line.text)
        if not text.strip():
            raise UserError("text: nothing in it can be read")
        source = Address(PLACE.kind, PLACE.place, line.thread)
        return Inbound(line.event_id, source, desk.principal, text, self._now())

    def _attached(self) -> list[Desk]:
        return [desk for desk in self._desks if desk.hello]

    def _status(self) -> Status:
        return Status(consoles=len(self._attached()))

    def _push_to_all(self, frame: Outgoing) -> None:
        for desk in self._attached():
            desk.push(frame)
