"""The clock: APScheduler calls our jobs; what they do, and whether it was done, is not its business."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.errors import MosaicError


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do again and again: ``action`` runs every ``interval``, never twice at once."""

    name: str
    interval: timedelta
    action: Callable[[], Awaitable[None]]


class Schedule:
    """The part that keeps time. A late run is made up for once; a failed one is logged, and the next comes."""

    name = "schedule"

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._log = structlog.get_logger(part=self.name)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Keep time until cancelled."""
        clock = AsyncIOScheduler(timezone="UTC")
        for job in self._jobs:
            clock.add_job(
                self._do,
                "interval",
                args=[job],
                id=job.name,
                seconds=job.interval.total_seconds(),
                misfire_grace_time=None,
                coalesce=True,
                max_instances=1,
            )
        clock.start()
        try:
            ready(
                ", ".join(
                    f"{job.name} every {job.interval.total_seconds():g} s" for job in self._jobs
                )
            )
            await asyncio.Event().wait()
        finally:
            clock.shutdown(wait=False)

    async def _do(self, job: Job) -> None:
        try:
            await job.action()
        except MosaicError as error:
            self._log.warning("job failed", job=job.name, error=error.message)
