"""A homeserver, its rooms and the people in them, plain or encrypted."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import nio

from connectors.matrix.homeserver.accounts import Account
from tests.bench.soak.people import Room, Seen
from tests.bench.soak.plan import Plan
from tests.stages.encrypted import PrivatePerson
from tests.stages.room import Watch
from tests.stages.synapse import Person, Town
from tests.waiting import until

Event = dict[str, Any]
_PATIENCE = 60.0
_FILTER = {"room": {"timeline": {"limit": 100}}}


class House:
    """Everybody but the bots. ``watch`` shows what is said, ``clients`` are who speaks, and where."""

    def __init__(self, plan: Plan, town: Town, directory: Path) -> None:
        self.ours: Account
        self.rival: Account
        self.rooms: list[Room] = []
        self.clients: list[tuple[Person, list[Room]]] = []
        self.watch: Watch | Witness
        self._plan = plan
        self._town = town
        self._directory = directory
        self._reader: Person

    @property
    def people(self) -> list[Person]:
        """Who may give commands."""
        return [person for person, _ in self.clients]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Make all accounts and rooms, and let clients that encrypt read along until the block ends."""
        await self._move_in()
        async with AsyncExitStack() as stack:
            for person in (*self.people, self.watch):
                if isinstance(person, PrivatePerson):
                    await stack.enter_async_context(person.listening())
            looking = asyncio.create_task(self._look())
            stack.callback(looking.cancel)
            yield

    async def _move_in(self) -> None:
        """Every client is in two rooms; one more reads in all."""
        plan, town = self._plan, self._town
        self._reader = await self._person("reader")
        people = [await self._person("client") for _ in range(plan.clients)]
        self.ours, self.rival = await town.account("mosaic"), await town.account("rival")
        inside = [
            [people[n] for n in range(plan.clients) if room in {n % plan.rooms, _second(n, plan)}]
            for room in range(plan.rooms)
        ]
        for number, members in enumerate(inside):
            guests = (self.ours, self.rival, *(person.account for person in members))
            room_id = await town.room(self._reader.account, *guests)
            if plan.private:
                await self._reader.encrypt(room_id)
            self.rooms.append(Room(number, room_id))
        self.clients = [(p, [r for r in self.rooms if p in inside[r.number]]) for p in people]
        self.watch = self._reader if isinstance(self._reader, Witness) else Watch(self._reader)

    async def _person(self, word: str) -> Person:
        if not self._plan.private:
            return await self._town.person(word)
        account = await self._town.account(word)
        sort = Witness if word == "reader" else PrivatePerson
        person = sort(self._town.url, account, self._directory / account.device_id)
        self._town.take_home(person)
        return person

    @property
    def seen(self) -> Seen:
        """What is seen of what is said; it grows."""
        watch = self.watch
        return watch.events_seen if isinstance(watch, Witness) else watch.events

    async def acquaint(self, users: Sequence[str]) -> None:
        """Wait until every client that encrypts knows a device of each of these users."""
        for person in self.people:
            if isinstance(person, PrivatePerson):
                what = f"{person.user_id} to know the bots' devices"
                await until(partial(_knows, person, users), _PATIENCE, what)

    async def _look(self) -> None:
        if isinstance(self.watch, Watch):
            await self.watch.look()

    async def events(self, room_id: str) -> Sequence[Event]:
        """Return all that stands in a room, oldest first, in clear text as far as it can be read."""
        events = await self._reader.events(room_id)
        if isinstance(self._reader, Witness):
            return [self._reader.read(event, room_id) for event in events]
        return events


class Witness(PrivatePerson):
    """Somebody who reads along in encrypted rooms; ``events_seen`` is what came, by room."""

    def __init__(self, url: str, account: Account, store: Path) -> None:
        super().__init__(url, account, store)
        self.events_seen: dict[str, list[Event]] = {}

    async def _listen(self) -> None:
        while True:
            answer = await self.client.sync(timeout=30_000, sync_filter=_FILTER)
            assert isinstance(answer, nio.SyncResponse), answer
            await self._settle()

    async def _hear(self, room: nio.MatrixRoom, event: nio.RoomMessage) -> None:
        seen = {**event.source, "type": "m.room.message"}
        self.events_seen.setdefault(room.room_id, []).append(seen)

    def read(self, event: Event, room_id: str) -> Event:
        """Return an event in clear text, or as it is when its key is not here."""
        parsed = nio.Event.parse_event(event)
        if not isinstance(parsed, nio.MegolmEvent):
            return event
        parsed.room_id = room_id
        try:
            opened = self.client.decrypt_event(parsed)
        except nio.EncryptionError:
            return event
        return {**event, "type": opened.source["type"], "content": opened.source["content"]}


def _knows(person: PrivatePerson, users: Sequence[str]) -> bool:
    store = person.client.device_store
    return all(list(store.active_user_devices(user)) for user in users)


def _second(client: int, plan: Plan) -> int:
    """Return the other room of a client."""
    return (client + 1 + client // plan.rooms) % plan.rooms
