"""The people: clients that say numbered lines, and one that reads along."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiohttp
import nio

from tests.bench.soak.plan import Plan, line
from tests.stages.room import answered
from tests.stages.synapse import Person

_IDLE_SECONDS = 15.0
"""A bot that has answered nothing for so long is not waited for."""

Seen = Mapping[str, Sequence[dict[str, Any]]]
"""What somebody who reads along has seen, by room; it grows."""


class Room:
    """One room: what was said in it, and how far each bot is."""

    def __init__(self, number: int, room_id: str) -> None:
        self.number = number
        self.room_id = room_id
        self.asked: dict[str, int] = {}
        self.numbers = itertools.count()
        self.heads: dict[str, int] = {}


class Conversation:
    """Everybody in all rooms. ``progress`` is how many messages ours has come by."""

    def __init__(self, plan: Plan, rooms: Sequence[Room], seen: Seen, bots: Sequence[str]) -> None:
        self.free = asyncio.Event()
        self.bots = bots
        self._plan = plan
        self._rooms = {room.room_id: room for room in rooms}
        self._seen = seen
        self._read: dict[str, int] = {}
        self._moved: dict[str, float] = dict.fromkeys(bots, time.monotonic())

    @property
    def said(self) -> int:
        """How many messages stand in the rooms."""
        return sum(len(room.asked) for room in self._rooms.values())

    def progress(self, bot: str) -> int:
        """Return how many messages a bot has come by: in each room the furthest that it has answered."""
        self._read_along()
        return sum(room.heads.get(bot, -1) + 1 for room in self._rooms.values())

    def idle(self, bot: str) -> float:
        """Return for how many seconds a bot has come no further."""
        self._read_along()
        return time.monotonic() - self._moved[bot]

    async def hold(self, clients: Sequence[tuple[Person, Sequence[Room]]]) -> None:
        """Let every client say its share of the lines in its rooms in turn, as one conversation."""
        share = self._plan.messages // len(clients)
        async with asyncio.TaskGroup() as group:
            for number, (person, rooms) in enumerate(clients):
                group.create_task(self._talk(number, person, rooms, share))

    async def _talk(self, client: int, person: Person, rooms: Sequence[Room], share: int) -> None:
        for count, room in zip(range(share), itertools.cycle(rooms)):
            await self._wait_for_bots(room)
            number = next(room.numbers)
            text, transaction = line(room.number, number), f"soak-{client}-{count}"
            event_id = await insist(person, room.room_id, text, transaction)
            room.asked[event_id] = number

    async def _wait_for_bots(self, room: Room) -> None:
        """People wait when a bot lags behind, unless it is to be left behind, or says nothing any more."""
        while not self.free.is_set():
            self._read_along()
            waited_for = [bot for bot in self.bots if self.idle(bot) < _IDLE_SECONDS] or self.bots[
                :1
            ]
            behind = min(room.heads.get(bot, -1) for bot in waited_for)
            if len(room.asked) - behind <= self._plan.lead:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await self.free.wait()

    def _read_along(self) -> None:
        for room in self._rooms.values():
            events = self._seen.get(room.room_id, [])
            for event in events[self._read.get(room.room_id, 0) :]:
                self._note(room, event["sender"], answered(event))
            self._read[room.room_id] = len(events)

    def _note(self, room: Room, sender: str, of: str | None) -> None:
        number = room.asked.get(of) if of is not None and sender in self.bots else None
        if number is not None and number > room.heads.get(sender, -1):
            room.heads[sender] = number
            self._moved[sender] = time.monotonic()


async def passed(reached: Callable[[], int], goal: int, patience: float, what: str) -> None:
    """Wait until so much is reached; ``patience`` in seconds is for each step, not for all of them."""
    best, since = reached(), time.monotonic()
    while best < goal:
        await asyncio.sleep(0.05)
        if (now := reached()) > best:
            best, since = now, time.monotonic()
        if time.monotonic() - since > patience:
            raise AssertionError(f"{what}: stuck at {best} of {goal} for {patience:.0f} s")


async def insist(person: Person, room_id: str, text: str, transaction_id: str) -> str:
    """Say a text once, however often the homeserver dies meanwhile; return its event's id."""
    content = {"msgtype": "m.text", "body": text}
    while True:
        try:
            answer = await person.client.room_send(
                room_id, "m.room.message", content, transaction_id, ignore_unverified_devices=True
            )
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, nio.ProtocolError):
            answer = None
        if isinstance(answer, nio.RoomSendResponse):
            return str(answer.event_id)
        await asyncio.sleep(0.1)
