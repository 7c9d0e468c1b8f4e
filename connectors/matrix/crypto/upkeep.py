"""The requests that keep a device able to talk: its keys shown, others' keys asked for, sessions begun.

Source: Matrix client-server API, "Key management API", "Send-to-Device messaging".
"""

import asyncio
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

import nio
import structlog
from nio.crypto import OlmDevice

from bot.errors import TransientError
from connectors.matrix.crypto.machine import Machine
from connectors.matrix.crypto.shown import has_other_keys, single_keys, sound_devices
from connectors.matrix.crypto.trust import TrustPolicy
from connectors.matrix.events import KIND
from connectors.matrix.session import Session

_WAIT_MS = 10_000
"""How long our homeserver may ask others about their devices before it answers without."""

_AGAIN = timedelta(minutes=1)
"""A device that had no one-time key left is not asked for another one sooner."""

_MOST_MESSAGES = 50
_ENCRYPTED, _WITHHELD = "m.room.encrypted", "m.room_key.withheld"

Words = Sequence[tuple[OlmDevice, dict[str, Any]]]


class Upkeep:
    """Talks with the homeserver for one machine. All may be called again; raises what Session raises."""

    def __init__(self, session: Session, machine: Machine, policy: TrustPolicy) -> None:
        self._session = session
        self._machine = machine
        self._policy = policy
        self._turn = asyncio.Lock()
        self._tried: dict[tuple[str, str], float] = {}
        self._log = structlog.get_logger(part=KIND)

    async def settle(self) -> None:
        """Do all that is due: show our keys, ask for devices, mend sessions, answer our own devices' requests."""
        async with self._turn:
            await self._show_keys()
            await self._ask_devices()
            await self._begin(self._machine.without_session())
            self._machine.olm.collect_key_requests()
            await self._send_queued()

    async def know(self, users: Collection[str], *, anew: bool = False) -> None:
        """See to it that these people's devices are known as they are now; ``anew`` asks whatever is known."""
        async with self._turn:
            if anew:
                self._machine.olm.users_for_key_query |= set(users)
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

    async def hand_out(self, words: Words) -> None:
        """Send each device its own encrypted message."""
        await self._write(_ENCRYPTED, words)

    async def refuse(self, words: Words) -> None:
        """Tell devices that they do not get a key."""
        await self._write(_WITHHELD, words)

    async def own_keys(self) -> dict[str, Any]:
        """Return the keys of our own device as the homeserver shows them to others; empty when it has none."""
        user = self._machine.user_id
        shown = sound_devices(await self._query([user])).get(user, {}).get(self._machine.device_id)
        return {} if shown is None else dict(shown["keys"])

    # -- one by one ------------------------------------------------------------------------------------

    async def _show_keys(self) -> None:
        olm = self._machine.olm
        if not olm.should_upload_keys:
            return
        doing = "showing our keys"
        with self._machine.stored():
            keys = olm.share_keys()
            olm.save_account()  # a key that others may use before we stored it would be lost in a crash
        told = await self._session.ask(doing, "POST", "/keys/upload", body=keys)
        with self._machine.stored():
            olm.handle_response(_readable(nio.KeysUploadResponse.from_dict(told), doing))

    async def _ask_devices(self) -> None:
        olm = self._machine.olm
        asked = set(olm.users_for_key_query)
        if not asked:
            return
        olm.users_for_key_query -= asked
        try:
            devices = sound_devices(await self._query(sorted(asked)))
            self._note_changed_keys(devices)
            changed_meanwhile = olm.users_for_key_query & asked
            answer = nio.KeysQueryResponse.from_dict({"device_keys": devices})
            with self._machine.stored():
                olm.handle_response(_readable(answer, "asking for devices"))
        except BaseException:
            olm.users_for_key_query |= asked
            raise
        olm.users_for_key_query |= changed_meanwhile
        # Whoever has no device is known as well: else every message would ask again.
        olm.tracked_users |= asked

    async def _query(self, users: Sequence[str]) -> dict[str, Any]:
        body = {"timeout": _WAIT_MS, "device_keys": {user: [] for user in users}}
        told = await self._session.ask("asking for devices", "POST", "/keys/query", body=body)
        if failures := told.get("failures"):
            self._log.warning("not all devices are known", failures=sorted(failures))
        return told

    def _note_changed_keys(self, devices: Mapping[str, Mapping[str, Any]]) -> None:
        for user, shown in devices.items():
            for device_id, device in shown.items():
                known = self._machine.olm.device_store[user].get(device_id)
                if has_other_keys(known, device):
                    self._policy.changed.add((user, device_id))
                else:
                    self._policy.changed.discard((user, device_id))

    async def _begin(self, wanted: Mapping[str, Sequence[str]]) -> None:
        keys: dict[str, dict[str, str]] = {}
        for user, devices in wanted.items():
            for device_id in devices:
                if self._may_try(user, device_id):
                    keys.setdefault(user, {})[device_id] = "signed_curve25519"
        if not keys:
            return
        body = {"timeout": _WAIT_MS, "one_time_keys": keys}
        told = await self._session.ask("beginning sessions", "POST", "/keys/claim", body=body)
        with self._machine.stored():
            for one in single_keys(told):
                self._begin_one(one)

    def _may_try(self, user: str, device_id: str) -> bool:
        now, name = time.monotonic(), (user, device_id)
        if name in self._tried and now - self._tried[name] < _AGAIN.total_seconds():
            return False
        self._tried[name] = now
        return True

    def _begin_one(self, claimed: dict[str, Any]) -> None:
        """Begin one session; a spoilt key of one device must not keep the others from theirs."""
        try:
            answer = nio.KeysClaimResponse.from_dict(claimed)
            self._machine.olm.handle_response(_readable(answer, "beginning a session"))
        except (ValueError, TypeError, KeyError, AttributeError, TransientError) as error:
            self._log.warning("no session begun", error=f"{type(error).__name__}: {error}")

    async def _send_queued(self) -> None:
        for message in list(self._machine.olm.outgoing_to_device_messages):
            await self._to_devices(message.type, message.as_dict()["messages"])
            with self._machine.stored():
                self._machine.olm.handle_response(nio.ToDeviceResponse(message))

    async def _write(self, event_type: str, words: Words) -> None:
        for start in range(0, len(words), _MOST_MESSAGES):
            by_user: dict[str, dict[str, Any]] = {}
            for device, content in words[start : start + _MOST_MESSAGES]:
                by_user.setdefault(device.user_id, {})[device.id] = content
            await self._to_devices(event_type, by_user)

    async def _to_devices(self, event_type: str, messages: Mapping[str, Any]) -> None:
        path = f"/sendToDevice/{event_type}/{uuid.uuid4().hex}"
        await self._session.ask(
            "writing to devices", "PUT", path, body={"messages": dict(messages)}
        )


def _readable(response: object, doing: str) -> Any:
    """Return an answer in nio's words if it is one; TransientError when the homeserver said something else."""
    if isinstance(response, nio.ErrorResponse):
        raise TransientError(f"{doing}: the homeserver's answer is not Matrix: {response.message}")
    return response
