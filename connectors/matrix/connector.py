"""The Matrix connector: one account in its rooms."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

import structlog

from bot.errors import MosaicError, SetupError, UserError
from bot.model import (
    Address,
    Capabilities,
    ConnectorHealth,
    InboundBatch,
    MessageKind,
    OutboundMessage,
    ReceiptState,
    SendResult,
    derived_id,
)
from bot.ports import Accept
from connectors.matrix.events import KIND
from connectors.matrix.failures import FORBIDDEN, REPEATED_REACTION
from connectors.matrix.gaps import Bounds, GapWalker, Knows
from connectors.matrix.reader import Reader
from connectors.matrix.rooms import MayInvite, Report, Rooms
from connectors.matrix.session import Session
from connectors.matrix.sync import HOLD, SyncLoop
from connectors.matrix.upgrades import Moved, Upgrades
from connectors.matrix.wire import MAX_BYTES, WireEvent, to_wire

_TYPING_LASTS = timedelta(seconds=30)
_REMEMBERED = 1000
_FRESH = HOLD + timedelta(seconds=20)
_HEALTH_PATIENCE = timedelta(seconds=5)


async def _nothing_known(_event_ids: Sequence[str]) -> frozenset[str]:
    return frozenset()


async def _not_kept(_old: str, _new: str) -> None:
    return None


class MatrixConnector:
    """Speaks and listens as one Matrix account (implements Connector and ShowsTyping).

    ``room_id`` is the primary room, ``may_invite`` says whose invitations are followed, ``report`` tells
    the operators something that cannot be said where it happened. It works with rooms without
    encryption only and refuses to speak in others. Nothing is requested before the first call; ``close``
    ends it. ``knows`` tells which events were read before, ``successors`` which rooms took over from which in earlier
    lives; of a new one ``moved`` is told.
    """

    kind = KIND

    def __init__(
        self,
        homeserver_url: str,
        user_id: str,
        room_id: str,
        access_token: str,
        *,
        may_invite: MayInvite,
        report: Report,
        device_id: str | None = None,
        knows: Knows = _nothing_known,
        successors: Mapping[str, str] = MappingProxyType({}),
        moved: Moved = _not_kept,
        bounds: Bounds | None = None,
        hold: timedelta = HOLD,
    ) -> None:
        self._session = Session(homeserver_url, user_id, access_token, device_id)
        upgrades = Upgrades(
            self._session, report, successors, moved=moved, farewell=self._say_farewell
        )
        self._rooms = Rooms(self._session, room_id, may_invite, report, upgrades)
        bounds = bounds or Bounds()
        self._reader = Reader(user_id, self._rooms, GapWalker(self._session, bounds, knows))
        self._loop = SyncLoop(
            self._session, self._rooms, self._reader, recent=bounds.recent, hold=hold
        )
        self._turns: dict[str, asyncio.Lock] = {}
        self._authors: OrderedDict[str, str] = OrderedDict()
        self._last_inbound: float | None = None
        self._subscribed = False
        self._log = structlog.get_logger(part=KIND)

    async def send(self, message: OutboundMessage) -> SendResult:
        """Show a message and return the event's id; calls for one room are done in the order made.

        A mark stands before the one that it takes the place of is withdrawn. What was to be said in a room that
        was replaced is said in the one that took over.

        Raises UserError for an encrypted room, one where we may not speak, and an event that is too large;
        TransientError (with the server's own wait, if it gave one) and SetupError otherwise. What is to be said in
        a room that we are not in waits so for an invitation.
        """
        if message.to.kind != KIND:
            raise UserError(f"{message.to} is no place on Matrix")
        forwarded = self._rooms.upgrades.forward(message)
        if forwarded is None:
            reason = "not shown: the room that it belongs to was replaced"
            return SendResult(ReceiptState.UNKNOWN, by=None, reason=reason)
        try:
            return await self._send(forwarded)
        except UserError as error:
            if error.code == FORBIDDEN:
                await self._rooms.refuse_outside(forwarded.to.place)
            raise

    async def _send(self, message: OutboundMessage) -> SendResult:
        room_id = message.to.place
        mentioned = self._authors.get(message.reply_to) if message.reply_to else None
        event = to_wire(message, mentioned)
        async with self._turns.setdefault(room_id, asyncio.Lock()):
            await self._rooms.refuse_encrypted(room_id)
            event_id = await self._show(room_id, event, message.transaction_id)
            if message.former_mark is not None:
                await self._withdraw(message, message.former_mark)
        if event_id is None:
            return SendResult(ReceiptState.ACCEPTED, evidence={"already_there": True})
        return SendResult(ReceiptState.ACCEPTED, event_id, evidence={"event_id": event_id})

    async def _say_farewell(self, old: str, new: str) -> None:
        """Say in a room that was replaced where it goes on, if it still lets us."""
        message_id = derived_id("farewell", old, new)
        text = f"This room was replaced, and I go on in {new}. What was said here stays as history."
        kind = MessageKind.NOTICE
        message = OutboundMessage(message_id, 0, message_id, Address(KIND, old), kind, text)
        try:
            await self._send(message)
        except MosaicError as error:
            self._log.info("no farewell", room_id=old, error=error.message)

    async def _show(self, room_id: str, event: WireEvent, transaction_id: str) -> str | None:
        """Send an event and return its id, None for a mark of ours that stands there already."""
        try:
            return await self._session.say(room_id, event.type, event.content, transaction_id)
        except UserError as error:
            if error.code != REPEATED_REACTION:
                raise
            return None

    async def _withdraw(self, message: OutboundMessage, former: str) -> None:
        """Take our former mark away; where the room does not let us, both stand there."""
        try:
            await self._session.withdraw(
                message.to.place, former, f"{message.transaction_id}-former"
            )
        except UserError as error:
            self._log.info("former mark stays", event_id=former, error=error.message)

    async def subscribe(self, accept: Accept, position: str | None) -> None:
        """Hand every batch to ``accept``; outages after the first contact are waited out here."""

        async def hand_over(batch: InboundBatch) -> None:
            self._remember(batch)
            await accept(batch)

        self._subscribed = True
        try:
            await self._session.identify()
            await self._rooms.enter_primary()
            await self._loop.run(hand_over, position)
        finally:
            self._subscribed = False

    async def typing(self, address: Address, *, active: bool) -> None:
        """Show that we are at work, for at most 30 s; a signal that does not get through is dropped."""
        try:
            room_id = self._rooms.upgrades.current(address.place)
            if not await self._rooms.is_encrypted(room_id):
                await self._session.typing(room_id, active=active, lasting=_TYPING_LASTS)
        except MosaicError as error:
            self._log.debug("typing not shown", room_id=address.place, error=error.message)

    def is_out(self, address: Address) -> bool:
        """Return whether an address is the primary room and we are known to be out of it."""
        return self._rooms.is_out and self._rooms.upgrades.current(address.place) == (
            self._rooms.primary
        )

    async def health(self) -> ConnectorHealth:
        """Return how it is; asks the homeserver only when the loop has not heard from it lately.

        While subscribed it is ``reachable`` once the first sync was handed over: what is said from then
        on is heard.
        """
        heard = self._loop.answered
        if heard and not self._loop.failure and time.monotonic() - heard < _FRESH.total_seconds():
            return self._health("listening", reachable=True, authenticated=True)
        try:
            await self._session.identify(_HEALTH_PATIENCE)
        except SetupError as error:
            return self._health("refused", reachable=True, authenticated=False, why=error.message)
        except MosaicError as error:
            return self._health("away", reachable=False, authenticated=False, why=error.message)
        if self._subscribed and self._loop.answered is None:
            why = self._loop.failure or ""
            return self._health("connecting", reachable=False, authenticated=True, why=why)
        why = self._loop.failure or ""
        return self._health("reachable", reachable=True, authenticated=True, why=why)

    def capabilities(self) -> Capabilities:
        """Return what Matrix can show."""
        return Capabilities(
            threads=True,
            html=True,
            reactions=True,
            edits=True,
            typing=True,
            max_bytes=MAX_BYTES,
            choices=True,
        )

    async def close(self) -> None:
        """Close the connections for good; what is still asked for is a TransientError."""
        await self._session.close()

    def _health(
        self, state: str, *, reachable: bool, authenticated: bool, why: str = ""
    ) -> ConnectorHealth:
        notes = ([why] if why else []) + list(self._rooms.notes)
        age = None
        if self._last_inbound is not None:
            age = timedelta(seconds=time.monotonic() - self._last_inbound)
        return ConnectorHealth(
            reachable=reachable,
            authenticated=authenticated,
            state=state,
            last_inbound_age=age,
            last_roundtrip_ms=self._session.last_roundtrip_ms,
            gap=self._reader.last_gap,
            detail="; ".join(notes),
        )

    def _remember(self, batch: InboundBatch) -> None:
        """Keep who wrote the newest events, so that an answer can mention them."""
        if batch.events:
            self._last_inbound = time.monotonic()
        for event in batch.events:
            self._authors[event.event_id] = event.sender.id.removeprefix(f"{KIND}:")
        while len(self._authors) > _REMEMBERED:
            self._authors.popitem(last=False)
