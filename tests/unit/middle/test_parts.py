"""Parts are opened in order, restarted each on its own, closed in reverse."""

import asyncio
from collections.abc import Callable

from bot.errors import SetupError, TransientError
from bot.part_status import PartState, PartStatus
from bot.wiring.parts import Parts
from tests.waiting import until


class Piece:
    """A part that fails as often as it is told, then works."""

    def __init__(self, name: str, story: list[str], *failures: Exception) -> None:
        self.name = name
        self._story = story
        self._failures = list(failures)

    async def run(self, ready: Callable[[str], None]) -> None:
        if self._failures:
            raise self._failures.pop(0)
        self._story.append(f"open {self.name}")
        ready("works")
        try:
            await asyncio.Event().wait()
        finally:
            self._story.append(f"close {self.name}")


class Stage:
    def __init__(self, *parts: Piece) -> None:
        self.changes: list[tuple[str, PartStatus]] = []
        self.parts = Parts(parts, lambda name, status: self.changes.append((name, status)))
        self.opened = asyncio.Event()
        self.stopping = asyncio.Event()
        self.running = asyncio.create_task(self.parts.run(self.opened.set, self.stopping))

    async def stop(self) -> None:
        self.stopping.set()
        await self.running


async def test_parts_open_in_order_and_close_in_reverse() -> None:
    story: list[str] = []
    stage = Stage(*(Piece(name, story) for name in ("a", "b", "c")))
    await stage.opened.wait()
    await stage.stop()
    assert story == ["open a", "open b", "open c", "close c", "close b", "close a"]


async def test_a_part_that_fails_is_reported_and_retried_while_the_others_work() -> None:
    story: list[str] = []
    stage = Stage(Piece("a", story, TransientError("away")), Piece("b", story))
    await stage.opened.wait()
    assert stage.parts.status["b"].state is PartState.OK
    await until(lambda: stage.parts.status["a"].state is PartState.OK)
    assert ("a", PartState.RETRYING, "away") in [(n, s.state, s.detail) for n, s in stage.changes]
    await stage.stop()


async def test_a_part_that_needs_a_person_is_stopped_with_the_reason() -> None:
    story: list[str] = []
    stage = Stage(Piece("a", story, SetupError("no token", hint="set TOKEN")), Piece("b", story))
    await stage.opened.wait()
    status = stage.parts.status["a"]
    assert (status.state, status.detail) == (PartState.STOPPED, "no token (set TOKEN)")
    await stage.stop()
    assert story == ["open b", "close b"]


async def test_a_bug_in_a_part_gets_a_reference_and_takes_nobody_along() -> None:
    story: list[str] = []
    stage = Stage(Piece("a", story, ZeroDivisionError("secret detail")), Piece("b", story))
    await stage.opened.wait()
    detail = stage.changes[0][1].detail
    assert "reference" in detail
    assert "secret" not in detail
    await stage.stop()


async def test_stopping_while_opening_closes_what_is_open() -> None:
    story: list[str] = []

    class Slow(Piece):
        async def run(self, ready: Callable[[str], None]) -> None:
            self._story.append("slow began")
            await asyncio.Event().wait()

    stage = Stage(Piece("a", story), Slow("b", story), Piece("c", story))
    await until(lambda: "slow began" in story)
    await stage.stop()
    assert story == ["open a", "slow began", "close a"]
    assert not stage.opened.is_set()
