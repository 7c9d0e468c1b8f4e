"""A platform with rooms and somebody on it, as the contract of builders and pins meets it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import nio

from bot.rooms.ports import Pins, RoomBuilder, RoomFacts
from tests.fakes.rooms import MemoryHouse
from tests.stages.matrix import Bot
from tests.stages.synapse import Person


class House(Protocol):
    """``me`` and ``ann`` are user ids; ``hers`` is a room of Ann's in which we are and have no power."""

    @property
    def me(self) -> str: ...

    @property
    def ann(self) -> str: ...

    @property
    def hers(self) -> str: ...

    @property
    def builder(self) -> RoomBuilder: ...

    @property
    def pins(self) -> Pins: ...

    async def say(self, place: str, text: str) -> str:
        """Let us say something; return its event's id."""
        ...

    async def pin_hers(self, place: str, event_id: str) -> None:
        """Let Ann, who has all powers there, pin something."""
        ...

    async def pinned(self, place: str) -> Sequence[str]: ...

    async def withdraw(self, place: str, event_id: str) -> None: ...

    async def leave(self, place: str) -> None:
        """Let us go out of a room."""
        ...

    async def enter(self, place: str) -> bool:
        """Let Ann enter a room that she is invited to or may enter; return whether she could."""
        ...


@dataclass
class MemoryHouseStage:
    """The fake."""

    house: MemoryHouse
    ann: str = "@ann:e.org"
    hers: str = "!hers:e.org"

    def __post_init__(self) -> None:
        lacks = frozenset({"name", "topic", "avatar", "pin", "power", "encryption", "space"})
        people, powerful = frozenset({self.me, self.ann}), frozenset({self.ann})
        self.house.facts[self.hers] = RoomFacts(
            inside=True, name="hers", people=people, powerful=powerful, lacks=lacks
        )
        self.house.forbidden.add(self.hers)
        self._said = 0

    @property
    def me(self) -> str:
        return self.house.me

    @property
    def builder(self) -> RoomBuilder:
        return self.house

    @property
    def pins(self) -> Pins:
        return self.house

    async def say(self, place: str, text: str) -> str:
        self._said += 1
        return f"${self._said}"

    async def pin_hers(self, place: str, event_id: str) -> None:
        self.house.pinned.setdefault(place, []).append(event_id)

    async def pinned(self, place: str) -> Sequence[str]:
        return self.house.pinned.get(place, [])

    async def withdraw(self, place: str, event_id: str) -> None:
        self.house.gone.add(event_id)

    async def leave(self, place: str) -> None:
        self.house.facts[place] = replace(self.house.facts[place], inside=False)

    async def enter(self, place: str) -> bool:
        return self.ann in self.house.facts[place].people


class MatrixHouseStage:
    """Synapse."""

    def __init__(self, person: Person, bot: Bot, hers: str) -> None:
        self.me = bot.user_id
        self.ann = person.user_id
        self.hers = hers
        self._person = person
        self._we = bot.town.client(bot.account)
        self._connector = bot.connector()

    @property
    def builder(self) -> RoomBuilder:
        return self._connector.builder

    @property
    def pins(self) -> Pins:
        return self._connector.pins

    async def say(self, place: str, text: str) -> str:
        return await self._we.say(place, text)

    async def pin_hers(self, place: str, event_id: str) -> None:
        listed = [*await self.pinned(place), event_id]
        content = {"pinned": listed}
        answer = await self._person.client.room_put_state(place, "m.room.pinned_events", content)
        assert isinstance(answer, nio.RoomPutStateResponse), answer

    async def pinned(self, place: str) -> Sequence[str]:
        answer = await self._we.client.room_get_state_event(place, "m.room.pinned_events")
        return (
            answer.content.get("pinned", [])
            if isinstance(answer, nio.RoomGetStateEventResponse)
            else []
        )

    async def withdraw(self, place: str, event_id: str) -> None:
        answer = await self._we.client.room_redact(place, event_id)
        assert isinstance(answer, nio.RoomRedactResponse), answer

    async def leave(self, place: str) -> None:
        answer = await self._we.client.room_leave(place)
        assert isinstance(answer, nio.RoomLeaveResponse), answer

    async def enter(self, place: str) -> bool:
        return isinstance(await self._person.client.join(place), nio.JoinResponse)

    async def close(self) -> None:
        await self._connector.close()
