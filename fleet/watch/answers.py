"""What agents take, and what their turns come to: read from their events and passed on, over restarts too."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import structlog

from bot.agents.failure import FailureKind, TurnFailure
from bot.model import ReceiptState, agent_address
from bot.ports import Correspondence
from fleet.host.local import LocalFleet
from fleet.private_files import write_private
from fleet.turns.events import Event, Stretch, read_events, read_offset, size_of
from fleet.turns.interruptions import Interruptions
from fleet.turns.records import what_failed

_Mail = dict[tuple[str, str], ReceiptState]

_POLL = timedelta(milliseconds=200)
_UNSETTLED = timedelta(seconds=20)
"""How long what is said of a message waits for the message's own delivery to be written down."""
_UNDER_WAY = frozenset({ReceiptState.TYPED, ReceiptState.WAITING})


class Origin(Protocol):
    """Where mail came from: it hears what became of it, and must bear to hear it twice."""

    async def answered(self, message_id: str, answer: str) -> None:
        """Hear how a turn ended."""
        ...

    async def failed(self, message_id: str, failure: TurnFailure) -> None:
        """Hear why a turn has no answer."""
        ...

    async def arrived(self, message_id: str, evidence: dict[str, Any]) -> None:
        """Hear that a program has what was ``unknown``."""
        ...


class AnswerWatch:
    """The part that follows agents' events and tells ``origin`` what is said of our mail.

    How far it came is kept in a file, so what was said while we were away is passed on later; after a crash it may
    be passed on again. What a program repeats of earlier turns (a session that was resumed or forked) is about mail
    that has its end already, and is passed over. ``redact`` takes the secrets that we know out of what a program
    says.
    """

    name = "answers"

    def __init__(
        self,
        fleet: LocalFleet,
        correspondence: Correspondence,
        origin: Origin,
        *,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._fleet = fleet
        self._correspondence = correspondence
        self._origin = origin
        self._redact = redact
        self._interruptions = Interruptions()
        self._offsets: dict[str, int] = {}
        self._held_since: dict[str, float] = {}
        self._log = structlog.get_logger(part=self.name)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Follow until cancelled; TransientError when the database is away, and nothing is lost."""
        ready("following agents' turns")
        while True:
            await self._look()
            if self._interruptions:
                await self._pass_interruptions_on()
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
            self._interruptions.follow(name, event)
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
            key = self._key(name, message_id)
            state = mail.get(key)
            if state is None:
                continue
            if state in _UNDER_WAY and self._is_early(message_id):
                return False
            self._held_since.pop(message_id, None)
            if event.event != "submitted":
                failure = await asyncio.to_thread(_failure, event, message_id)
                await self._end(name, message_id, failure, event.answer)
                del mail[key]
            elif state is ReceiptState.UNKNOWN:
                file = self._fleet.places.events_file(name)
                await self._origin.arrived(message_id, event.evidence(file))
                mail[key] = ReceiptState.ACCEPTED
                self._log.info("late arrival", message=message_id, agent=name)
        return True

    async def _pass_interruptions_on(self) -> None:
        found = await asyncio.to_thread(self._interruptions.found)
        mail = await self._unanswered() if found else {}
        for name, message_id in found:
            state = mail.get(self._key(name, message_id))
            if state in _UNDER_WAY and self._is_early(message_id):
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
            await self._origin.failed(message_id, replace(failure, detail=detail))
        else:
            await self._origin.answered(message_id, answer)
        end = "answer" if failure is None else str(failure.kind)
        self._log.info("turn's end passed on", message=message_id, agent=name, end=end)

    async def _unanswered(self) -> _Mail:
        """Return how every unanswered message to agents of this host stands, by its lane and its id."""
        carrier = agent_address(self._fleet.host, "").carrier
        found = await self._correspondence.unanswered(carrier)
        return {(message.to.lane, message.id): state for message, state in found}

    def _key(self, name: str, message_id: str) -> tuple[str, str]:
        return agent_address(self._fleet.host, name).lane, message_id

    def _is_early(self, message_id: str) -> bool:
        now = asyncio.get_running_loop().time()
        since = self._held_since.setdefault(message_id, now)
        return now - since < _UNSETTLED.total_seconds()


def _failure(event: Event, message_id: str) -> TurnFailure | None:
    """Return why a turn failed, None when it did not; what its end leaves out may stand in the record."""
    if event.failure is None or event.failure.detail or not event.record:
        return event.failure
    return what_failed(Path(event.record), message_id) or event.failure
