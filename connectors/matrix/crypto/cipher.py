"""Encrypted events: ours for the devices of a room's people, theirs for us."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeGuard

import structlog
from nio.crypto import OlmDevice

from bot.errors import SetupError, TransientError
from connectors.matrix.answers import RoomEvent
from connectors.matrix.crypto.machine import (
    Machine,
    RoomKey,
    Rotation,
    UnreadableError,
)
from connectors.matrix.crypto.shelf import Shelf, Unread
from connectors.matrix.crypto.upkeep import Upkeep, self_test
from connectors.matrix.crypto.vault import Device, Vault
from connectors.matrix.events import ENCRYPTED, KIND
from connectors.matrix.keys import Keys, Trust
from connectors.matrix.members import Members
from connectors.matrix.session import Session

_LONGEST_ROTATION = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Late:
    """An event that could be read only now."""

    room_id: str
    event: RoomEvent


class Cipher:
    """Encryption for one account, from ``open`` to ``close``: before and after it nothing is encrypted.

    ``unsafe`` says why nothing may be said in encrypted rooms although they can be read: None when all is well.
    """

    def __init__(self, session: Session, members: Members, keys: Keys) -> None:
        self.unsafe: str | None = None
        self._session = session
        self._members = members
        self._vault = Vault(keys.folder, keys.pickle_key)
        self._trust = keys.trust
        self._machine: Machine | None = None
        self._upkeep: Upkeep | None = None
        self._shelf: Shelf | None = None
        self._turns: dict[str, asyncio.Lock] = {}
        self._done: list[str] = []
        self._log = structlog.get_logger(part=KIND)

    async def open(self) -> None:
        """Open the keys of the session's device, show them, and test whether they can be used.

        SetupError of the vault; TransientError when the homeserver is away. A failed test makes it ``unsafe``.
        """
        if self._machine is not None:
            return
        device = Device(self._session.user_id, self._session.device_id)
        self._machine = Machine(self._vault.open(device), self._trust)
        self._upkeep = Upkeep(self._session, self._machine)
        self._shelf = Shelf(self._vault.folder)
        await self._upkeep.settle()
        self.unsafe = await self_test(self._machine, self._upkeep)
        if self.unsafe:
            self._log.error("encryption is unsafe", reason=self.unsafe)

    def close(self) -> None:
        """Close the keys; harmless when they are not open."""
        if self._shelf is not None:
            self._shelf.close()
        self._machine = self._upkeep = self._shelf = None
        self._vault.close()

    @property
    def notes(self) -> Sequence[str]:
        """What an operator should know, one sentence each."""
        notes = [f"not encrypting: {self.unsafe}"] if self.unsafe else []
        if self._upkeep is not None:
            notes += [f"the keys of {one} changed" for one in sorted(self._upkeep.changed)]
        if self._shelf is not None and (waiting := self._shelf.count()):
            notes.append(f"{waiting} encrypted messages wait for their keys")
        return notes

    # -- ours ------------------------------------------------------------------------------------------

    async def encrypt(
        self,
        room_id: str,
        rules: Mapping[str, Any],
        event_type: str,
        content: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Return the content of the encrypted event, after the room's key was given to all who may read it.

        ``rules`` are the room's own (``m.room.encryption``). SetupError while it is unsafe to; TransientError when
        the homeserver is away.
        """
        machine, upkeep = self._open_for(room_id)
        async with self._turns.setdefault(room_id, asyncio.Lock()):
            members = await self._members.of(room_id)
            await upkeep.know(members)
            wanted = machine.recipients(members)
            if not machine.group(room_id, wanted, _rotation(rules)):
                await self._give_key(machine, upkeep, room_id, wanted)
            return machine.seal(room_id, event_type, content)

    async def _give_key(
        self, machine: Machine, upkeep: Upkeep, room_id: str, wanted: Sequence[OlmDevice]
    ) -> None:
        """Give the room's key to these devices. One that left no one-time key gets none, and will ask."""
        await upkeep.begin_sessions(wanted)
        sealed = [(device, machine.sealed_key(room_id, device)) for device in wanted]
        for device, key in sealed:
            if key is None:
                self._log.warning("no session", user=device.user_id, device=device.id)
        await upkeep.hand_out([(device, key) for device, key in sealed if key is not None])
        machine.note_given(room_id, wanted)

    def _open_for(self, room_id: str) -> tuple[Machine, Upkeep]:
        if self._machine is None or self._upkeep is None:
            raise TransientError("the keys are not open yet")
        if self.unsafe:
            raise SetupError(f"nothing is said in the encrypted room {room_id}: {self.unsafe}")
        return self._machine, self._upkeep

    # -- theirs ----------------------------------------------------------------------------------------

    async def take(self, told: Mapping[str, Any]) -> Sequence[Late]:
        """Take in the part of a sync that is about devices and keys, and return what can be read now.

        All of it is stored when this returns, so the position may move on. What is returned is given again until
        ``handed_over``.
        """
        if self._machine is None or self._upkeep is None or self._shelf is None:
            return ()
        keys = self._machine.take(_events(told))
        lists = told.get("device_lists")
        if isinstance(lists, dict):
            self._machine.note_changed(_names(lists.get("changed")))
            self._machine.forget(_names(lists.get("left")))
        counts = told.get("device_one_time_keys_count")
        if isinstance(counts, dict):
            self._machine.note_key_count(counts)
        await self._upkeep.settle()
        return await self._read_late(keys)

    def handed_over(self) -> None:
        """Note that what was read late is in the journal."""
        if self._shelf is not None and self._done:
            self._shelf.drop(self._done)
            self._done.clear()

    async def decrypt(self, room_id: str, event: RoomEvent) -> RoomEvent:
        """Return an event as its sender wrote it; UnreadableError when it cannot be read (it is kept then).

        An event that is not encrypted is returned as it is.
        """
        if event.type != ENCRYPTED:
            return event
        try:
            return await self._read(room_id, event)
        except UnreadableError as error:
            if error.may_come and self._shelf is not None:
                session_id = str(event.content.get("session_id"))
                self._shelf.keep(Unread(room_id, event.sender, session_id, _raw(event)))
            raise

    def overdue(self, patience: timedelta) -> Sequence[Unread]:
        """Return what people should be told of: keys that did not come within ``patience``. Each is returned once."""
        if self._shelf is None:
            return ()
        found = self._shelf.overdue(patience)
        for unread in found:
            self._shelf.note_told(unread)
        return found

    async def _read_late(self, keys: Iterable[RoomKey]) -> Sequence[Late]:
        late = []
        for key in keys:
            for unread in self._shelf.of(key.room_id, key.session_id) if self._shelf else ():
                event = RoomEvent.model_validate(unread.event)
                try:
                    late.append(Late(key.room_id, await self._read(key.room_id, event)))
                except UnreadableError as error:
                    self._log.info("still unreadable", event_id=event.event_id, why=error.reason)
                    continue
                self._done.append(event.event_id)
        return late

    async def _read(self, room_id: str, event: RoomEvent) -> RoomEvent:
        if self._machine is None or self._upkeep is None:
            raise UnreadableError("the keys are not open", may_come=True)
        if self._machine.device_of(event.sender, event.content.get("sender_key")) is None:
            self._machine.olm.users_for_key_query.add(event.sender)
            await self._upkeep.know([event.sender])
        event_type, content, verified = self._machine.read(room_id, _raw(event))
        if self._trust is Trust.VERIFIED and not verified:
            raise UnreadableError("the device that wrote it is not verified", may_come=False)
        return event.model_copy(update={"type": event_type, "content": content})


def _rotation(rules: Mapping[str, Any]) -> Rotation:
    """Return how often a room wants a new key; what is no count is the specification's default."""
    default = Rotation()
    messages, age = rules.get("rotation_period_msgs"), rules.get("rotation_period_ms")
    return Rotation(
        messages if _is_count(messages) else default.messages,
        min(timedelta(milliseconds=age), _LONGEST_ROTATION) if _is_count(age) else default.age,
    )


def _raw(event: RoomEvent) -> dict[str, Any]:
    return event.model_dump(exclude={"state_key"}, exclude_none=True)


def _events(told: Mapping[str, Any]) -> Sequence[Any]:
    part = told.get("to_device")
    events = part.get("events") if isinstance(part, dict) else None
    return events if isinstance(events, list) else []


def _names(value: object) -> Sequence[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
