"""Who may do what in a room, from its state.

Source: Matrix client-server API, "m.room.power_levels" (with its defaults) and "Room versions": since room version 12
whoever made a room has every power there, and stands in no list.
"""

from dataclasses import dataclass
from typing import Any

from connectors.matrix.answers import RoomEvent

ALL = 100
_STATE_DEFAULT, _INVITE_DEFAULT = 50, 0
_CREATORS_RULE = 12

NEEDED = {
    "name": "m.room.name",
    "topic": "m.room.topic",
    "avatar": "m.room.avatar",
    "pin": "m.room.pinned_events",
    "power": "m.room.power_levels",
    "encryption": "m.room.encryption",
    "space": "m.space.child",
}
"""What we do in rooms, with the state event that it takes."""


@dataclass(frozen=True, slots=True)
class Powers:
    """The power levels of one room; ``creators`` are above all of them."""

    content: dict[str, Any]
    creators: frozenset[str]

    def level_of(self, user_id: str) -> float:
        """Return somebody's power."""
        if user_id in self.creators:
            return float("inf")
        users = self.content.get("users")
        default = _number(self.content.get("users_default"), 0)
        return _number(users.get(user_id), default) if isinstance(users, dict) else default

    def needed_for(self, event_type: str) -> float:
        """Return the power that it takes to change a part of the state."""
        events = self.content.get("events")
        default = _number(self.content.get("state_default"), _STATE_DEFAULT)
        return _number(events.get(event_type), default) if isinstance(events, dict) else default

    def lacks(self, user_id: str) -> frozenset[str]:
        """Return what somebody has no power for: the words of ``NEEDED``, and invite."""
        level = self.level_of(user_id)
        lacking = {word for word, kind in NEEDED.items() if level < self.needed_for(kind)}
        if level < _number(self.content.get("invite"), _INVITE_DEFAULT):
            lacking.add("invite")
        return frozenset(lacking)

    def powerful(self) -> frozenset[str]:
        """Return who has all powers."""
        users = self.content.get("users")
        named = users if isinstance(users, dict) else {}
        return self.creators | {who for who, level in named.items() if _number(level, 0) >= ALL}

    def with_all(self, user_id: str) -> dict[str, Any]:
        """Return the content in which somebody has all powers too."""
        users = self.content.get("users")
        return {
            **self.content,
            "users": {**(users if isinstance(users, dict) else {}), user_id: ALL},
        }


def read_powers(state: dict[tuple[str, str], RoomEvent]) -> Powers:
    """Return the powers of a room's state; a room without power levels is its creator's."""
    create = state.get(("m.room.create", ""))
    levels = state.get(("m.room.power_levels", ""))
    creators: set[str] = set()
    if create is not None and (levels is None or _version(create) >= _CREATORS_RULE):
        creators.add(create.sender)
        more = create.content.get("additional_creators")
        creators |= {str(one) for one in more} if isinstance(more, list) else set()
    return Powers({} if levels is None else levels.content, frozenset(creators))


def _version(create: RoomEvent) -> int:
    version = str(create.content.get("room_version", "1"))
    return int(version) if version.isdecimal() else 1


def _number(value: object, default: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    return value
