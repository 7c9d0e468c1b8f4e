"""The two ways by which devices verify each other: from device to device, or within a room.

Source: Matrix client-server API, "Key verification framework", "In-room messages".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.matrix.answers import RoomEvent
from connectors.matrix.events import MESSAGE, VERIFICATION

REQUEST = f"{VERIFICATION}request"
_OLDEST, _NEWEST = timedelta(minutes=10), timedelta(minutes=5)
"""A request from further back, or further ahead, is nobody's who waits for an answer."""


@dataclass(frozen=True, slots=True)
class Channel:
    """Where one verification is talked over, with whom. ``name`` tells it from others: its transaction or its request."""

    user_id: str
    name: str
    room_id: str | None = None

    def tie(self, content: dict[str, Any]) -> dict[str, Any]:
        """Return a content that says to which verification it belongs."""
        if self.room_id is None:
            return {**content, "transaction_id": self.name}
        return {**content, "m.relates_to": {"rel_type": "m.reference", "event_id": self.name}}


@dataclass(frozen=True, slots=True)
class Heard:
    """One event of a verification; ``device_id`` is what it says of its device, empty where it says nothing."""

    channel: Channel
    kind: str
    device_id: str
    content: dict[str, Any]
    sent_at: datetime | None

    @property
    def begins(self) -> bool:
        """Whether a verification begins by it, and whoever sent it can still wait for an answer.

        Older clients start one from device to device without asking.
        """
        if self.kind == "start":
            return bool(self.device_id) and self.channel.room_id is None
        now = datetime.now(UTC)
        fresh = self.sent_at is not None and now - _OLDEST < self.sent_at < now + _NEWEST
        return bool(self.device_id) and self.kind == "request" and fresh


def from_device(told: Mapping[str, Any]) -> Heard | None:
    """Return what a device sent to ours (``is_verification``); None when it is malformed."""
    content, sender = told.get("content"), told.get("sender")
    name = content.get("transaction_id") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(sender, str) or not isinstance(name, str):
        return None
    kind = str(told["type"]).removeprefix(VERIFICATION)
    sent_at = _moment(content.get("timestamp"))
    return Heard(Channel(sender, name), kind, _device(content), content, sent_at)


def in_room(room_id: str, event: RoomEvent, user_id: str) -> Heard | None:
    """Return what somebody said in a room to verify ``user_id``; None for everything else."""
    content, sent_at = event.content, _moment(event.origin_server_ts)
    if event.type == MESSAGE:
        if content.get("msgtype") != REQUEST or content.get("to") != user_id:
            return None
        channel = Channel(event.sender, event.event_id, room_id)
        return Heard(channel, "request", _device(content), content, sent_at)
    relation = content.get("m.relates_to")
    if not event.type.startswith(VERIFICATION) or not isinstance(relation, dict):
        return None
    if relation.get("rel_type") != "m.reference" or not isinstance(relation.get("event_id"), str):
        return None
    channel = Channel(event.sender, relation["event_id"], room_id)
    kind = event.type.removeprefix(VERIFICATION)
    return Heard(channel, kind, _device(content), content, sent_at)


def _device(content: Mapping[str, Any]) -> str:
    device = content.get("from_device")
    return device if isinstance(device, str) else ""


def _moment(milliseconds: object) -> datetime | None:
    if not isinstance(milliseconds, int) or isinstance(milliseconds, bool):
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
