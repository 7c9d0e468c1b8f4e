"""Encrypted events: ours for the devices of a room's people, theirs for us."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from nio.crypto import OlmDevice

from bot.errors import SetupError, TransientError, UserError
from connectors.matrix.answers import RoomEvent
from connectors.matrix.crypto.deciphering import UnreadableError
from connectors.matrix.crypto.examination import examine
from connectors.matrix.crypto.roomkeys import read_rotation
from connectors.matrix.crypto.shelf import Unread
from connectors.matrix.crypto.toolbox import Toolbox
from connectors.matrix.crypto.vault import Device, Vault
from connectors.matrix.events import KIND
from connectors.matrix.keys import Keys
from connectors.matrix.members import Members
from connectors.matrix.session import Session


@dataclass(frozen=True, slots=True)
class Late:
    """An event that could be read only now."""

    room_id: str
    event: RoomEvent


class Cipher:
    """Encryption for one account, from ``open`` to ``close``: before and after it nothing is encrypted or read.

    ``unsafe`` says why nothing may be said in encrypted rooms although they can be read: None when all is well.
    """

    def __init__(self, session: Session, members: Members, keys: Keys) -> None:
        self.unsafe: str | None = None
        self._session = session
        self._members = members
        self._vault = Vault(keys.folder, keys.pickle_key)
        self._trust = keys.trust
        self._patience = keys.patience
        self._tools: Toolbox | None = None
        self._opening = asyncio.Lock()
        self._examined = False
        self._turns: dict[str, asyncio.Lock] = {}
        self._read_late: list[str] = []
        self._telling: list[Unread] = []
        self._look = True
        self._refusal: str | None = None
        self._log = structlog.get_logger(part=KIND)

    async def open(self) -> None:
        """Open the keys of the session's device, show them, and test whether they can be used; once is enough.

        SetupError of the vault; TransientError when the homeserver is away. A failed test makes it ``unsafe``.
        """
        async with self._opening:
            if self._tools is None:
                device = Device(self._session.user_id, self._session.device_id)
                self._tools = Toolbox(self._session, self._vault, device, self._trust)
            if not self._examined:
                self.unsafe = await examine(self._tools.machine, self._tools.upkeep)
                self._examined = True
                if self.unsafe:
                    self._log.error("encryption is unsafe", reason=self.unsafe)
            if not self.unsafe:
                await self._tools.signing.attend()

    @property
    def unsigned(self) -> str | None:
        """Why others are shown a warning beside our words, None when our device is cross-signed."""
        return None if self._tools is None else self._tools.signing.unsigned

    def close(self) -> None:
        """Close the keys for good; harmless when they are not open."""
        if self._tools is not None:
            self._tools.close()
        self._tools = None
        self._vault.close()

    @property
    def notes(self) -> Sequence[str]:
        """What an operator should know, one sentence each."""
        notes = [why for why in (self.unsafe, self.unsigned) if why]
        if self._refusal is not None:
            notes.append(self._refusal)
        if self._tools is not None and (waiting := self._tools.shelf.count()):
            notes.append(f"{waiting} encrypted messages wait for their keys")
        return notes

    @property
    def tools(self) -> Toolbox:
        """What works on the open keys; TransientError while they are not open."""
        if self._tools is None:
            raise TransientError("the keys are not open yet")
        return self._tools

    @property
    def changed(self) -> frozenset[tuple[str, str]]:
        """The devices, as user and device, that showed other keys than those first seen."""
        return frozenset() if self._tools is None else frozenset(self._tools.policy.changed)

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
        tools = self.tools
        if self.unsafe:
            raise SetupError(f"nothing is said in the encrypted room {room_id}: {self.unsafe}")
        async with self._turns.setdefault(room_id, asyncio.Lock()):
            members = await self._members.of(room_id)
            await tools.upkeep.know(members)
            devices = tools.machine.others(members)
            wanted = [device for device in devices if tools.policy.takes_part(device)]
            lacking = tools.roomkeys.lacking(room_id, wanted, read_rotation(rules))
            refused = dict(tools.policy.refused(devices))
            if lacking or refused:
                await self._give_key(tools, room_id, lacking, refused)
            return tools.roomkeys.seal(room_id, event_type, content)

    async def _give_key(
        self,
        tools: Toolbox,
        room_id: str,
        lacking: Sequence[OlmDevice],
        refused: dict[str, Sequence[OlmDevice]],
    ) -> None:
        """Give the room's key to these devices. One that left no one-time key is told so, and tried again later."""
        await tools.upkeep.begin_sessions(lacking)
        sealed = tools.roomkeys.seal_key(room_id, lacking)
        await tools.upkeep.hand_out(sealed)
        given = [device for device, _ in sealed]
        tools.roomkeys.note_given(room_id, given)
        if without := [device for device in lacking if device not in given]:
            refused["m.no_olm"] = without
        await tools.upkeep.refuse(tools.roomkeys.refusals(room_id, refused))

    # -- theirs ----------------------------------------------------------------------------------------

    async def take(self, told: Mapping[str, Any]) -> Sequence[Late]:
        """Take in the part of a sync that is about devices and keys, and return what can be read now.

        All of it is stored when this returns, so the position may move on. What is returned is given again until
        ``handed_over``.
        """
        tools = self.tools
        self._look |= tools.machine.take(to_device(told))
        lists = told.get("device_lists")
        if isinstance(lists, dict):
            changed = _names(lists.get("changed"))
            tools.machine.note_changed(changed)
            tools.signing.note_changed(changed)
            tools.machine.forget(_names(lists.get("left")))
        counts = told.get("device_one_time_keys_count")
        if isinstance(counts, dict):
            tools.machine.note_key_count(counts)
        spares = told.get("device_unused_fallback_key_types")
        if isinstance(spares, list):
            tools.machine.note_unused_spares(_names(spares))
        await self._settle(tools)
        return await self._late(tools) if self._look else ()

    def handed_over(self) -> None:
        """Note that what was read late is in the journal, and that people were told of what was ``due``."""
        if self._tools is not None:
            self._tools.shelf.drop(self._read_late)
            self._tools.shelf.note_told(self._telling)
        self._read_late, self._telling = [], []
        self._look = False

    async def decrypt(self, room_id: str, event: RoomEvent) -> RoomEvent:
        """Return an event as its sender wrote it.

        UnreadableError when it cannot be read; it is kept then, unless nobody could have encrypted it for us.
        """
        tools = self.tools
        raw = event.model_dump(exclude={"state_key"}, exclude_none=True)
        try:
            return await self._read(tools, room_id, event, raw)
        except UnreadableError as error:
            if error.may_come and _moment(event) < tools.made_at:
                raise
            kept = raw if error.may_come else None
            session_id = str(event.content.get("session_id"))
            tools.shelf.keep(
                Unread(event.event_id, room_id, event.sender, session_id, error.reason, kept)
            )
            if error.may_come:
                await self._settle(tools)  # the key is asked for
            raise

    def overhear(self, room_id: str, event: RoomEvent) -> RoomEvent | None:
        """Return an event that was not said to us, if its key is here by chance; it is not missed otherwise."""
        tools, raw = self.tools, event.model_dump(exclude={"state_key"}, exclude_none=True)
        if not tools.machine.copies(room_id, str(event.content.get("session_id"))):
            return None
        try:
            plain = tools.deciphering.read(room_id, raw)
        except UnreadableError:
            return None
        return event.model_copy(update={"type": plain.type, "content": plain.content})

    def disbelieve(self, room_id: str, event: RoomEvent, why: str) -> None:
        """Keep that somebody's words were not taken, so that people are told, once for each sender in a room."""
        self.tools.shelf.keep(Unread(event.event_id, room_id, event.sender, "", why))

    def due(self) -> Sequence[Unread]:
        """Return what people should be told of; it is returned again until ``handed_over``."""
        if self._tools is not None:
            self._telling = list(self._tools.shelf.due(self._patience))
        return self._telling

    async def _settle(self, tools: Toolbox) -> None:
        """Do what is due at the homeserver; what that refuses is said, and ends nothing."""
        if self.unsafe:
            return
        await tools.signing.attend()
        try:
            await tools.upkeep.settle()
        except UserError as error:
            self._refusal = error.message
            self._log.error("keys refused", error=error.message)
        else:
            self._refusal = None

    async def _late(self, tools: Toolbox) -> Sequence[Late]:
        """Return what waited for a key that is there now."""
        late = []
        for room_id, session_id in tools.shelf.waiting():
            if not tools.machine.copies(room_id, session_id):
                continue
            for unread in tools.shelf.of(room_id, session_id):
                event = RoomEvent.model_validate(unread.event)
                try:
                    late.append(
                        Late(room_id, await self._read(tools, room_id, event, unread.event or {}))
                    )
                except UnreadableError as error:
                    about = (room_id, unread.sender, session_id, error.reason)
                    kept = unread.event if error.may_come else None
                    tools.shelf.keep(Unread(unread.event_id, *about, kept))
                else:
                    self._read_late.append(event.event_id)
        return late

    async def _read(
        self, tools: Toolbox, room_id: str, event: RoomEvent, raw: Mapping[str, Any]
    ) -> RoomEvent:
        if tools.deciphering.is_from_unknown_device(room_id, raw):
            await tools.upkeep.know([event.sender], anew=True)
        plain = tools.deciphering.read(room_id, raw)
        return event.model_copy(update={"type": plain.type, "content": plain.content})


def _moment(event: RoomEvent) -> datetime:
    """Return when an event was sent, by its homeserver's clock; a senseless value is now."""
    sent = event.origin_server_ts
    if not isinstance(sent, int) or isinstance(sent, bool) or not 0 <= sent < 253_402_300_799_000:
        return datetime.now(UTC)
    return datetime.fromtimestamp(sent / 1000, UTC)


def to_device(told: Mapping[str, Any]) -> Sequence[Any]:
    """Return what other devices sent to ours, as a sync tells it."""
    part = told.get("to_device")
    events = part.get("events") if isinstance(part, dict) else None
    return events if isinstance(events, list) else []


def _names(value: object) -> Sequence[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
