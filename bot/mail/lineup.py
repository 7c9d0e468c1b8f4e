"""What came in and waits to be handled: per lane, in the order of the journal, over restarts and floods."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog

from bot.errors import TransientError
from bot.model import Inbound, InboundBatch, Letter
from bot.ports import Journal

_AT_ONCE = 5_000
_REVISED = 50_000


class Lineup:
    """Keeps the order of every lane.

    While the journal holds older events than those that wait here (after a start, or when a batch's fate was
    unknown for a moment), new ones are left there and taken in after them. ``arrived`` is set whenever there
    may be something to do; ``at_once`` is how many events are read from the journal in one go.
    """

    def __init__(self, journal: Journal, at_once: int = _AT_ONCE) -> None:
        self.arrived = asyncio.Event()
        self._journal = journal
        self._at_once = at_once
        self._lanes: dict[str, deque[Inbound]] = {}
        self._underway: set[str] = set()
        self._behind = True
        self._turn = asyncio.Lock()
        self._revised: OrderedDict[str, None] = OrderedDict()
        self._log = structlog.get_logger(part="lineup")

    async def accept(self, batch: InboundBatch, letters: Sequence[Letter]) -> None:
        """Store a batch with its position and letters; TransientError when the database is away."""
        async with self._turn:
            try:
                fresh = await self._journal.accept(batch, letters)
            except BaseException:
                self._behind = True  # stored or not: the journal knows
                raise
            if not self._behind:
                self._put(fresh)
        self.arrived.set()

    async def fill(self) -> None:
        """Take in what waits in the journal, once nothing of it waits here any more."""
        async with self._turn:
            if self._lanes:
                return
            try:
                found = await self._journal.pending(self._at_once)
            except TransientError as error:
                self._log.info("database away", error=error.message)
                return
            self._behind = len(found) == self._at_once
            self._put(found)

    def take_idle(self) -> list[str]:
        """Return the lanes in which something waits, each to one who must work it off."""
        idle = [lane for lane in self._lanes if lane not in self._underway]
        self._underway.update(idle)
        return idle

    @contextmanager
    def working(self, lane: str) -> Iterator[deque[Inbound]]:
        """Lend a taken lane's events to the one who works them off; what is left stays in line."""
        waiting = self._lanes[lane]
        try:
            yield waiting
        finally:
            self._underway.discard(lane)
            if not waiting:
                self._lanes.pop(lane, None)
                if self._behind:
                    self.arrived.set()

    def drop(self, event: Inbound) -> None:
        """Take an event out of its line: it was settled together with an earlier one."""
        waiting = self._lanes.get(event.source.lane, deque[Inbound]())
        found = next((one for one in waiting if one.event_id == event.event_id), None)
        if found is not None:
            waiting.remove(found)

    def may_be_revised(self, event: Inbound) -> bool:
        """Return whether the journal may know a revision of an event, also an older one; false is certain."""
        return self._behind or event.recovered or event.event_id in self._revised

    def _put(self, events: Sequence[Inbound]) -> None:
        for event in events:
            self._lanes.setdefault(event.source.lane, deque()).append(event)
            if event.is_revision and event.stands_on is not None:
                self._revised[event.stands_on] = None
        while len(self._revised) > _REVISED:
            self._revised.popitem(last=False)
