"""The part that knows which pause stands, and tells the operators."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime

import pytest

from bot.errors import TransientError
from bot.model import Address, Principal
from bot.supervision.pause import Pause
from bot.supervision.pause_watch import PauseWatch
from tests.fakes.pauses import MemoryPauses
from tests.waiting import until

ANN = Principal("matrix:@ann:example.org", "Ann")
BEN = Principal("local:1000", "ben")
ROOM = Address("matrix", "!ops")
CLI = Address("cli", BEN.id)


class Slow(MemoryPauses):
    """Pauses whose next answer comes late: it was read before ``meanwhile`` ran."""

    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def current(self) -> Pause | None:
        found = self.strictest()
        if self.meanwhile is not None:
            step, self.meanwhile = self.meanwhile, None
            await step()
        return found


class Desk:
    """A watch with what it told."""

    def __init__(self) -> None:
        self.pauses = Slow()
        self.told: list[str] = []
        self.watch = PauseWatch(
            self.pauses, lambda text, _offers: self.told.append(text), lambda: ROOM
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[list[str]]:
        details: list[str] = []
        task = asyncio.create_task(self.watch.run(details.append))
        try:
            yield details
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_pause_from_elsewhere_is_seen_and_told_once(desk: Desk) -> None:
    async with desk.running() as details:
        await until(lambda: details)
        assert desk.watch.current is None
        made = await desk.pauses.pause(BEN, "deploy", freeze=False)
        await until(lambda: desk.watch.current == made, 1)
        await until(lambda: made.sentence() in details, 1)
        await desk.pauses.resume(BEN)
        await until(lambda: desk.watch.current is None, 1)
    assert desk.told == [
        f"{made.sentence()}. `resume` lets everything go on.",
        f"Resumed: what was {made.notice()} goes on.",
    ]


async def test_what_was_asked_for_in_the_room_itself_is_not_said_there_again(desk: Desk) -> None:
    made = await desk.watch.pause(ANN, None, ROOM, freeze=False)
    assert desk.watch.current == made
    assert await desk.watch.resume(ANN, replace(ROOM, thread="$t")) == made
    assert await desk.watch.ask() is None
    assert desk.told == []


async def test_what_was_asked_for_on_the_command_line_is_told_in_the_room(desk: Desk) -> None:
    made = await desk.watch.pause(BEN, None, CLI, freeze=True)
    assert await desk.watch.ask() == made
    await desk.watch.resume(BEN, CLI)
    assert [text.split(" ")[0] for text in desk.told] == ["Paused", "Resumed:"]


async def test_an_older_look_never_overtakes_a_command(desk: Desk) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        begun.set()
        await go_on.wait()

    desk.pauses.meanwhile = slowly
    looking = asyncio.create_task(desk.watch.ask())
    await begun.wait()
    pausing = asyncio.create_task(desk.watch.pause(ANN, None, ROOM, freeze=False))
    await asyncio.sleep(0)
    go_on.set()
    await looking
    assert desk.watch.current == await pausing
    assert desk.told == []


async def test_a_stricter_pause_is_told_as_well(desk: Desk) -> None:
    await desk.pauses.pause(BEN, None, freeze=False)
    await desk.watch.ask()
    frozen = await desk.pauses.pause(BEN, "leak", freeze=True)
    await desk.watch.ask()
    assert desk.told[1:] == [f"{frozen.sentence()}. `resume` lets everything go on."]


async def test_without_a_database_the_last_look_counts(desk: Desk) -> None:
    made = await desk.pauses.pause(BEN, None, freeze=False)
    await desk.watch.ask()

    async def away() -> None:
        raise TransientError("the database is away")

    desk.pauses.meanwhile = away
    assert await desk.watch.ask() == made


def test_an_older_pause_is_said_with_its_date() -> None:
    pause = Pause("local:1", "deploy", datetime.fromisoformat("2020-01-02T03:04:05+00:00"), True)
    assert pause.sentence() == "Paused by local:1 since 2020-01-02 03:04 UTC (deploy); freeze"
