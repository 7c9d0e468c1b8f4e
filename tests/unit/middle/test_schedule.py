"""The clock calls what it was given, also what comes and goes while it runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta

from bot.clock.moments import Rule
from bot.clock.schedule import Action, Appointment, Job, Schedule
from bot.errors import TransientError
from tests.waiting import until

SOON = timedelta(milliseconds=20)
HOUR = timedelta(hours=1)


@asynccontextmanager
async def running(schedule: Schedule) -> AsyncIterator[list[str]]:
    details: list[str] = []
    task = asyncio.create_task(schedule.run(details.append))
    try:
        await until(lambda: details)
        yield details
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def noting(done: list[str], name: str) -> Action:
    async def act() -> None:
        done.append(name)

    return act


async def test_a_job_comes_again_and_again_also_after_a_failure() -> None:
    runs: list[str] = []

    async def fail() -> None:
        runs.append("failed")
        raise TransientError("away")

    async with running(Schedule([Job("one", SOON, fail)])) as details:
        await until(lambda: len(runs) >= 3)
    assert details == ["one every 0.02 s"]


async def test_a_moment_is_kept_once_and_a_past_one_at_once() -> None:
    done: list[str] = []
    schedule = Schedule([])
    schedule.at("before it runs", now() - HOUR, noting(done, "past"))
    schedule.at("replaced", now() - HOUR, noting(done, "never"))
    schedule.at("replaced", now() + HOUR, noting(done, "later"))
    async with running(schedule):
        schedule.at("soon", now() + SOON, noting(done, "soon"))
        schedule.at("dropped", now() + SOON, noting(done, "dropped"))
        schedule.drop("dropped")
        schedule.drop("unknown")
        await until(lambda: len(done) == 2)
        schedule.at("last", now() + 3 * SOON, noting(done, "last"))
        await until(lambda: len(done) == 3)
    assert done == ["past", "soon", "last"]


async def test_what_waits_for_its_moment_outlives_a_restart_of_the_clock() -> None:
    done: list[str] = []
    schedule = Schedule([])
    async with running(schedule):
        schedule.at("later", now() + HOUR, noting(done, "replaced"))
    schedule.at("later", now() + SOON, noting(done, "later"))
    async with running(schedule):
        await until(lambda: done)
    async with running(schedule):
        schedule.at("sign", now(), noting(done, "sign"))
        await until(lambda: len(done) == 2)
    assert done == ["later", "sign"], "what is done is not done again"


async def test_jobs_come_and_go_while_it_runs() -> None:
    done: list[str] = []
    schedule = Schedule([])
    async with running(schedule):
        schedule.add(Job("one", SOON, noting(done, "one")))
        await until(lambda: len(done) >= 2)
        schedule.drop("one")
        seen = len(done)
        schedule.at("sign", now() + 3 * SOON, noting(done, "sign"))
        await until(lambda: "sign" in done)
    assert done.index("sign") <= seen + 1, "one run may have been under way"


async def test_an_appointment_is_kept_each_time_its_rule_falls_due() -> None:
    done: list[str] = []
    told = [now() - timedelta(days=3), now() - timedelta(days=2)]
    rule = Rule(tuple(range(7)), time(9, 30))
    schedule = Schedule(
        [Appointment("daily", rule, UTC, noting(done, "daily"))],
        lambda: told.pop(0) if told else now(),
    )
    async with running(schedule) as details:
        assert details == ["daily every day at 09:30"]
        await until(lambda: len(done) == 2)
        schedule.at("sign", now(), noting(done, "sign"))
        await until(lambda: "sign" in done)
    assert done == ["daily", "daily", "sign"], "the third time is ahead"


def now() -> datetime:
    return datetime.now(UTC)
