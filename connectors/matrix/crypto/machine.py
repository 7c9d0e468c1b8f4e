"""The device's keys and sessions: nio's Olm machine behind the words that we need. It asks nobody anything."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import nio
import peewee
import structlog
from nio.crypto import InboundGroupSession, OlmAccount, OlmDevice
from nio.crypto.sessions import OutboundGroupSession

from bot.errors import SetupError
from connectors.matrix.crypto.olm import DeviceOlm
from connectors.matrix.events import KIND, VERIFICATION

ROOM_KEYS = (nio.RoomKeyEvent, nio.ForwardedRoomKeyEvent)


def is_verification(told: Any) -> bool:
    """Return whether an event, as it stands on the wire, belongs to a verification: those are not nio's affair."""
    kind = told.get("type") if isinstance(told, dict) else None
    return isinstance(kind, str) and kind.startswith(VERIFICATION)


class Machine:
    """One device. Whatever cannot be stored is a SetupError: what is not stored must not be believed."""

    def __init__(self, olm: DeviceOlm) -> None:
        self.olm = olm
        self._wants_spare = False
        self._log = structlog.get_logger(part=KIND)

    @property
    def user_id(self) -> str:
        """Whose device it is."""
        return str(self.olm.user_id)

    @property
    def device_id(self) -> str:
        """Which device it is."""
        return str(self.olm.device_id)

    @contextmanager
    def stored(self) -> Iterator[None]:
        """Store all that changes within the block at once, at its end."""
        try:
            with self.olm.store.database.atomic():
                yield
        except peewee.PeeweeException as error:
            raise SetupError(
                f"the keys of {self.device_id} cannot be stored: {error}",
                hint="is the disk full, or the folder crypto/ not ours?",
            ) from error

    # -- what a sync brings ----------------------------------------------------------------------------

    def take(self, events: Iterable[Any]) -> bool:
        """Take in what other devices sent to this one; return whether keys of rooms came."""
        with self.stored():
            return bool(sum(self._take_one(told) for told in events if not is_verification(told)))

    def _take_one(self, told: Any) -> bool:
        """Take in one event; anybody may send anything, and nothing of it may end the reading."""
        try:
            event = nio.ToDeviceEvent.parse_event(told)
            return isinstance(self.olm.handle_to_device_event(event), ROOM_KEYS)
        except peewee.PeeweeException:
            raise
        except Exception as error:  # noqa: BLE001 - nio lets many kinds out, of words that anybody may send
            self._log.warning("odd word from a device", error=f"{type(error).__name__}: {error}")
            return False

    def note_changed(self, users: Iterable[str]) -> None:
        """Note whose devices changed; those are asked for anew."""
        self.olm.add_changed_users(set(users) & (self.olm.tracked_users | {self.user_id}))

    def forget(self, users: Iterable[str]) -> None:
        """Note with whom we share no encrypted room any more: their devices are asked for anew when we do."""
        self.olm.tracked_users -= set(users)

    def note_key_count(self, counts: Mapping[str, Any]) -> None:
        """Note how many one-time keys the homeserver has for others to begin sessions with."""
        count = counts.get("signed_curve25519", 0)
        self.olm.uploaded_key_count = count if isinstance(count, int) else 0

    def note_unused_spares(self, types: Collection[str]) -> None:
        """Note for which sorts of keys the homeserver has a fallback key of ours that nobody used."""
        self._wants_spare = "signed_curve25519" not in types

    def unshown_keys(self) -> dict[str, Any]:
        """Return what others should be shown, stored before: one-time keys, and a fallback for when those are used up.

        Empty when nothing is due. The fallback is not nio's: without it whoever begins a session with us after the
        fiftieth while we are down is never read.
        """
        if not (self.olm.should_upload_keys or self._wants_spare):
            return {}
        with self.stored():
            keys: dict[str, Any] = self.olm.share_keys() if self.olm.should_upload_keys else {}
            if self._wants_spare:
                keys["fallback_keys"] = self._spare(self.olm.account)
            self.olm.save_account()  # a key that others may use before we stored it would be lost in a crash
        return keys

    def note_shown(self, answer: nio.KeysUploadResponse) -> None:
        """Note that the homeserver has what ``unshown_keys`` gave."""
        with self.stored():
            self.olm.handle_response(answer)
        self._wants_spare = False

    def _spare(self, account: OlmAccount) -> dict[str, Any]:
        inner: Any = account._account  # noqa: SLF001 - neither nio nor the types of vodozemac have words for it
        if not inner.fallback_key:  # one that was not shown yet is shown again
            inner.generate_fallback_key()
        shown = {}
        for key_id, key in inner.fallback_key.items():
            content = {"key": key.to_base64(), "fallback": True}
            names = {f"ed25519:{self.device_id}": self.olm.sign_json(content)}
            shown[f"signed_curve25519:{key_id}"] = {**content, "signatures": {self.user_id: names}}
        return shown

    # -- devices ---------------------------------------------------------------------------------------

    def track(self, users: Collection[str]) -> None:
        """See to it that the devices of these people are asked for, if they are not known."""
        self.olm.users_for_key_query |= set(users) - self.olm.tracked_users

    def others(self, users: Collection[str]) -> Sequence[OlmDevice]:
        """Return these people's devices that are not this one."""
        return [
            device
            for user in users
            for device in self.olm.device_store.active_user_devices(user)
            if (user, device.id) != (self.user_id, self.device_id)
        ]

    def device_of(self, user_id: str, curve_key: object) -> OlmDevice | None:
        """Return somebody's device by its identity key, logged out or not; None when that is not known as theirs."""
        devices = self.olm.device_store[user_id].values()
        return next((one for one in devices if one.curve25519 == curve_key), None)

    def without_session(self) -> dict[str, list[str]]:
        """Return devices, by user, with which a session must be begun anew: theirs broke, or they ask for a key."""
        if not (self.olm.wedged_devices or self.olm.key_request_devices_no_session):
            return {}
        found: dict[str, list[str]] = self.olm.get_users_for_key_claiming()
        return found

    def request_key(self, room_id: str, event: nio.MegolmEvent) -> None:
        """Have the key of an event asked for at the device that wrote it, once for a key.

        Where the session with that device broke, it is asked for after that was mended.
        """
        queued = {getattr(one, "session_id", None) for one in self.olm.outgoing_to_device_messages}
        if event.session_id in queued or event.session_id in self.olm.outgoing_key_requests:
            return
        event.room_id = room_id
        if any(
            (one.user_id, one.id) == (event.sender, event.device_id)
            for one in self.olm.wedged_devices
        ):
            self.olm.key_re_requests_events[(event.sender, event.device_id)].append(event)
            return
        device_id = event.device_id or "*"
        self.olm.outgoing_to_device_messages.append(
            event.as_key_request(event.sender, self.device_id, event.session_id, device_id)
        )

    # -- keys of rooms ---------------------------------------------------------------------------------

    def group(self, room_id: str) -> OutboundGroupSession | None:
        """Return the session by which we write in a room now."""
        return self.olm.outbound_group_sessions.get(room_id)

    def inbound(self, room_id: str, session_id: str, sender: str) -> InboundGroupSession | None:
        """Return the session by which somebody writes in a room, made by a device of theirs.

        What an event says of its device is not to be believed (spec, m.megolm.v1), and who was given a key can give it
        on as their own: so the session counts whose maker is known as the sender's.
        """
        for session in self.copies(room_id, session_id):
            device = self.device_of(sender, session.sender_key)
            if device is not None and device.ed25519 == session.ed25519:
                return session
        return None

    def copies(self, room_id: str, session_id: str) -> Sequence[InboundGroupSession]:
        """Return what has a session's id, whoever gave it to us."""
        by_sender = self.olm.inbound_group_store[room_id].values()
        return [found[session_id] for found in by_sender if session_id in found]
