"""The supervisor: sees to it that no agent is idle while there is a card for it, and says why when one is."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.supervision.escalation import Escalation
from bot.supervision.ports import Lead, Leadership, TickRecord, Ticks, Verdict, Workers
from bot.supervision.tick import MOST_AT_ONCE, Result, Sight, Tick, free

_STAND_BY = timedelta(seconds=2)
_RESTED, _BUSY = timedelta(seconds=1), timedelta(milliseconds=250)
_KEPT = timedelta(days=14)
_PRUNE_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often it looks: a tick every ``tick``, and looks between them, closer together while cards are under way."""

    tick: timedelta
    rested: timedelta = _RESTED
    busy: timedelta = _BUSY
    stand_by: timedelta = _STAND_BY


class Supervisor:
    """The part ``supervisor``. One daemon of all on a database leads; the others stand by.

    ``wake(why)`` makes the next tick due at once. Ticks never overlap, since one loop takes them; one that takes
    longer than the time between two is reported by ``overran``. ``limits`` says how many agents of a class may
    hold cards at once.
    """

    name = "supervisor"

    def __init__(
        self,
        tick: Tick,
        ticks: Ticks,
        workers: Workers,
        leadership: Leadership,
        escalation: Escalation,
        *,
        host: str,
        pace: Pace,
        limits: Mapping[str, int],
        overran: Callable[[str], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._tick = tick
        self._ticks = ticks
        self._workers = workers
        self._leadership = leadership
        self._escalation = escalation
        self._host = host
        self._pace = pace
        self._limits = limits
        self._overran = overran
        self._clock = clock
        self._due: str | None = None
        self._woken = asyncio.Event()
        self._said: dict[str, Verdict] = {}
        self._looked_at: datetime | None = None
        self._heard_at: datetime | None = None
        self._saw_demand = False
        self._idle_seconds = 0.0
        self._leads = False
        self._log = structlog.get_logger(part=self.name)

    @property
    def leads(self) -> bool:
        """Whether this daemon leads now."""
        return self._leads

    def wake(self, why: str) -> None:
        """Make a tick due at once; the first reason is the one that is recorded."""
        self._due = self._due or why
        self._woken.set()

    def hint(self, payload: str) -> None:
        """Hear of something that may need a tick: the next look is now."""
        if payload == "tick":
            self.wake("asked for")
        self._heard_at = self._clock()
        self._woken.set()

    async def due(self) -> None:
        """Make the tick of the schedule due: what the clock calls."""
        self.wake("schedule")

    async def run(self, ready: Callable[[str], None]) -> None:
        """Lead or stand by until cancelled; TransientError when the database is away."""
        while True:
            async with self._leadership.lead(self._host) as lead:
                if lead is not None:
                    await self._lead(lead, ready)
                    self._log.warning("no longer the leader")
            leader = await self._leadership.leader()
            ready("stands by" if leader is None else f"stands by; {leader[0]} leads")
            await asyncio.sleep(self._pace.stand_by.total_seconds())

    async def _lead(self, lead: Lead, ready: Callable[[str], None]) -> None:
        """Lead until the right to it is lost."""
        self._log.info("leads", host=self._host)
        ready("leads")
        self._leads = True
        try:
            await self._workers.limit(self._limits)
            self._said = dict(await self._ticks.standing())
            self._looked_at = None
            self.wake("began to lead")
            pruned_at = 0.0
            while await lead.holds():
                self._woken.clear()  # before the look: what is heard of after it is looked at anew
                sight = await self._look()
                why = self._due or self._tick.needs(sight)
                if why is not None:
                    self._due = None
                    await self._take(why, sight)
                if time.monotonic() - pruned_at > _PRUNE_EVERY.total_seconds():
                    pruned_at = time.monotonic()
                    await self._ticks.prune(_KEPT)
                if self._due is None:
                    await self._breathe(self._pace.busy if sight.open else self._pace.rested)
        finally:
            self._leads = False

    async def _breathe(self, pause: timedelta) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause.total_seconds()):
                await self._woken.wait()

    async def _look(self) -> Sight:
        """Look, and count for how long free agents have had cards waiting for them since the last look."""
        sight, before = await self._tick.look(), self._looked_at
        if before is not None:
            if not self._saw_demand and self._heard_at is not None:
                before = max(before, self._heard_at)  # there was no card before that
            waits = (sight.at - max(before, worker.since) for worker in self._tick.waiting(sight))
            self._idle_seconds += sum(max(0.0, wait.total_seconds()) for wait in waits)
        self._looked_at, self._saw_demand = sight.at, bool(sight.demands)
        return sight

    async def _take(self, why: str, sight: Sight) -> None:
        """Take a tick and record it."""
        begun_at, began, cpu = self._clock(), time.monotonic(), time.thread_time()
        result = await self._tick.run(sight)
        await self._escalation.look(result)
        took = timedelta(seconds=time.monotonic() - began)
        used = timedelta(seconds=time.thread_time() - cpu)
        await self._record(why, begun_at, took, used, result)
        if result.dispatched >= MOST_AT_ONCE:
            self.wake("more cards than one tick hands out")
        if took > self._pace.tick:
            said = f"A tick took {took.total_seconds():.1f} s, longer than the {self._pace.tick.total_seconds():g} s between two."
            self._log.warning("tick overran", seconds=took.total_seconds())
            self._overran(said)

    async def _record(
        self, why: str, begun_at: datetime, took: timedelta, cpu: timedelta, result: Result
    ) -> None:
        """Write the tick down, with those verdicts that are news."""
        record = TickRecord(
            host=self._host,
            trigger=why,
            begun_at=begun_at,
            took_ms=took.total_seconds() * 1000,
            cpu_ms=cpu.total_seconds() * 1000,
            reclaimed=len(result.reclaimed),
            dispatched=result.dispatched,
            ended=result.ended,
            open=len(result.sight.open) + result.dispatched,
            available=free(result.sight.workers),
            idle_seconds=self._idle_seconds,
        )
        self._idle_seconds = 0.0
        news = [one for one in result.verdicts if self._is_news(one)]
        await self._ticks.record(record, news)
        self._said |= {one.subject: one for one in news}

    def _is_news(self, verdict: Verdict) -> bool:
        before = self._said.get(verdict.subject)
        return before is None or (before.code, before.sentence) != (verdict.code, verdict.sentence)
