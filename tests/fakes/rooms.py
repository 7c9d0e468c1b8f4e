"""Rooms, placards and a platform that makes rooms, in memory."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.errors import TransientError, UserError
from bot.model import Address
from bot.rooms.placards import PinState, Placard
from bot.rooms.ports import Change, ChangeKind, KeptRoom, Purpose, RoomFacts, RoomRole, RoomWish
from tests.fakes.mailroom import Room

_ORDER = list(RoomRole)


class MemoryRoomBook:
    """The port RoomBook."""

    def __init__(self) -> None:
        self._rooms: dict[Address, KeptRoom] = {}

    async def rooms(self) -> Sequence[KeptRoom]:
        def order(room: KeptRoom) -> tuple[str, int, str]:
            return room.place.kind, _ORDER.index(room.purpose.role), room.purpose.project

        return sorted(self._rooms.values(), key=order)

    async def keep(self, room: KeptRoom) -> None:
        same = [
            known.place
            for known in self._rooms.values()
            if (known.place.kind, known.purpose) == (room.place.kind, room.purpose)
        ]
        for place in same:
            del self._rooms[place]
        self._rooms[room.place] = room

    async def forget(self, place: Address) -> None:
        self._rooms.pop(place, None)


@dataclass
class _Row:
    message_id: str
    former_event: str | None = None
    shown: str = ""
    shown_at: datetime | None = None
    pin: PinState = PinState.DUE


class MemoryPlacards:
    """The port Placards, over a room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._rows: dict[Address, _Row] = {}

    async def find(self, place: Address) -> Placard | None:
        self._room.look()
        row = self._rows.get(place)
        if row is None:
            return None
        parts = [one for one in self._room.rows if one.outbound.message_id == row.message_id]
        return Placard(
            message_id=row.message_id,
            event_id=parts[0].platform_id if parts else None,
            stored=row.message_id in self._room.messages,
            dead=bool(parts) and parts[0].state == "dead",
            shown=row.shown,
            shown_at=row.shown_at,
            pin=row.pin,
            former_event=row.former_event,
        )

    async def begin(self, place: Address, message_id: str, former: Placard | None) -> None:
        self._room.look()
        standing = self._rows.get(place)
        if standing is None or (former is not None and standing.message_id == former.message_id):
            before = None if standing is None or former is None else former.event_id
            self._rows[place] = _Row(message_id, before)

    async def show(self, place: Address, shown: str) -> None:
        self._room.look()
        self._rows[place].shown, self._rows[place].shown_at = shown, self._room.now()

    async def pin(self, place: Address, state: PinState) -> None:
        self._room.look()
        self._rows[place].pin = state


@dataclass
class MemoryHouse:
    """A platform with rooms (the ports RoomBuilder and Pins), as one account, ``me``, has them.

    ``facts`` is how each room is, ``pinned`` what is pinned there, ``gone`` what was withdrawn. ``away`` is raised as
    often as it says by whatever changes something, ``forbidden`` are places where we have no power for pins and
    topics.
    """

    me: str = "@bot:e.org"
    facts: dict[str, RoomFacts] = field(default_factory=dict)
    purposes: dict[str, Purpose] = field(default_factory=dict)
    pinned: dict[str, list[str]] = field(default_factory=dict)
    topics: dict[str, list[str]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    forbidden: set[str] = field(default_factory=set)
    away: list[TransientError] = field(default_factory=list)
    made: int = 0
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def look(self, place: str) -> RoomFacts:
        return self.facts.get(place, RoomFacts(inside=False))

    async def make(self, wish: RoomWish, space: str | None) -> str:
        self._require_line()
        place = f"!made{next(self._numbers)}:e.org"
        self.made += 1
        everybody = frozenset({self.me, *wish.operators})
        self.facts[place] = RoomFacts(
            inside=True,
            name=wish.name,
            topic=wish.topic,
            avatar=wish.avatar,
            encrypted=wish.encrypted,
            ours=True,
            people=everybody,
            powerful=everybody,
        )
        self.purposes[place] = wish.purpose
        return place

    async def mend(self, place: str, change: Change) -> None:
        self._require_line()
        facts = self.facts[place]
        match change:
            case Change(ChangeKind.NAME, name):
                facts = replace(facts, name=name)
            case Change(ChangeKind.TOPIC, topic):
                facts = replace(facts, topic=topic)
            case Change(ChangeKind.AVATAR, avatar):
                facts = replace(facts, avatar=avatar)
            case Change(ChangeKind.ENCRYPT):
                facts = replace(facts, encrypted=True)
            case Change(ChangeKind.CHILD, child):
                facts = replace(facts, children=facts.children | {child})
            case Change(ChangeKind.POWER, person):
                facts = replace(facts, powerful=facts.powerful | {person})
            case Change(ChangeKind.INVITE, person):
                facts = replace(facts, people=facts.people | {person})
        self.facts[place] = facts

    async def found(self) -> Mapping[Purpose, str]:
        ours = sorted(place for place, facts in self.facts.items() if facts.ours and facts.inside)
        return {self.purposes[place]: place for place in reversed(ours) if place in self.purposes}

    async def stands(self, place: str, event_id: str) -> bool:
        return event_id not in self.gone

    async def pin(self, place: str, event_id: str, former: str | None) -> None:
        self._require_power(place)
        pinned = self.pinned.setdefault(place, [])
        if former in pinned:
            pinned[pinned.index(former)] = event_id
        elif event_id not in pinned:
            pinned.append(event_id)

    async def set_topic(self, place: str, topic: str) -> None:
        self._require_power(place)
        said = self.topics.setdefault(place, [])
        if said[-1:] != [topic]:
            said.append(topic)

    def _require_line(self) -> None:
        if self.away:
            raise self.away.pop()

    def _require_power(self, place: str) -> None:
        if place in self.forbidden:
            raise UserError("no power", code="M_FORBIDDEN")
