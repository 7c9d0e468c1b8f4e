"""What may be read and said in encrypted rooms, with a cipher or without one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bot.errors import UserError
from bot.model import Address, Unreadable
from connectors.matrix.answers import RoomEvent
from connectors.matrix.crypto.cipher import Cipher
from connectors.matrix.crypto.deciphering import UnreadableError
from connectors.matrix.events import ENCRYPTED, KIND, MESSAGE, REACTION, principal
from connectors.matrix.members import Members
from connectors.matrix.rooms import Report
from connectors.matrix.session import Session
from connectors.matrix.verifying import Verifying
from connectors.matrix.wire import WireEvent

_NO_KEYS = "I have no keys to encrypt with: give me MATRIX_PICKLE_KEY"
_IN_CLEAR = "it was not encrypted, and in an encrypted room nobody can say who wrote such words"


@dataclass(frozen=True, slots=True)
class Spoken:
    """An event of a room that we are in; ``private`` says that it was encrypted when the event came there."""

    event: RoomEvent
    private: bool


class Privacy:
    """Between rooms and cipher. Without a cipher every encrypted room is closed to us.

    ``report`` tells the operators what they must know of devices and of what was withdrawn; ``verifying`` is given what
    belongs to verifications.
    """

    def __init__(
        self,
        session: Session,
        members: Members,
        cipher: Cipher | None,
        report: Report,
    ) -> None:
        self.verifying: Verifying | None = None
        self.members = members
        self._session = session
        self._cipher = cipher
        self._report = report
        self._late: Sequence[tuple[str, RoomEvent]] = ()
        self._reported: set[object] = set()
        self._log = structlog.get_logger(part=KIND)

    def hindrance(self, *, speaking: bool) -> str | None:
        """Say why we cannot read in encrypted rooms, or not speak there; None when we can."""
        if self._cipher is None:
            return _NO_KEYS
        return self._cipher.unsafe if speaking else None

    @property
    def is_safe(self) -> bool:
        """Whether all that was set up for encryption can be used."""
        return self._cipher is None or self._cipher.unsafe is None

    @property
    def notes(self) -> Sequence[str]:
        """What an operator should know, one sentence each."""
        return () if self._cipher is None else self._cipher.notes

    async def ready(self) -> None:
        """Open the keys; the session learns its device first if it does not know it. Raises what these raise."""
        if self._cipher is None:
            return
        if not self._session.is_identified:
            await self._session.identify()
        await self._cipher.open()

    def close(self) -> None:
        """Close the keys; harmless when they are not open."""
        if self._cipher is not None:
            self._cipher.close()

    # -- reading ---------------------------------------------------------------------------------------

    async def take(self, told: Mapping[str, Any]) -> None:
        """Take in what a sync says of devices and keys; it is stored when this returns."""
        if self._cipher is None:
            return
        self._late = [(one.room_id, one.event) for one in await self._cipher.take(told)]
        if self.verifying is not None:
            await self.verifying.take(told)
        for user, device_id in sorted(self._cipher.changed):
            await self._report_once(
                ("changed", user, device_id),
                f"The device {device_id} of {user} shows other keys than before. It is given no keys and not"
                " believed, since somebody else may be behind it: its person should log out there and in again.",
            )
        if self._cipher.unsigned:
            await self._report_once(
                self._cipher.unsigned, f"Clients warn of what I say: {self._cipher.unsigned}."
            )
        if self._cipher.unsafe:
            await self._report_once(
                "unsafe", f"I say nothing in encrypted rooms: {self._cipher.unsafe}."
            )

    def late(self) -> Sequence[tuple[str, RoomEvent]]:
        """Return what could be read only now, with its room."""
        return self._late

    def handed_over(self) -> None:
        """Note that the batch with what came late and what people are told is in the journal."""
        self._late = ()
        if self._cipher is not None:
            self._cipher.handed_over()

    async def open(self, room_id: str, spoken: Spoken) -> RoomEvent | None:
        """Return an event as its sender wrote it; None when it cannot be read or not be believed, which is noted.

        A reaction is believed in clear text too: clients never encrypt one. What belongs to a verification ends here:
        that may come in any way, since it proves itself.
        """
        event = spoken.event
        if self._cipher is None or event.sender == self._session.user_id:
            return event
        if event.type != ENCRYPTED:
            if await self._verifies(room_id, event):
                return None
            if spoken.private and event.type == MESSAGE and event.content:
                self._cipher.disbelieve(room_id, event, _IN_CLEAR)
                return None
            return event
        try:
            plain = await self._cipher.decrypt(room_id, event)
        except UnreadableError as error:
            self._log.warning("unreadable", event_id=event.event_id, why=error.reason)
            return None
        return None if await self._verifies(room_id, plain) else plain

    async def overhear(self, room_id: str, events: Sequence[RoomEvent]) -> None:
        """Look for a verification among what was said just before we came into a room.

        Clients make a room for it and ask there before we can have followed the invitation. Nothing else of that was
        said to us.
        """
        if self._cipher is None:
            return
        for event in events:
            plain = event
            if event.type == ENCRYPTED:
                plain = self._cipher.overhear(room_id, event) or event
            await self._verifies(room_id, plain)

    async def _verifies(self, room_id: str, event: RoomEvent) -> bool:
        return self.verifying is not None and await self.verifying.hear(room_id, event)

    def unreadable(self) -> tuple[Unreadable, ...]:
        """Return what people should be told of now; the same again until ``handed_over``."""
        due = () if self._cipher is None else self._cipher.due()
        return tuple(
            Unreadable(Address(KIND, one.room_id), principal(one.sender), one.event_id, one.why)
            for one in due
        )

    # -- speaking --------------------------------------------------------------------------------------

    async def seal(self, room_id: str, rules: Mapping[str, Any], event: WireEvent) -> WireEvent:
        """Return an event as it may stand in an encrypted room.

        A reaction stays as it is: its relation is readable there for everybody anyway, and clients send it so.
        """
        if event.type == REACTION:
            return event
        if self._cipher is None:
            raise UserError(f"{room_id} is encrypted: {_NO_KEYS}", code="encrypted_room")
        await self.ready()
        content = await self._cipher.encrypt(room_id, rules, event.type, event.content)
        return WireEvent(ENCRYPTED, content)

    async def take_back(self, room_id: str, events: Sequence[RoomEvent]) -> None:
        """Withdraw what we said in clear text after a room was encrypted: it crossed the change on its way.

        TransientError when that cannot be done now: then it is to be done again.
        """
        for event in events:
            if event.sender != self._session.user_id or event.type != MESSAGE or not event.content:
                continue
            try:
                await self._session.withdraw(room_id, event.event_id, f"{event.event_id}-back")
                done = "I have withdrawn it"
            except UserError as error:
                done = f"I could not withdraw it ({error.message}): please do"
            await self._report_once(
                event.event_id,
                f"What I said in {room_id} crossed the moment at which that room was encrypted, so it stood there"
                f" in clear text. {done}.",
            )

    async def _report_once(self, about: object, text: str) -> None:
        if about not in self._reported:
            await self._report(text)
            self._reported.add(about)
