"""Rooms with a role: which ones there are, how they should be, and how they are on their platform."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.model import Address


class RoomRole(StrEnum):
    """What a room is for. A space holds the others together and is no place to talk in."""

    SPACE = "space"
    OPS = "ops"
    MAIL = "mail"
    PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Purpose:
    """A role, and for a project's room which project's; an installation has one room of each on a platform."""

    role: RoomRole
    project: str = ""

    def __str__(self) -> str:
        return f"{self.role} {self.project}".strip()


@dataclass(frozen=True, slots=True)
class KeptRoom:
    """A room whose purpose is written down."""

    place: Address
    purpose: Purpose


class RoomBook(Protocol):
    """Which rooms have which purpose, over restarts and all daemons."""

    async def rooms(self) -> Sequence[KeptRoom]:
        """Return all of them: space, ops, mail, then projects by name."""
        ...

    async def keep(self, room: KeptRoom) -> None:
        """Write a room's purpose down; another one's that had it, and what else it was for, are forgotten."""
        ...

    async def forget(self, place: Address) -> None:
        """Strike a room out; one that is not there is no matter."""
        ...


@dataclass(frozen=True, slots=True)
class RoomWish:
    """How a room should be. ``operators`` are the platform's own user ids, ``avatar`` is empty or an mxc address."""

    purpose: Purpose
    name: str
    topic: str
    operators: tuple[str, ...] = ()
    avatar: str = ""
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class RoomFacts:
    """How a room is. ``lacks`` names what we have no power for there: name, topic, avatar, invite, pin, power, encryption.

    ``people`` are who is in it or invited, ``powerful`` who has all powers there. ``children`` are a space's rooms.
    """

    inside: bool
    name: str = ""
    topic: str = ""
    avatar: str = ""
    encrypted: bool = False
    ours: bool = False
    people: frozenset[str] = frozenset()
    powerful: frozenset[str] = frozenset()
    children: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()


class RoomBuilder(Protocol):
    """A platform where we can make rooms. Errors are as of Connector.send; places are the platform's own ids."""

    async def look(self, place: str) -> RoomFacts:
        """Return how a room is; one that is gone or closed to us is one that we are not inside."""
        ...

    async def make(self, wish: RoomWish, space: str | None) -> str:
        """Make a room with all that is wished; whoever is in the space may enter it. Return its id."""
        ...

    async def mend(self, place: str, change: "Change") -> None:
        """Do one thing to a room; repeatable."""
        ...

    async def found(self) -> Mapping[Purpose, str]:
        """Return rooms that we made ourselves and are in, whether they are written down or not."""
        ...


class ChangeKind(StrEnum):
    """What can be done to a room that is there."""

    NAME = "name"
    TOPIC = "topic"
    AVATAR = "avatar"
    INVITE = "invite"
    POWER = "power"
    ENCRYPT = "encrypt"
    CHILD = "child"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do to a room; ``value`` is the new name, topic or avatar, the person, or the room to hold."""

    kind: ChangeKind
    value: str = ""


class Pins(Protocol):
    """What a place shows above everything else, for as long as it is pinned."""

    async def stands(self, place: str, event_id: str) -> bool:
        """Return whether what we said still stands there: it was not withdrawn, and we can see it."""
        ...

    async def pin(self, place: str, event_id: str, former: str | None) -> None:
        """Pin an event in the place of a former one; others' pins stay. UserError when we have no power for it."""
        ...

    async def set_topic(self, place: str, topic: str) -> None:
        """Say a room's topic; nothing is done when it is so already. UserError when we have no power for it."""
        ...


class HasRooms(Protocol):
    """A connector whose platform lets it make rooms, and has pins."""

    @property
    def builder(self) -> RoomBuilder: ...

    @property
    def pins(self) -> Pins: ...
