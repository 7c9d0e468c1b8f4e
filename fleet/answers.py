"""What agents take and answer: their own words of it, read from their events and passed on, over restarts too."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import structlog

from bot.model import ReceiptState, agent_address
from bot.ports import Correspondence
from fleet.events import Event, Stretch, read_events, read_offset, size_of
from fleet.local import LocalFleet
from fleet.private_files import write_private

Answered = Callable[[str, str], Awaitable[None]]
_Mail = dict[tuple[str, str], ReceiptState]
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
            await self._look()
            await asyncio.sleep(_POLL.total_seconds())

    async def _look(self) -> None:
        names = [agent.name for agent in self._fleet.local_agents()]
        news = {name: stretch for name in names if (stretch := self._news(name)) is not None}
        ours = any(event.message_ids for stretch in news.values() for event in stretch.events)
        # Asked for after the files were read: whatever a turn was begun with, it was typed before.
        mail = await self._unanswered() if ours else {}
        for name, stretch in news.items():
            await self._follow(name, stretch, mail)

    def _news(self, name: str) -> Stretch | None:
        """Return what an agent has said since we looked last, None when it is nothing."""
        path = self._fleet.places.events_file(name)
        offset = self._offsets.get(name)
        if offset is None:
            offset = self._offsets[name] = read_offset(self._fleet.places.offset_file(name))
        return None if size_of(path) == offset else read_events(path, offset)

    async def _follow(self, name: str, stretch: Stretch, mail: _Mail) -> None:
        offset = end = self._offsets[name]
        for event in stretch.events:
            if not await self._pass_on(name, event, mail):
                break
            end = event.end
        else:
            end = stretch.end
        if end != offset:
            write_private(self._fleet.places.offset_file(name), str(end))
        self._offsets[name] = end

    async def _pass_on(self, name: str, event: Event, mail: _Mail) -> bool:
        """Pass an event on; false when it must wait because its message is still being delivered."""
        for message_id in event.message_ids:
            key = agent_address(self._fleet.host, name).lane, message_id
            state = mail.get(key)
            if state is None:
                continue
            if state in _UNDER_WAY and self._is_early(message_id):
                return False
            self._held_since.pop(message_id, None)
            if event.event == "turn_ended":
                await self._answered(message_id, event.answer)
                del mail[key]
                self._log.info("answer passed on", message=message_id, agent=name)
            elif state is ReceiptState.UNKNOWN:
                file = self._fleet.places.events_file(name)
                await self._arrived(message_id, event.evidence(file))
                mail[key] = ReceiptState.ACCEPTED
                self._log.info("late arrival", message=message_id, agent=name)
        return True

    async def _unanswered(self) -> _Mail:
        """Return how every unanswered message to agents of this host stands, by its lane and its id."""
        carrier = agent_address(self._fleet.host, "").carrier
        found = await self._correspondence.unanswered(carrier)
        return {(message.to.lane, message.id): state for message, state in found}

    def _is_early(self, message_id: str) -> bool:
        now = asyncio.get_running_loop().time()
        since = self._held_since.setdefault(message_id, now)
        return now - since < _UNSETTLED.total_seconds()
