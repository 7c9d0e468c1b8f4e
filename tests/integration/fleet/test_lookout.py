"""The lookout on real sessions: beats for those that cannot, and dialogs called out once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import UserError
from fleet.health.heartbeat import Heartbeat, read_heartbeat
from fleet.health.starts import note_start
from fleet.watch.announcements import Dialog, fingerprint
from fleet.watch.dialogs import LocalDialogs
from fleet.watch.lookout import Lookout
from tests.stages.host import Stage
from tests.waiting import until

DOGFOOD = "{name: a, class: code, runtime: dogfood}"
PYTHON = "{name: p, class: code, runtime: python, command: python3 -q}"


def beat_of(stage: Stage, name: str) -> Heartbeat | None:
    return read_heartbeat(stage.fleet.places.heartbeat_file(name), datetime.now(UTC) - timedelta(1))


async def type_into(stage: Stage, name: str, text: str) -> None:
    door = await stage.fleet.door(name)
    await door.terminal.run("send-keys", "-t", door.pane.id, "-l", text)
    await door.terminal.run("send-keys", "-t", door.pane.id, "Enter")


async def shows(stage: Stage, name: str, state: str) -> bool:
    records = {record.name: record for record in await stage.fleet.observe()}
    return records[name].readiness == state


async def test_a_program_that_cannot_beat_is_beaten_for(stage: Stage) -> None:
    await stage.open(PYTHON)
    lookout = Lookout(stage.fleet, lambda _: None, timedelta(0))

    async def available() -> bool:
        await lookout.look()
        return await shows(stage, "p", "available")

    await until(available)
    beat = beat_of(stage, "p")
    assert beat is not None
    assert (beat.state, beat.pid) == ("prompt", (await stage.fleet.door("p")).pane.pid)
    await type_into(stage, "p", "import signal; print('on it'); signal.pause()")

    async def working() -> bool:
        await lookout.look()
        return await shows(stage, "p", "working")

    await until(working)


async def test_a_dialog_is_called_out_once_with_the_screen_and_the_agent_is_stuck(
    stage: Stage,
) -> None:
    await stage.open(DOGFOOD)
    dialogs: list[Dialog] = []
    lookout = Lookout(stage.fleet, dialogs.append)
    await until(lambda: shows(stage, "a", "available"))
    await lookout.look()
    assert dialogs == []
    await type_into(stage, "a", "/dialog")

    async def called() -> bool:
        await lookout.look()
        return bool(dialogs)

    await until(called)
    for _ in range(3):
        await lookout.look()
    (dialog,) = dialogs
    assert (dialog.agent, dialog.title) == ("a", "Permission")
    assert any("Permission" in row for row in dialog.rows)
    await until(lambda: shows(stage, "a", "stuck"))


async def test_a_key_for_a_dialog_that_was_announced_is_pressed_in_that_one_alone(
    stage: Stage,
) -> None:
    await stage.open(DOGFOOD)
    announced: list[Dialog] = []
    lookout = Lookout(stage.fleet, announced.append)
    dialogs = LocalDialogs(stage.fleet, stage.pauses)

    async def called_out() -> bool:
        await lookout.look()
        return len(announced) == number

    await until(lambda: shows(stage, "a", "available"))
    for number in (1, 2):
        await type_into(stage, "a", f"before dialog {number}")
        await until(lambda: shows(stage, "a", "available"))
        await type_into(stage, "a", "/dialog")
        await until(called_out)
        if number == 1:
            await dialogs.answer("a", "n")
            await until(lambda: shows(stage, "a", "available"))
    older, newer = (fingerprint(one.title, one.rows) for one in announced)
    assert older != newer
    with pytest.raises(UserError, match="no longer shows the dialog") as refused:
        await dialogs.answer("a", "y", dialog=older)
    assert refused.value.code == "other_dialog"
    assert await shows(stage, "a", "stuck")
    scene = await dialogs.answer("a", "y", dialog=newer)
    assert any("allowed" in row for row in scene.rows)
    with pytest.raises(UserError, match="shows no dialog"):
        await dialogs.answer("a", "y", dialog=newer)


async def test_who_shows_a_dialog_is_told_after_the_first_look_and_when_it_changes(
    stage: Stage,
) -> None:
    await stage.open(DOGFOOD)
    told: list[frozenset[str]] = []
    lookout = Lookout(stage.fleet, lambda _: None, looked=told.append)
    await until(lambda: shows(stage, "a", "available"))
    for _ in range(3):
        await lookout.look()
    assert told == [frozenset()]
    await type_into(stage, "a", "/dialog")

    async def after(count: int) -> bool:
        await lookout.look()
        return len(told) == count

    await until(lambda: after(2))
    await stage.fleet.stop("a")
    await until(lambda: after(3))
    assert told == [frozenset(), frozenset({"a"}), frozenset()]


async def test_a_runtime_that_beats_itself_is_left_its_own_word(stage: Stage) -> None:
    await stage.open(DOGFOOD)
    await until(lambda: shows(stage, "a", "available"))
    before = beat_of(stage, "a")
    lookout = Lookout(stage.fleet, lambda _: None, timedelta(0))
    await lookout.look()
    assert beat_of(stage, "a") == before


async def test_who_is_gone_is_forgotten_and_nothing_is_drawn_twice_without_need(
    stage: Stage,
) -> None:
    await stage.open(DOGFOOD)
    lookout = Lookout(stage.fleet, lambda _: None)
    await until(lambda: shows(stage, "a", "available"))
    await lookout.look()
    await stage.fleet.stop("a")
    await lookout.look()
    assert lookout._sights == {}


async def test_an_agent_that_ends_again_and_again_is_held_back_and_stuck(stage: Stage) -> None:
    await stage.open("{name: d, class: code, runtime: bash, command: sh -c 'exit 3'}")
    path = stage.fleet.places.starts_file("d")
    for _ in range(5):
        note_start(path, datetime.now(UTC))
    await until(lambda: shows(stage, "d", "stuck"))
    with pytest.raises(UserError, match="crash loop: 5 starts"):
        await stage.fleet.start("d", by_itself=True)
    await stage.fleet.start("d")
    assert not await asyncio.to_thread(path.exists)
