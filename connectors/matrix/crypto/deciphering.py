"""Events of rooms as their senders wrote them, if those may be believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import nio
import vodozemac
from nio.crypto import OlmDevice

from connectors.matrix.crypto.machine import Machine
from connectors.matrix.crypto.replays import Replays
from connectors.matrix.crypto.trust import TrustPolicy

NO_KEY = "its key has not come"


class UnreadableError(Exception):
    """An event that cannot be read now. ``reason`` says why; ``may_come`` that its key may still arrive."""

    def __init__(self, reason: str, *, may_come: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.may_come = may_come


@dataclass(frozen=True, slots=True)
class Plain:
    """What stood in an encrypted event."""

    type: str
    content: dict[str, Any]


class Deciphering:
    """Reads events by the keys of one machine."""

    def __init__(self, machine: Machine, policy: TrustPolicy, replays: Replays) -> None:
        self._machine = machine
        self._policy = policy
        self._replays = replays

    def is_from_unknown_device(self, room_id: str, raw: Mapping[str, Any]) -> bool:
        """Return whether its key is there, and no device that gave it to us is known as the sender's."""
        session_id, sender = str(raw["content"].get("session_id")), str(raw["sender"])
        copies = self._machine.copies(room_id, session_id)
        return bool(copies) and self._machine.inbound(room_id, session_id, sender) is None

    def read(self, room_id: str, raw: Mapping[str, Any]) -> Plain:
        """Return what stands in an event; UnreadableError when it cannot be read or not be believed.

        Not believed is what another wrote than who is said to have sent it, what comes from a device that takes no
        part, and what was read before as another event.
        """
        session_id, sender = str(raw["content"].get("session_id")), str(raw["sender"])
        session = self._machine.inbound(room_id, session_id, sender)
        device = None if session is None else self._machine.device_of(sender, session.sender_key)
        if session is None or device is None:
            event = _megolm(raw)
            if self._machine.copies(room_id, session_id) and self._policy.has_changed(sender):
                raise UnreadableError("a device of its sender shows other keys than before")
            self._machine.request_key(room_id, event)
            raise UnreadableError(NO_KEY, may_come=True)
        self._refuse(device)
        event = _megolm(raw, sender_key=session.sender_key, device_id=device.id)
        plain = self._decrypt(room_id, event)
        place = vodozemac.MegolmMessage.from_base64(event.ciphertext).message_index()
        if not self._replays.is_first(f"{session.sender_key} {session.id}", place, event.event_id):
            raise UnreadableError(
                "it repeats another message: somebody shows old words as new ones"
            )
        self._replays.note_heard(session.sender_key)
        return plain

    def _refuse(self, device: OlmDevice) -> None:
        if self._policy.takes_part(device):
            return
        code = next(iter(self._policy.refused([device])))
        state = "is not verified" if code == "m.unverified" else "is blocked here"
        raise UnreadableError(f"the device {device.id}, which wrote it, {state}")

    def _decrypt(self, room_id: str, event: nio.MegolmEvent) -> Plain:
        try:
            found = self._machine.olm.decrypt_megolm_event(event, room_id)
        except nio.exceptions.EncryptionError as error:
            raise UnreadableError(str(error)) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise UnreadableError("what it holds is no event") from error
        source = getattr(found, "source", None)
        if not isinstance(source, dict) or not isinstance(source.get("content"), dict):
            raise UnreadableError("what it holds is no event")
        if source.get("room_id") != room_id:
            raise UnreadableError("it was written for another room")
        return Plain(str(source.get("type")), source["content"])


def _megolm(raw: Mapping[str, Any], **known: str) -> nio.MegolmEvent:
    """Return the event in nio's words, which wants two fields that a sender may leave out (spec v1.3).

    ``known`` takes the place of what the event says of itself.
    """
    content = {"sender_key": "", "device_id": "", **raw["content"], **known}
    event = nio.Event.parse_encrypted_event({**raw, "content": content})
    if not isinstance(event, nio.MegolmEvent):
        raise UnreadableError("it is not encrypted in a way that is known here")
    return event
