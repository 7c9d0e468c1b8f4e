"""What may be read and said in encrypted rooms, with a cipher or without one."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog

from bot.errors import MosaicError
from bot.model import Address, Unreadable
from connectors.matrix.answers import RoomEvent
from connectors.matrix.crypto.cipher import Cipher
from connectors.matrix.crypto.machine import UnreadableError
from connectors.matrix.events import ENCRYPTED, KIND, MESSAGE, REACTION, principal
from connectors.matrix.members import Members
from connectors.matrix.rooms import NO_KEYS, Rooms
from connectors.matrix.session import Session
from connectors.matrix.wire import WireEvent

_PATIENCE = timedelta(seconds=30)
"""A key comes with the message or a moment later; when it did not within this time, people are told."""


class Privacy:
    """Between rooms and cipher. Without a cipher every encrypted room is closed to us."""

    def __init__(
        self,
        session: Session,
        members: Members,
        cipher: Cipher | None,
        patience: timedelta = _PATIENCE,
    ) -> None:
        self.members = members
        self._session = session
        self._cipher = cipher
        self._patience = patience
        self._late: list[tuple[str, RoomEvent]] = []
        self._refused: list[Unreadable] = []
        self._told: set[tuple[str, str, str]] = set()
        self._log = structlog.get_logger(part=KIND)

    def hindrance(self) -> str | None:
        """Say why encrypted rooms are closed to us, None when they are not."""
        return NO_KEYS if self._cipher is None else self._cipher.unsafe

    @property
    def notes(self) -> Sequence[str]:
        """What an operator should know, one sentence each."""
        return () if self._cipher is None else self._cipher.notes

    async def ready(self) -> None:
        """Open the keys, once the session knows its device; raises what the cipher raises."""
        if self._cipher is not None:
            await self._cipher.open()

    def close(self) -> None:
        """Close the keys; harmless when they are not open."""
        if self._cipher is not None:
            self._cipher.close()

    # -- reading ---------------------------------------------------------------------------------------

    async def take(self, told: Mapping[str, Any]) -> None:
        """Take in what a sync says of devices and keys; it is stored when this returns."""
        if self._cipher is not None:
            self._late = [(one.room_id, one.event) for one in await self._cipher.take(told)]

    def late(self) -> Sequence[tuple[str, RoomEvent]]:
        """Return what could be read only now, with its room."""
        return self._late

    def handed_over(self) -> None:
        """Note that the batch with what came late is in the journal."""
        self._late = []
        self._refused = []
        if self._cipher is not None:
            self._cipher.handed_over()

    async def open(self, room_id: str, event: RoomEvent) -> RoomEvent | None:
        """Return an event as its sender wrote it; None when it cannot be read now, which is noted."""
        if event.type != ENCRYPTED or self._cipher is None:
            return event
        try:
            return await self._cipher.decrypt(room_id, event)
        except UnreadableError as error:
            self._log.warning("unreadable", event_id=event.event_id, why=error.reason)
            if not error.may_come and event.sender != self._session.user_id:
                self._refuse(room_id, event, error.reason)
            return None

    def _refuse(self, room_id: str, event: RoomEvent, why: str) -> None:
        """Note what will never be read, once for a sender's key."""
        known = (room_id, event.sender, str(event.content.get("session_id")))
        if known not in self._told:
            self._told.add(known)
            self._refused.append(_unreadable(room_id, event.sender, event.event_id, why))

    def unreadable(self) -> Iterator[Unreadable]:
        """Give what people should be told of now."""
        yield from self._refused
        overdue = () if self._cipher is None else self._cipher.overdue(self._patience)
        for one in overdue:
            yield _unreadable(
                one.room_id, one.sender, one.event["event_id"], "its key has not come"
            )

    # -- speaking --------------------------------------------------------------------------------------

    async def seal(self, room_id: str, rules: Mapping[str, Any], event: WireEvent) -> WireEvent:
        """Return an event as it may stand in an encrypted room.

        A reaction stays as it is: its relation is readable there for everybody anyway, and clients send it so.
        """
        if event.type == REACTION or self._cipher is None:
            return event
        content = await self._cipher.encrypt(room_id, rules, event.type, event.content)
        return WireEvent(ENCRYPTED, content)

    async def take_back(self, room_id: str, events: Sequence[RoomEvent], rooms: Rooms) -> None:
        """Withdraw what we said in clear text after a room was encrypted: it crossed the change on its way."""
        for event in events:
            if event.sender != self._session.user_id or event.type != MESSAGE or not event.content:
                continue
            try:
                await self._session.withdraw(room_id, event.event_id, f"{event.event_id}-back")
            except MosaicError as error:
                self._log.warning("not withdrawn", event_id=event.event_id, error=error.message)
            await rooms.report(
                f"What I said in {room_id} crossed the moment at which that room was encrypted, so it stood there"
                " in clear text. I have withdrawn it."
            )


def _unreadable(room_id: str, sender: str, event_id: str, why: str) -> Unreadable:
    return Unreadable(Address(KIND, room_id), principal(sender), event_id, why)
