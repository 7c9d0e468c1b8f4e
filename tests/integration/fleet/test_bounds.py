"""A file of turns is kept short, and nothing is lost or said twice by it."""

import asyncio
import json
from pathlib import Path

from fleet.lock import held
from fleet.turns.bounds import KEPT_BYTES, MOST_BYTES, bound_events
from fleet.turns.events import read_events, read_offset
from tests.integration.fleet.test_answers import Origin, send, watching
from tests.stages.host import DOGFOOD, QUICK, Stage, ready
from tests.waiting import until

NAME = "orchestrator"


def fill(path: Path, count: int) -> None:
    line = {"event": "submitted", "session_id": "s0", "text": "typed by a person: ü " * 40}
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(line | {'at': str(number)})}\n" for number in range(count))


async def followed(stage: Stage) -> None:
    places = stage.fleet.places
    path = places.events_file(NAME)
    await until(
        lambda: read_offset(places.offset_file(NAME)) == path.stat().st_size, what="all passed on"
    )


async def test_a_long_file_is_cut_at_a_start_and_answers_go_on(stage: Stage) -> None:
    await stage.open(DOGFOOD)
    await ready(stage)
    path, origin = stage.fleet.places.events_file(NAME), Origin(stage)
    async with watching(stage, origin):
        first = await send(stage, "first")
        await until(lambda: origin.answers)
        fill(path, 10_000)
        second = await send(stage, "second")
        await until(lambda: len(origin.answers) == 2)
        await followed(stage)
        before = path.stat().st_size
        await stage.fleet.stop(NAME)
        await stage.fleet.start(NAME)
        assert before > MOST_BYTES
        assert path.stat().st_size <= KEPT_BYTES
        assert all(json.loads(line) for line in path.read_text().splitlines())
        await ready(stage)
        third = await send(stage, "third")
        await until(lambda: len(origin.answers) == 3)
    assert [message_id for message_id, _ in origin.answers] == [first, second, third]
    kept = [one.message_ids for one in read_events(path, 0).events if one.message_ids]
    assert kept == [(second,), (second,), (third,), (third,)]


async def test_what_was_not_passed_on_is_not_cut(stage: Stage) -> None:
    stage.write_roster(DOGFOOD)
    path, offset = stage.fleet.places.events_file(NAME), stage.fleet.places.offset_file(NAME)
    fill(path, 20)
    size = path.stat().st_size
    for known in ("", "0", str(size - 1), str(size + 1)):
        offset.write_text(known)
        assert not await bound_events(stage.fleet.places, NAME, 1000, 500)
    assert path.stat().st_size == size
    offset.write_text(str(size))
    assert not await bound_events(stage.fleet.places, NAME, size, 500), "it is not too long"
    assert await bound_events(stage.fleet.places, NAME, size - 1, size // 2)
    assert 0 < path.stat().st_size <= size // 2
    assert read_offset(offset) == 0


async def test_nothing_is_cut_while_somebody_types(stage: Stage) -> None:
    stage.write_roster(DOGFOOD)
    path = stage.fleet.places.events_file(NAME)
    fill(path, 20)
    size = path.stat().st_size
    stage.fleet.places.offset_file(NAME).write_text(str(size))
    async with held(stage.fleet.places.typing_lock_file(NAME), QUICK.lock):
        assert not await bound_events(stage.fleet.places, NAME, 1000, 500)
    assert path.stat().st_size == size


async def test_a_crash_between_the_two_writes_says_nothing_twice(stage: Stage) -> None:
    await stage.open(DOGFOOD)
    await ready(stage)
    origin = Origin(stage)
    async with watching(stage, origin):
        message_id = await send(stage, "first")
        await until(lambda: origin.answers)
        await followed(stage)
    stage.fleet.places.offset_file(NAME).write_text("0")
    async with watching(stage, origin):
        await followed(stage)
        await asyncio.sleep(0)
    assert [one for one, _ in origin.answers] == [message_id]
