"""What agents take and answer: their own words of it, read from their events and passed on, over restarts too."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import structlog

from bot.model import ReceiptState, agent_address
from bot.ports import Correspondence
from fleet.events import Event, read_events, read_offset, size_of
from fleet.local import LocalFleet
from fleet.private_files import write_private

Answered = Callable[[str, str], Awaitable[None]]
Arrived = Callable[[str, dict[str, Any]], Awaitable[None]]

_POLL = timedelta(milliseconds=200)
_UNSETTLED = timedelta(seconds=20)
"""How long what is said of a message waits for the message's own delivery to be written down."""
_UNDER_WAY = frozenset({ReceiptState.TYPED, ReceiptState.WAITING})


class AnswerWatch:
    """The part that follows agents' events and calls ``answered`` for every answer to our mail.

    It calls ``arrived`` for mail that a program says it has after nobody could tell (``unknown``). How far it
    came is kept in a file, so what was said while we were away is passed on later. After a crash it may be
    passed on again: both must bear that.
    """

    name = "answers"

    def __init__(
        self,
        fleet: LocalFleet,
        correspondence: Correspondence,
        answered: Answered,
        arrived: Arrived,
    ) -> None:
        self._fleet = fleet
        self._correspondence = correspondence
        self._answered = answered
        self._arrived = arrived
        self._offsets: dict[str, int] = {}
        self._held_since: dict[str, float] = {}
        self._log = structlog.get_logger(part=self.name)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Follow until cancelled; TransientError when the database is away, and nothing is lost."""
        ready("following agents' turns")
        while True:
            for agent in self._fleet.local_agents():
                await self._follow(agent.name)
            await asyncio.sleep(_POLL.total_seconds())

    async def _follow(self, name: str) -> None:
        places = self._fleet.places
        offset = self._offsets.get(name)
        if offset is None:
            offset = read_offset(places.offset_file(name))
        if size_of(places.events_file(name)) == offset:
            self._offsets[name] = offset
            return
        stretch = read_events(places.events_file(name), offset)
        end = offset
        for event in stretch.events:
            if not await self._pass_on(name, event):
                break
            end = event.end
        else:
            end = stretch.end
        if end != offset:
            write_private(places.offset_file(name), str(end))
        self._offsets[name] = end

    async def _pass_on(self, name: str, event: Event) -> bool:
        """Pass an event on; false when it must wait because its message is still being delivered."""
        for message_id in event.message_ids:
            state = await self._state(name, message_id)
            if state is None:
                continue
            if state in _UNDER_WAY and self._is_early(message_id):
                return False
            self._held_since.pop(message_id, None)
            if event.event == "turn_ended":
                await self._answered(message_id, event.answer)
                self._log.info("answer passed on", message=message_id, agent=name)
            elif state is ReceiptState.UNKNOWN:
                file = self._fleet.places.events_file(name)
                await self._arrived(message_id, event.evidence(file))
                self._log.info("late arrival", message=message_id, agent=name)
        return True

    async def _state(self, name: str, message_id: str) -> ReceiptState | None:
        """Return how an unanswered message to this very agent stands, None when there is no such one."""
        address = agent_address(self._fleet.host, name)
        for message, state in await self._correspondence.unanswered(address.carrier):
            if message.id == message_id and message.to.lane == address.lane:
                return state
        return None

    def _is_early(self, message_id: str) -> bool:
        now = asyncio.get_running_loop().time()
        since = self._held_since.setdefault(message_id, now)
        return now - since < _UNSETTLED.total_seconds()
