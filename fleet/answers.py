"""What agents' turns came to: answers and failures, read from their events and passed on, over restarts too."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import structlog

from bot.failure import FailureKind, TurnFailure
from bot.model import ReceiptState, agent_address
from bot.ports import Correspondence
from fleet.events import Event, read_events, read_offset, size_of
from fleet.interruptions import Interruptions
from fleet.local import LocalFleet
from fleet.private_files import write_private
from fleet.records import what_failed

Answered = Callable[[str, str], Awaitable[None]]
Failed = Callable[[str, TurnFailure], Awaitable[None]]

_POLL = timedelta(milliseconds=200)
_UNSETTLED = timedelta(seconds=20)
"""How long a turn's end waits for the delivery of its own question to be written down as accepted."""


class AnswerWatch:
    """The part that follows agents' events: ``answered`` hears every answer to our mail, ``failed`` why there is none.

    How far it came is kept in a file, so an answer given while we were away is passed on later. After a
    crash one may be passed on again: both must bear that. What a program repeats of earlier turns (a session
    that was resumed or forked) is about mail that has its end already, and is passed over. ``redact`` takes the
    secrets that we know out of what a program says.
    """

    name = "answers"

    def __init__(
        self,
        fleet: LocalFleet,
        correspondence: Correspondence,
        answered: Answered,
        failed: Failed,
        *,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._fleet = fleet
        self._correspondence = correspondence
        self._answered = answered
        self._failed = failed
        self._redact = redact
        self._interruptions = Interruptions()
        self._offsets: dict[str, int] = {}
        self._held_since: dict[str, float] = {}
        self._log = structlog.get_logger(part=self.name)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Follow until cancelled; TransientError when the database is away, and nothing is lost."""
        ready("following agents' turns")
        while True:
            for agent in self._fleet.local_agents():
                await self._follow(agent.name)
            if self._interruptions:
                await self._pass_interruptions_on()
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
            self._interruptions.follow(name, event)
            if event.event != "submitted" and not await self._pass_on(name, event):
                break
            end = event.end
        else:
            end = stretch.end
        if end != offset:
            write_private(places.offset_file(name), str(end))
        self._offsets[name] = end

    async def _pass_on(self, name: str, event: Event) -> bool:
        """Pass a turn's end on; false when it must wait because its question is still being delivered."""
        for message_id in event.message_ids:
            state = await self._state(name, message_id)
            if state is None:
                continue
            if state is ReceiptState.TYPED and self._is_early(message_id):
                return False
            self._held_since.pop(message_id, None)
            failure = await asyncio.to_thread(_failure, event, message_id)
            await self._end(name, message_id, failure, event.answer)
        return True

    async def _pass_interruptions_on(self) -> None:
        for name, message_id in await asyncio.to_thread(self._interruptions.found):
            state = await self._state(name, message_id)
            if state is ReceiptState.TYPED and self._is_early(message_id):
                continue
            if state is not None:
                await self._end(name, message_id, TurnFailure(FailureKind.INTERRUPTED))
            self._interruptions.told(message_id)

    async def _end(
        self, name: str, message_id: str, failure: TurnFailure | None, answer: str = ""
    ) -> None:
        """Say what the turn of a message came to."""
        if failure is not None:
            detail = self._redact(failure.detail)
            await self._failed(message_id, replace(failure, detail=detail))
        else:
            await self._answered(message_id, answer)
        end = "answer" if failure is None else str(failure.kind)
        self._log.info("turn's end passed on", message=message_id, agent=name, end=end)

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


def _failure(event: Event, message_id: str) -> TurnFailure | None:
    """Return why a turn failed, None when it did not; what its end leaves out may stand in the record."""
    if event.failure is None or event.failure.detail or not event.record:
        return event.failure
    return what_failed(Path(event.record), message_id) or event.failure
