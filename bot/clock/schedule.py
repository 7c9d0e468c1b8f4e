"""The clock: APScheduler calls our jobs; what they do, and whether it was done, is not its business."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.clock.moments import Rule
from bot.errors import MosaicError

Action = Callable[[], Awaitable[None]]

_BESIDE = 8
"""Runs of one-time jobs of one name that may be under way at once; APScheduler drops more."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do again and again: ``action`` runs every ``interval``, never twice at once."""

    name: str
    interval: timedelta
    action: Action


@dataclass(frozen=True, slots=True)
class Appointment:
    """Something to do whenever a rule falls due on the wall clock of ``zone``."""

    name: str
    rule: Rule
    zone: tzinfo
    action: Action


class Schedule:
    """The part that keeps time. A late run is made up for once; a failed one is logged, and the next comes.

    Jobs may come and go while it runs; what is put in before, or while it is started again, is kept.
    """

    name = "schedule"

    def __init__(
        self,
        jobs: Sequence[Job | Appointment],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._now = now
        self._clock: AsyncIOScheduler | None = None
        self._once: dict[str, tuple[datetime, Action]] = {}
        self._log = structlog.get_logger(part=self.name)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Keep time until cancelled."""
        clock = self._clock = AsyncIOScheduler(timezone="UTC")
        for job in self._jobs.values():
            self.add(job)
        for name, (moment, action) in tuple(self._once.items()):
            self.at(name, moment, action)
        clock.start()
        try:
            ready(", ".join(map(_said, self._jobs.values())))
            await asyncio.Event().wait()
        finally:
            self._clock = None
            clock.shutdown(wait=False)

    def add(self, job: Job | Appointment) -> None:
        """Do something again and again; the same name again replaces it."""
        self._jobs[job.name] = job
        match job:
            case Job():
                seconds = job.interval.total_seconds()
                self._put(job.name, job.action, "interval", seconds=seconds)
            case Appointment():
                self._keep(job)

    def at(self, name: str, moment: datetime, action: Action) -> None:
        """Do something once at a moment, at once when it is past; the same name again replaces it.

        It may run beside the one that it replaces, when that has begun.
        """
        self._once[name] = moment, action

        async def act() -> None:
            if self._once.get(name) == (moment, action):
                del self._once[name]
            await action()

        self._put(name, act, "date", run_date=moment)

    def drop(self, name: str) -> None:
        """Do it no more; what runs goes on to its end."""
        self._jobs.pop(name, None)
        self._once.pop(name, None)
        if self._clock is not None and self._clock.get_job(name) is not None:
            self._clock.remove_job(name)

    def _keep(self, appointment: Appointment) -> None:
        due_at = appointment.rule.after(self._now(), appointment.zone)

        async def act() -> None:
            if self._jobs.get(appointment.name) == appointment:
                self._keep(appointment)
            await appointment.action()

        self._put(appointment.name, act, "date", run_date=due_at)

    def _put(self, name: str, action: Action, trigger: str, **when: Any) -> None:
        if self._clock is not None:
            self._clock.add_job(
                self._do,
                trigger,
                args=[name, action],
                id=name,
                replace_existing=True,
                misfire_grace_time=None,
                coalesce=True,
                max_instances=1 if trigger == "interval" else _BESIDE,
                **when,
            )

    async def _do(self, name: str, action: Action) -> None:
        try:
            await action()
        except MosaicError as error:
            self._log.warning("job failed", job=name, error=error.message)


def _said(job: Job | Appointment) -> str:
    if isinstance(job, Job):
        return f"{job.name} every {job.interval.total_seconds():g} s"
    return f"{job.name} every {job.rule}"
