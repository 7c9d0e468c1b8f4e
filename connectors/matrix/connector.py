"""The Matrix connector: one account in its rooms."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import structlog

from bot.connector import Capabilities, ConnectorHealth
from bot.enclosure import Attachment, Enclosure
from bot.errors import MosaicError, SetupError, UserError
from bot.files.contents import bytes_of
from bot.model import (
    Address,
    InboundBatch,
    MessageKind,
    OutboundMessage,
    ReceiptState,
    SendResult,
    derived_id,
)
from bot.ports import Accept, Contents
from bot.rooms.devices import Devices, Verification, Verifications
from bot.rooms.ports import Pins, RoomBuilder
from connectors.matrix.building import Building
from connectors.matrix.crypto.cipher import Cipher
from connectors.matrix.crypto.device_list import DeviceList
from connectors.matrix.events import KIND
from connectors.matrix.failures import FORBIDDEN, NO_ROOT, REPEATED_REACTION
from connectors.matrix.gaps import Bounds, GapWalker, Knows
from connectors.matrix.keys import Keys
from connectors.matrix.media import Media
from connectors.matrix.members import Members
from connectors.matrix.pins import RoomPins
from connectors.matrix.privacy import Privacy
from connectors.matrix.read_receipts import ReadReceipts
from connectors.matrix.reader import Reader
from connectors.matrix.recent import Recent
from connectors.matrix.rooms import MayInvite, Report, Rooms
from connectors.matrix.session import Session
from connectors.matrix.sync import HOLD, SyncLoop
from connectors.matrix.upgrades import Moved, Upgrades
from connectors.matrix.verifying import Tell, Verifying
from connectors.matrix.wire import MAX_BYTES, SEALED_LIMIT, WireEvent, to_wire

_TYPING_LASTS = timedelta(seconds=30)
_FRESH = HOLD + timedelta(seconds=20)
_HEALTH_PATIENCE = timedelta(seconds=5)


async def _nothing_known(_event_ids: Sequence[str]) -> frozenset[str]:
    return frozenset()


async def _not_kept(_old: str, _new: str) -> None:
    return None


async def _nobody_told(_verification: Verification) -> None:
    return None


class MatrixConnector:
    """Speaks and listens as one Matrix account (implements Connector, ShowsTyping, FetchesFiles and HasRooms).

    ``room_id`` is the primary room, ``may_invite`` says whose invitations are followed, ``report`` tells
    the operators something that cannot be said where it happened. ``keys`` says where the device's keys are: without
    them encrypted rooms are closed to us, and with them nothing is said there but encrypted; ``verified`` is told of
    verifications, step by step. Nothing is requested before
    the first call; ``close`` ends it. ``contents`` has the bytes of files that are sent, ``read_receipts`` is public,
    private or off. ``knows`` tells which events were read before, ``successors`` which rooms took over from which in
    earlier lives; of a new one ``moved`` is told.
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
        contents: Contents,
        device_id: str | None = None,
        knows: Knows = _nothing_known,
        successors: Mapping[str, str] = MappingProxyType({}),
        moved: Moved = _not_kept,
        keys: Keys | None = None,
        verified: Tell = _nobody_told,
        bounds: Bounds | None = None,
        hold: timedelta = HOLD,
        read_receipts: str = "public",
    ) -> None:
        self._session = session = Session(homeserver_url, user_id, access_token, device_id)
        members = Members(session)
        self._cipher = cipher = None if keys is None else Cipher(session, members, keys)
        self._privacy = Privacy(session, members, cipher, report)
        upgrades = Upgrades(session, report, successors, moved=moved, farewell=self._say_farewell)
        hindrance = self._privacy.hindrance
        self._rooms = Rooms(
            session, room_id, may_invite, report, upgrades=upgrades, hindrance=hindrance
        )
        if cipher is not None and keys is not None:
            self._privacy.verifying = Verifying(
                cipher,
                self._rooms,
                may=may_invite,
                tell=verified,
                say=self._say,
                lasts=keys.comparison,
            )
        self._contents = contents
        self._media = Media(session)
        bounds = bounds or Bounds()
        walker = GapWalker(session, bounds, knows)
        self._reader = Reader(user_id, self._rooms, walker, self._privacy)
        self._loop = SyncLoop(
            session, self._rooms, self._reader, self._privacy, recent=bounds.recent, hold=hold
        )
        self._turns: dict[str, asyncio.Lock] = {}
        self.builder: RoomBuilder = Building(self._session)
        self.pins: Pins = RoomPins(self._session)
        self._recent = Recent()
        self._read = ReadReceipts(self._session, read_receipts)
        self._last_inbound: float | None = None
        self._subscribed = False
        self._log = structlog.get_logger(part=KIND)

    async def send(self, message: OutboundMessage) -> SendResult:
        """Show a message and return the event's id; calls for one room are done in the order made.

        A mark stands before the one that it takes the place of is withdrawn. What was to be said in a room that
        was replaced is said in the one that took over.

        Raises UserError for an encrypted room without keys, one where we may not speak, and an event that is too large;
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
        async with self._turns.setdefault(room_id, asyncio.Lock()):
            if message.kind is MessageKind.REDACTION:
                return await self._take_away(message)
            event_id = await self._place(message)
            if message.former_mark is not None:
                await self._withdraw(message, message.former_mark)
        if event_id is None:
            return SendResult(ReceiptState.ACCEPTED, evidence={"already_there": True})
        return SendResult(ReceiptState.ACCEPTED, event_id, evidence={"event_id": event_id})

    async def _take_away(self, message: OutboundMessage) -> SendResult:
        event_id = message.replaced_event or ""
        await self._session.withdraw(message.to.place, event_id, message.transaction_id)
        return SendResult(ReceiptState.ACCEPTED, evidence={"redacted": event_id})

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

    async def _upload(self, message: OutboundMessage) -> dict[str, Any] | None:
        """Upload a message's file, encrypted if its room is, and return where it is; None without one.

        After a crash it is uploaded again, and the transaction id lets one event tell of it.
        """
        if not message.files:
            return None
        file, room_id = message.files[0], message.to.place
        sealed = await self._rooms.is_encrypted(room_id)
        where = await self._put(file, sealed=sealed)
        if not sealed and await self._rooms.is_encrypted(room_id):
            where = await self._put(
                file, sealed=True
            )  # it turned meanwhile: no event tells of the clear one
        return where

    async def _put(self, file: Enclosure, *, sealed: bool) -> dict[str, Any]:
        chunks = bytes_of(file, self._contents)
        return await self._media.put(chunks, file.size, file.name, file.media_type, sealed=sealed)

    def fetch(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """Give a file's bytes, opened if it was encrypted (see FetchesFiles)."""
        return self._media.get(attachment.reference)

    async def _place(self, message: OutboundMessage) -> str | None:
        """Show a message in its thread; below an event that can begin none, as a plain answer to that one."""
        end = self._recent.end_of_thread(message)
        await self._refuse_closed(message.to.place)
        where = await self._upload(message)
        try:
            event_id = await self._show(message, end, where)
        except UserError as error:
            if message.to.thread is None or NO_ROOT not in error.message:
                raise
            plain = replace(message, to=replace(message.to, thread=None))
            return await self._show(plain, None, where)
        if message.kind is not MessageKind.REACTION and event_id is not None:
            self._recent.say(message, event_id)
        return event_id

    async def _refuse_closed(self, room_id: str) -> None:
        """Raise what keeps us out of an encrypted room; a room without encryption is open."""
        if await self._rooms.is_encrypted(room_id):
            await self._privacy.ready()
            await self._rooms.refuse_closed(room_id)

    async def _event(
        self, message: OutboundMessage, end: str | None, where: dict[str, Any] | None
    ) -> WireEvent:
        """Return the event of a message as it may stand in its room."""
        room_id, mentioned = message.to.place, self._recent.mentioned(message)
        if not await self._rooms.is_encrypted(room_id):
            return to_wire(message, mentioned, end, where)
        await self._refuse_closed(room_id)
        event = to_wire(message, mentioned, end, where, limit=SEALED_LIMIT)
        return await self._privacy.seal(room_id, self._rooms.rules(room_id), event)

    async def _say(self, room_id: str, event_type: str, content: dict[str, Any]) -> None:
        """Send an event of no message, as it may stand in its room."""
        event = WireEvent(event_type, content)
        if await self._rooms.is_encrypted(room_id):
            await self._refuse_closed(room_id)
            event = await self._privacy.seal(room_id, self._rooms.rules(room_id), event)
        await self._session.say(room_id, event.type, event.content, uuid.uuid4().hex)

    async def _show(
        self, message: OutboundMessage, end: str | None, where: dict[str, Any] | None
    ) -> str | None:
        """Send an event and return its id; None for a mark of ours that stands there already."""
        event = await self._event(message, end, where)
        try:
            return await self._session.say(
                message.to.place, event.type, event.content, message.transaction_id
            )
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
            if batch.events:
                self._last_inbound = time.monotonic()
            self._recent.hear(batch.events)
            await accept(batch)
            self._read.stored(batch.events)

        self._subscribed = True
        reading = asyncio.create_task(self._read.run())
        try:
            await self._session.identify()
            await self._privacy.ready()
            await self._media.ask_limit()
            await self._rooms.enter_primary()
            await self._loop.run(hand_over, position)
        finally:
            self._subscribed = False
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def typing(self, address: Address, *, active: bool) -> None:
        """Show that we are at work, for at most 30 s; a signal that does not get through is dropped."""
        try:
            room_id = self._rooms.upgrades.current(address.place)
            if not await self._rooms.is_closed(room_id):
                await self._session.typing(room_id, active=active, lasting=_TYPING_LASTS)
        except MosaicError as error:
            self._log.debug("typing not shown", room_id=address.place, error=error.message)

    def is_out(self, address: Address) -> bool:
        """Return whether an address is the primary room and we are known to be out of it."""
        return self._rooms.is_out and self._rooms.upgrades.current(address.place) == (
            self._rooms.primary
        )

    async def is_encrypted(self, address: Address) -> bool:
        """Return whether what is said there is encrypted."""
        return await self._rooms.is_encrypted(self._rooms.upgrades.current(address.place))

    @property
    def devices(self) -> Devices | None:
        """The devices of people in encrypted rooms; None without keys."""
        return None if self._cipher is None else DeviceList(self._cipher)

    @property
    def verifications(self) -> Verifications | None:
        """The verifications of devices; None without keys."""
        return self._privacy.verifying

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
            file_bytes=self._media.limit,
            most_parts=1,
            rooms=True,
            encrypts=self._privacy.hindrance(speaking=True) is None,
        )

    async def close(self) -> None:
        """Close the connections for good; what is still asked for is a TransientError."""
        self._privacy.close()
        await self._session.close()

    def _health(
        self, state: str, *, reachable: bool, authenticated: bool, why: str = ""
    ) -> ConnectorHealth:
        notes = ([why] if why else []) + [*self._rooms.notes, *self._privacy.notes]
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
            safe_mode=not self._privacy.is_safe,
        )
