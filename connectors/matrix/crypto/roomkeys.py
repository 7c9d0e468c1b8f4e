"""Our own keys of rooms: when a new one is made, who has it, and what is written by it.

Source: Matrix client-server API, "m.megolm.v1.aes-sha2", "m.room.encryption", "m.room_key.withheld".
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeGuard

import nio
from nio.crypto import OlmDevice
from nio.crypto.sessions import OutboundGroupSession

from bot.errors import TransientError
from connectors.matrix.crypto.machine import Machine
from connectors.matrix.events import MEGOLM

_MOST = 10_000
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=365)
"""A room may not ask for more than this: a key that ends before it was handed out would silence us."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """After how many messages, and how long, a room's key is made anew (``m.room.encryption``)."""

    messages: int = 100
    age: timedelta = timedelta(days=7)


def read_rotation(rules: Mapping[str, Any]) -> Rotation:
    """Return how often a room wants a new key; what is no count is the specification's default."""
    default = Rotation()
    messages, age = rules.get("rotation_period_msgs"), rules.get("rotation_period_ms")
    return Rotation(
        min(messages, _MOST) if _is_count(messages) else default.messages,
        _bounded(age) if _is_count(age) else default.age,
    )


class RoomKeys:
    """The keys by which this device writes, one for a room. They are not stored: every life begins with new ones."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._withheld: set[tuple[str, str, str]] = set()

    def lacking(
        self, room_id: str, wanted: Sequence[OlmDevice], rotation: Rotation
    ) -> Sequence[OlmDevice]:
        """Return which of these devices have not got the room's key.

        The key is made anew when it is old, and when somebody has it who is not among them any more.
        """
        session = self._machine.group(room_id)
        names = {_name(device) for device in wanted}
        if session is None or session.expired or not session.users_shared_with <= names:
            with self._machine.stored():
                self._machine.olm.create_outbound_group_session(room_id)
            if session is not None:  # nobody asks for the old one's any more
                self._withheld = {one for one in self._withheld if one[0] != session.id}
            session = self._session(room_id)
        session.max_messages, session.max_age = rotation.messages, rotation.age
        return [device for device in wanted if _name(device) not in session.users_shared_with]

    def seal_key(
        self, room_id: str, devices: Sequence[OlmDevice]
    ) -> Sequence[tuple[OlmDevice, dict[str, Any]]]:
        """Return the room's key from now on, encrypted for each device that we have a session with."""
        session = self._session(room_id)
        content = {
            "algorithm": MEGOLM,
            "room_id": room_id,
            "session_id": session.id,
            "session_key": session.session_key,
        }
        olm = self._machine.olm
        with self._machine.stored():
            # nio's own share_group_session takes a device for ours that only has our device's name.
            return [
                (device, olm._olm_encrypt(with_it, device, "m.room_key", content))  # noqa: SLF001
                for device in devices
                if (with_it := olm.session_store.get(device.curve25519)) is not None
            ]

    def note_given(self, room_id: str, devices: Collection[OlmDevice]) -> None:
        """Note who has the room's key now."""
        self._session(room_id).users_shared_with |= {_name(one) for one in devices}

    def refusals(
        self, room_id: str, devices: Mapping[str, Sequence[OlmDevice]]
    ) -> Sequence[tuple[OlmDevice, dict[str, Any]]]:
        """Return what devices are told that do not get the room's key, by the specification's code, once for a key.

        Their people then see why they cannot read, and not that something broke.
        """
        found = []
        for code, refused in devices.items():
            for device in refused:
                about = (self._session(room_id).id, *_name(device))
                if about not in self._withheld:
                    self._withheld.add(about)
                    found.append((device, self._withholding(room_id, code)))
        return found

    def seal(self, room_id: str, event_type: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return the content of the encrypted event; the relation stays readable, as the specification wants it."""
        inside = dict(content)
        relation = inside.pop("m.relates_to", None)
        plain = {"type": event_type, "content": inside, "room_id": room_id}
        session = self._session(room_id)
        session.mark_as_shared()
        try:
            # nio's own group_encrypt writes six bytes for every letter beyond ASCII.
            ciphertext = session.encrypt(
                json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
            )
        except nio.exceptions.EncryptionError as error:  # its time ended since we looked
            raise TransientError(f"the key of {room_id} is being made anew: {error}") from error
        sealed = {
            "algorithm": MEGOLM,
            "sender_key": self._machine.olm.account.identity_keys["curve25519"],
            "ciphertext": ciphertext,
            "session_id": session.id,
            "device_id": self._machine.device_id,
        }
        return sealed if relation is None else {**sealed, "m.relates_to": relation}

    def _session(self, room_id: str) -> OutboundGroupSession:
        return self._machine.olm.outbound_group_sessions[room_id]

    def _withholding(self, room_id: str, code: str) -> dict[str, Any]:
        content = {
            "algorithm": MEGOLM,
            "code": code,
            "sender_key": self._machine.olm.account.identity_keys["curve25519"],
        }
        if code == "m.no_olm":  # it is about the device, not about one key
            return content
        return {**content, "room_id": room_id, "session_id": self._session(room_id).id}


def _name(device: OlmDevice) -> tuple[str, str]:
    return device.user_id, device.id


def _bounded(milliseconds: int) -> timedelta:
    limit = int(_LONGEST / timedelta(milliseconds=1))
    return max(_SHORTEST, timedelta(milliseconds=min(milliseconds, limit)))


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
