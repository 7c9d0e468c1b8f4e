"""The requests that keep a device able to talk: its keys shown, others' keys asked for, sessions begun.

Source: Matrix client-server API, "Key management API", "Send-to-Device messaging".
"""

import asyncio
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import nio
import structlog
from nio.crypto import OlmDevice

from bot.errors import TransientError
from connectors.matrix.crypto.machine import Machine, readable
from connectors.matrix.events import KIND
from connectors.matrix.session import Session

_WAIT_MS = 10_000
"""How long our homeserver may ask others about their devices before it answers without."""

_MOST_MESSAGES = 50


class Upkeep:
    """Talks with the homeserver for one machine. All may be called again; TransientError as of Session.

    ``changed`` holds the devices, as ``USER DEVICE``, that showed other keys than those that we know: what they
    write is not believed.
    """

    def __init__(self, session: Session, machine: Machine) -> None:
        self.changed: set[str] = set()
        self._session = session
        self._machine = machine
        self._turn = asyncio.Lock()
        self._log = structlog.get_logger(part=KIND)

    async def settle(self) -> None:
        """Do all that is due: show our keys, ask for devices, mend sessions, answer our own devices' requests."""
        async with self._turn:
            await self._show_keys()
            await self._ask_devices()
            await self._begin(self._machine.without_session())
            self._machine.olm.collect_key_requests()
            await self._send_queued()

    async def know(self, users: Collection[str]) -> None:
        """See to it that these people's devices are known as they are now."""
        async with self._turn:
            self._machine.track(users)
            await self._ask_devices()

    async def begin_sessions(self, devices: Sequence[OlmDevice]) -> None:
        """Begin a session with each device that we have none with, as far as they left one-time keys."""
        missing: dict[str, list[str]] = {}
        for device in devices:
            if self._machine.olm.session_store.get(device.curve25519) is None:
                missing.setdefault(device.user_id, []).append(device.id)
        async with self._turn:
            await self._begin(missing)

    async def hand_out(self, pairs: Sequence[tuple[OlmDevice, dict[str, Any]]]) -> None:
        """Send each device its own encrypted message."""
        for start in range(0, len(pairs), _MOST_MESSAGES):
            by_user: dict[str, dict[str, Any]] = {}
            for device, content in pairs[start : start + _MOST_MESSAGES]:
                by_user.setdefault(device.user_id, {})[device.id] = content
            await self._to_devices("m.room.encrypted", by_user)

    async def ask_for_own_keys(self) -> dict[str, Any]:
        """Return the keys of our own device as the homeserver shows them to others; empty when it has none."""
        user, device = self._machine.user_id, self._machine.device_id
        told = await self._query([user])
        shown = told.get("device_keys", {}).get(user, {}).get(device, {})
        return dict(shown.get("keys", {})) if isinstance(shown, dict) else {}

    # -- one by one ------------------------------------------------------------------------------------

    async def _show_keys(self) -> None:
        olm = self._machine.olm
        if not olm.should_upload_keys:
            return
        told = await self._session.ask(
            "showing our keys", "POST", "/keys/upload", body=olm.share_keys()
        )
        olm.handle_response(readable(nio.KeysUploadResponse.from_dict(told), "showing our keys"))

    async def _ask_devices(self) -> None:
        users = sorted(self._machine.olm.users_for_key_query)
        if not users:
            return
        told = await self._query(users)
        self._note_changed_keys(told)
        answer = readable(nio.KeysQueryResponse.from_dict(told), "asking for devices")
        self._machine.olm.handle_response(answer)
        # Whoever has no device is known as well: else every message would ask again.
        self._machine.olm.users_for_key_query -= set(users)
        self._machine.olm.tracked_users |= set(users)

    async def _query(self, users: Sequence[str]) -> dict[str, Any]:
        body = {"timeout": _WAIT_MS, "device_keys": {user: [] for user in users}}
        return await self._session.ask("asking for devices", "POST", "/keys/query", body=body)

    def _note_changed_keys(self, told: Mapping[str, Any]) -> None:
        for user, devices in told.get("device_keys", {}).items():
            for device_id, shown in devices.items():
                known = self._machine.olm.device_store[user].get(device_id)
                key = shown.get("keys", {}).get(f"ed25519:{device_id}")
                if known is not None and key != known.ed25519:
                    self._log.warning("keys of a device changed", user=user, device=device_id)
                    self.changed.add(f"{user} {device_id}")

    async def _begin(self, wanted: Mapping[str, Sequence[str]]) -> None:
        keys = {
            user: dict.fromkeys(devices, "signed_curve25519") for user, devices in wanted.items()
        }
        if not keys:
            return
        doing = "beginning sessions"
        body = {"timeout": _WAIT_MS, "one_time_keys": keys}
        told = await self._session.ask(doing, "POST", "/keys/claim", body=body)
        self._machine.olm.handle_response(readable(nio.KeysClaimResponse.from_dict(told), doing))

    async def _send_queued(self) -> None:
        for message in list(self._machine.olm.outgoing_to_device_messages):
            content = message.as_dict()["messages"]
            await self._to_devices(message.type, content)
            self._machine.olm.handle_response(nio.ToDeviceResponse(message))

    async def _to_devices(self, event_type: str, messages: Mapping[str, Any]) -> None:
        path = f"/sendToDevice/{event_type}/{uuid.uuid4().hex}"
        await self._session.ask(
            "writing to devices", "PUT", path, body={"messages": dict(messages)}
        )


async def self_test(machine: Machine, upkeep: Upkeep) -> str | None:
    """Return why this device must not speak in encrypted rooms, None when all is well.

    Others must be shown the very keys that we have, or what we encrypt is nobody's and what they encrypt for us is lost.
    """
    ours = machine.olm.account.identity_keys
    wanted = {f"{name}:{machine.device_id}": key for name, key in ours.items()}
    try:
        shown = await upkeep.ask_for_own_keys()
    except TransientError as error:
        return f"nobody could say which keys others are shown: {error.message}"
    if not shown:
        return "the homeserver shows others no keys of this device"
    if any(shown.get(name) != key for name, key in wanted.items()):
        return (
            f"the homeserver shows others other keys for the device {machine.device_id} than those in crypto/:"
            " the token is older than the folder, or the folder was lost"
        )
    return None
