"""The dogfood runtime at work on cards, on a real tmux server and without a daemon that could complete them."""

import json

import pytest

from bot.errors import TransientError
from fleet.dogfood.canvas import PROMPT
from fleet.health.readiness import Readiness
from tests.stages.host import Stage, ready
from tests.waiting import until

TOKEN = "0123456789abcdef0123456789abcdef"


def coder(habit: str) -> str:
    env = f"{{MOSAIC_DOGFOOD_AT_WORK: '{habit}', MOSAIC_DOGFOOD_WORK_SECONDS: '0.1'}}"
    return f"{{name: coder0, class: code, runtime: dogfood, env: {env}}}"


async def hand_out(stage: Stage, card: str = "A7", key: str = "") -> None:
    """Send what the supervisor sends for a card."""
    body = f"{card}: Design it{key}\nmosaic backlog complete --id {card} --token {TOKEN}"
    await stage.send("coder0", body, tag="card")


def answers(stage: Stage) -> list[str]:
    events = [json.loads(line) for line in stage.events("coder0").splitlines()]
    return [event["answer"] for event in events if event["event"] == "turn_ended"]


def failures(stage: Stage) -> list[str]:
    events = [json.loads(line) for line in stage.events("coder0").splitlines()]
    return [event["code"] for event in events if event["event"] == "turn_failed"]


async def is_now(stage: Stage, readiness: Readiness, evidence: str = "") -> None:
    async def is_it() -> bool:
        (record,) = await stage.fleet.observe()
        return record.readiness == readiness and evidence in record.evidence

    await until(is_it, what=f"{readiness}: {evidence}")


async def shows(stage: Stage, text: str) -> None:
    async def shown() -> bool:
        return text in await stage.rows("coder0")

    await until(shown, what=text)


async def test_it_hears_the_keyboard_while_a_completion_waits_for_the_daemon(stage: Stage) -> None:
    await stage.open(coder(""))
    await ready(stage, "coder0")
    await hand_out(stage)
    await is_now(stage, Readiness.WORKING, "card A7, 0 queued")
    await stage.press("coder0", "-l", "a thought")
    await shows(stage, "working · a thought")
    await stage.press("coder0", "C-u", "Escape")
    await until(lambda: failures(stage) == ["interrupted"])
    await ready(stage, "coder0")
    assert not list(stage.fleet.places.heartbeat_directory.glob(".*.completion"))


async def test_it_dies_in_the_middle_of_a_card_and_started_again_it_works_on(stage: Stage) -> None:
    fleet = await stage.open(coder("die"))
    await ready(stage, "coder0")
    await hand_out(stage)
    await is_now(stage, Readiness.DEAD)
    await fleet.start("coder0")
    await ready(stage, "coder0")
    await hand_out(stage, key=" (are you there?)")
    await is_now(stage, Readiness.WORKING, "card A7")


async def test_it_hangs_in_the_middle_of_a_card(stage: Stage) -> None:
    fleet = await stage.open(coder("hang:2"))
    await ready(stage, "coder0")
    await hand_out(stage, "A1")
    await is_now(stage, Readiness.WORKING, "card A1")
    await stage.press("coder0", "Escape")
    await ready(stage, "coder0")
    await hand_out(stage, "A2")
    await shows(stage, "hanging from now on")
    beat = fleet.places.heartbeat_file("coder0").read_text()
    assert json.loads(beat)["state"] == "busy"
    with pytest.raises(TransientError, match="busy"):
        await stage.send("coder0", "are you there?")
    assert fleet.places.heartbeat_file("coder0").read_text() == beat
    assert failures(stage) == ["interrupted"]
    assert answers(stage) == []


async def test_it_asks_for_leave_and_a_refusal_ends_the_turn(stage: Stage) -> None:
    await stage.open(coder("dialog"))
    await ready(stage, "coder0")
    await hand_out(stage)
    await is_now(stage, Readiness.STUCK, "dialog: Permission")
    await stage.press("coder0", "n")
    await until(lambda: answers(stage) == ["dogfood coder0: A7 is not done: refused"])


async def test_it_never_completes_a_card_however_often_it_is_asked(stage: Stage) -> None:
    await stage.open(coder("never"))
    await ready(stage, "coder0")
    for number in range(3):
        await hand_out(stage, key=f" {number}")
        await until(lambda: len(answers(stage)) == number + 1)  # noqa: B023 - waited for here
        await ready(stage, "coder0")
    assert answers(stage)[-1] == "dogfood coder0: A7: Design it 2"


async def test_it_is_slow_but_beats(stage: Stage) -> None:
    await stage.open(coder("slow").replace("'0.1'", "'60'"))
    await ready(stage, "coder0")
    await hand_out(stage)
    await is_now(stage, Readiness.WORKING, "card A7")
    await stage.press("coder0", "Escape")
    await shows(stage, PROMPT)


async def test_a_habit_that_there_is_not_is_said_on_the_screen(stage: Stage) -> None:
    fleet = await stage.open(coder("explode"))
    await is_now(stage, Readiness.DEAD)
    rows = await fleet.terminal().run("capture-pane", "-p", "-J", "-t", "=coder0:")
    assert "MOSAIC_DOGFOOD_AT_WORK: 'explode' is not allowed; allowed: hang, die" in rows
