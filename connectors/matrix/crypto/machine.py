"""The device's keys and sessions: nio's Olm machine behind the words that we need. It asks nobody anything."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import nio
import structlog
from nio.crypto import Olm, OlmDevice
from nio.crypto.sessions import OutboundGroupSession

from bot.errors import TransientError
from connectors.matrix.events import KIND
from connectors.matrix.keys import Trust

MEGOLM = "m.megolm.v1.aes-sha2"
ROOM_KEYS = (nio.RoomKeyEvent, nio.ForwardedRoomKeyEvent)


@dataclass(frozen=True, slots=True)
class RoomKey:
    """A Megolm session of a room that we can read from now on."""

    room_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Rotation:
    """After how many messages, and how long, a room's key is made anew (``m.room.encryption``)."""

    messages: int = 100
    age: timedelta = timedelta(days=7)


class UnreadableError(Exception):
    """An event that cannot be read now. ``reason`` says why; ``may_come`` that its key may still arrive."""

    def __init__(self, reason: str, *, may_come: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.may_come = may_come


class Machine:
    """One device. ``changed_keys`` are devices of which somebody showed other keys than before."""

    def __init__(self, olm: Olm, trust: Trust) -> None:
        self.olm = olm
        self.trust = trust
        self._log = structlog.get_logger(part=KIND)

    @property
    def user_id(self) -> str:
        """Whose device it is."""
        return str(self.olm.user_id)

    @property
    def device_id(self) -> str:
        """Which device it is."""
        return str(self.olm.device_id)

    # -- what a sync brings ----------------------------------------------------------------------------

    def take(self, events: Iterable[Any]) -> Sequence[RoomKey]:
        """Take in what other devices sent to this one, and return the room keys that came with it."""
        came = []
        for told in events:
            event = _to_device(told)
            if event is None:
                continue
            found = self.olm.handle_to_device_event(event) or event
            if isinstance(found, ROOM_KEYS):
                came.append(RoomKey(found.room_id, found.session_id))
        return came

    def note_changed(self, users: Iterable[str]) -> None:
        """Note whose devices changed; those are asked for anew before the next word to them."""
        self.olm.add_changed_users(set(users) & (self.olm.tracked_users | {self.user_id}))

    def forget(self, users: Iterable[str]) -> None:
        """Note with whom we share no encrypted room any more: their devices are asked for anew when we do."""
        self.olm.tracked_users -= set(users)

    def note_key_count(self, counts: Mapping[str, Any]) -> None:
        """Note how many one-time keys the homeserver has for others to begin sessions with."""
        count = counts.get("signed_curve25519", 0)
        self.olm.uploaded_key_count = count if isinstance(count, int) else 0

    # -- devices ---------------------------------------------------------------------------------------

    def track(self, users: Collection[str]) -> None:
        """See to it that the devices of these people are asked for, if they are not known."""
        self.olm.users_for_key_query |= set(users) - self.olm.tracked_users

    def recipients(self, users: Collection[str]) -> Sequence[OlmDevice]:
        """Return the devices that may read what we say: not our own, no blocked one, and by the trust setting."""
        return [
            device
            for user in users
            for device in self.olm.device_store.active_user_devices(user)
            if (user, device.id) != (self.user_id, self.device_id) and self.may_read(device)
        ]

    def may_read(self, device: OlmDevice) -> bool:
        """Return whether keys are given to a device."""
        if self.olm.is_device_blacklisted(device):
            return False
        return self.trust is Trust.TOFU or self.olm.is_device_verified(device)

    def device_of(self, user_id: str, curve_key: object) -> OlmDevice | None:
        """Return somebody's device by its identity key; None when that is not known as theirs."""
        devices = self.olm.device_store[user_id].values()
        return next((one for one in devices if one.curve25519 == curve_key), None)

    def without_session(self) -> dict[str, list[str]]:
        """Return devices, by user, with which a session must be begun anew: theirs broke, or they ask for a key."""
        if not (self.olm.wedged_devices or self.olm.key_request_devices_no_session):
            return {}
        found: dict[str, list[str]] = self.olm.get_users_for_key_claiming()
        return found

    # -- a room's key ----------------------------------------------------------------------------------

    def group(self, room_id: str, wanted: Collection[OlmDevice], rotation: Rotation) -> bool:
        """Return whether the room's key is one that exactly these devices have; else a new one is made."""
        session = self.olm.outbound_group_sessions.get(room_id)
        identities = {(device.user_id, device.id) for device in wanted}
        if session is not None and not session.expired:
            if session.shared and session.users_shared_with == identities:
                return True
            if session.users_shared_with <= identities and not session.shared:
                return False
        self.olm.create_outbound_group_session(room_id)
        session = self._session(room_id)
        session.max_messages, session.max_age = rotation.messages, rotation.age
        return False

    def sealed_key(self, room_id: str, device: OlmDevice) -> dict[str, Any] | None:
        """Return the room's key, encrypted for one device; None when there is no session with it."""
        with_it = self.olm.session_store.get(device.curve25519)
        if with_it is None:
            return None
        session = self._session(room_id)
        content = {
            "algorithm": MEGOLM,
            "room_id": room_id,
            "session_id": session.id,
            "session_key": session.session_key,
        }
        # nio's own share_group_session takes a device for ours that only has our device's name.
        sealed: dict[str, Any] = self.olm._olm_encrypt(  # noqa: SLF001
            with_it, device, "m.room_key", content
        )
        return sealed

    def note_given(self, room_id: str, devices: Iterable[OlmDevice]) -> None:
        """Note who has the room's key now."""
        self._session(room_id).users_shared_with |= {(one.user_id, one.id) for one in devices}

    def seal(self, room_id: str, event_type: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return the content of the encrypted event; the relation stays readable, as the specification wants it."""
        inside = dict(content)
        relation = inside.pop("m.relates_to", None)
        session = self._session(room_id)
        session.mark_as_shared()
        sealed: dict[str, Any] = self.olm.group_encrypt(
            room_id, {"type": event_type, "content": inside}
        )
        return sealed if relation is None else {**sealed, "m.relates_to": relation}

    def drop_key(self, room_id: str) -> None:
        """Make the room's next message use a new key."""
        self.olm.outbound_group_sessions.pop(room_id, None)

    def _session(self, room_id: str) -> OutboundGroupSession:
        return self.olm.outbound_group_sessions[room_id]

    # -- reading ---------------------------------------------------------------------------------------

    def read(self, room_id: str, raw: Mapping[str, Any]) -> tuple[str, dict[str, Any], bool]:
        """Return an event's type, its content, and whether a verified device wrote it.

        UnreadableError when it cannot be read, or when not the one who is said to have sent it wrote it.
        """
        event = nio.Event.parse_encrypted_event(dict(raw))
        if not isinstance(event, nio.MegolmEvent):
            raise UnreadableError("it is not encrypted in a way that is known here", may_come=False)
        device = self.device_of(event.sender, event.sender_key)
        session = self.olm.inbound_group_store.get(room_id, event.sender_key, event.session_id)
        if session is None:
            self.olm.check_if_wedged(event)
            raise UnreadableError("its key has not come", may_come=True)
        if device is None or device.ed25519 != session.ed25519:
            raise UnreadableError(
                "it was written by a device that is not its sender's", may_come=True
            )
        try:
            found = self.olm.decrypt_megolm_event(event, room_id)
        except nio.exceptions.EncryptionError as error:
            raise UnreadableError(str(error), may_come=False) from error
        source = getattr(found, "source", None)
        if not isinstance(source, dict) or not isinstance(source.get("content"), dict):
            raise UnreadableError("what it holds is no event", may_come=False)
        return str(source.get("type")), source["content"], bool(getattr(found, "verified", False))


def _to_device(told: Any) -> Any:
    """Return an event between devices in nio's words; None for what is none."""
    try:
        return nio.ToDeviceEvent.parse_event(told)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def readable(response: object, doing: str) -> Any:
    """Return an answer in nio's words if it is one; TransientError when the homeserver said something else."""
    if isinstance(response, nio.ErrorResponse):
        raise TransientError(f"{doing}: the homeserver's answer is not Matrix: {response.message}")
    return response
