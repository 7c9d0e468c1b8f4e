"""Mail whose arrival cannot be proved at once: it is looked for, never typed again, and submitted at most twice."""

import os
import signal
from dataclasses import replace

import pytest

from bot.errors import TransientError
from bot.model import Receipt, ReceiptState
from fleet.delivery.keyboard import HELD, look_at
from fleet.host import processes
from fleet.tmux.screen import ScreenState
from fleet.tmux.terminal import Terminal
from tests.stages.host import DOGFOOD, Stage, ready
from tests.waiting import until


async def test_a_message_typed_before_is_only_looked_for(stage: Stage) -> None:
    await stage.open(DOGFOOD)
    await ready(stage)
    delivery = stage.mail("orchestrator", "hello")
    await stage.letters.record(Receipt(delivery.outbound.message_id, ReceiptState.TYPED))
    result = await stage.carry_on(delivery)
    assert result.state is ReceiptState.UNKNOWN
    assert "submitted" not in stage.events("orchestrator")
    await stage.send("orchestrator", "second")
    found = await stage.send("orchestrator", "second", typed=True)
    assert (found.state, found.by) == (ReceiptState.ACCEPTED, "submitted")
    assert stage.events("orchestrator").count("submitted") == 1


async def test_our_own_text_left_standing_gets_its_enter_and_no_second_paste(stage: Stage) -> None:
    fleet = await stage.open(DOGFOOD)
    await ready(stage)
    delivery = stage.mail("orchestrator", "hello", typed=True)
    door = await fleet.door("orchestrator")
    message_id = delivery.outbound.message_id
    text = f"[from a → to b | class chat | id {message_id}]\nhello\n[end {message_id}]"
    assert await door.terminal.paste(door.pane.id, text.encode(), "test")
    await shows(stage, f"[end {message_id}]")
    result = await stage.carrier.carry(delivery, stage.letters.record)
    assert result.state is ReceiptState.ACCEPTED
    assert stage.events("orchestrator").count("submitted") == 1


async def test_a_hanging_agent_makes_the_message_unknown_and_it_is_not_typed_again(
    stage: Stage,
) -> None:
    await _hanging(stage)
    delivery = stage.mail("orchestrator", "hello")
    result = await stage.carry_on(delivery)
    assert result.state is ReceiptState.UNKNOWN
    assert result.evidence["state"] == "prompt"
    assert stage.letters.states(delivery.outbound.message_id) == ["typed", "waiting"]
    await _go_on(stage)
    await shows(stage, f"[end {delivery.outbound.message_id}]")
    assert "submitted" not in stage.events("orchestrator")


async def test_a_text_that_appears_late_is_submitted_once(stage: Stage) -> None:
    await _hanging(stage)
    delivery = stage.mail("orchestrator", "hello")
    with pytest.raises(TransientError, match="typed, and not proven yet: the text did not appear"):
        await stage.carrier.carry(delivery, stage.letters.record)
    await _go_on(stage)
    await shows(stage, f"[end {delivery.outbound.message_id}]")
    result = await stage.carry_on(delivery)
    assert (result.state, result.by) == (ReceiptState.ACCEPTED, "submitted")
    assert stage.events("orchestrator").count('"event": "submitted"') == 1
    assert stage.letters.states(delivery.outbound.message_id) == ["typed", "waiting"]
    await ready(stage)
    assert (await stage.send("orchestrator", "next")).state is ReceiptState.ACCEPTED


async def test_a_draft_that_a_person_makes_of_a_late_text_is_left_alone(stage: Stage) -> None:
    await _hanging(stage)
    delivery = stage.mail("orchestrator", "hello")
    with pytest.raises(TransientError):
        await stage.carrier.carry(delivery, stage.letters.record)
    await _go_on(stage)
    await shows(stage, f"[end {delivery.outbound.message_id}]")
    await stage.press("orchestrator", "-l", " and a word of mine")
    await shows(stage, "a word of mine")
    assert (await stage.carry_on(delivery)).state is ReceiptState.UNKNOWN
    assert "submitted" not in stage.events("orchestrator")
    assert "and a word of mine" in await stage.rows("orchestrator")


async def test_enter_is_pressed_twice_for_a_message_and_never_more(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.open(DOGFOOD)
    await ready(stage)
    pressed: list[str] = []

    async def lost(terminal: Terminal, pane_id: str, key: str) -> bool:
        pressed.append(key)
        return True

    monkeypatch.setattr(Terminal, "press", lost)
    result = await stage.carry_on(stage.mail("orchestrator", "hello"))
    assert result.state is ReceiptState.UNKNOWN
    assert result.reason == "the text still stands at the cursor after two Enters"
    assert pressed == ["Enter", "Enter"]


async def test_a_program_that_is_held_is_not_typed_into(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.open(DOGFOOD)
    await ready(stage)
    find = processes.find

    def found_held(pid: int) -> processes.Process | None:
        process = find(pid)
        return None if process is None else replace(process, stopped=True)

    with monkeypatch.context() as patch:
        patch.setattr(processes, "find", found_held)
        with pytest.raises(TransientError, match="its program is held"):
            await stage.send("orchestrator", "hello")
    assert (await stage.send("orchestrator", "hello")).state is ReceiptState.ACCEPTED


async def test_what_a_held_program_drew_last_proves_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.open("{name: shell, class: code, runtime: bash}")
    await until(lambda: _is_at_prompt(stage, "shell"), what="its prompt")
    find, press = processes.find, Terminal.press
    pressed: list[str] = []

    def found(pid: int) -> processes.Process | None:
        process = find(pid)
        return None if process is None else replace(process, stopped=bool(pressed))

    async def note(terminal: Terminal, pane_id: str, key: str) -> bool:
        pressed.append(key)
        return await press(terminal, pane_id, key)

    monkeypatch.setattr(processes, "find", found)
    monkeypatch.setattr(Terminal, "press", note)
    result = await stage.carry_on(stage.mail("shell", "hello"))
    assert (result.state, result.reason) == (ReceiptState.UNKNOWN, HELD)
    assert pressed == ["Enter"]


async def _is_at_prompt(stage: Stage, name: str) -> bool:
    seen = await look_at(await stage.fleet.door(name))
    return seen.reading.state is ScreenState.PROMPT


async def _hanging(stage: Stage) -> None:
    await stage.open(DOGFOOD)
    await ready(stage)
    await stage.drill("orchestrator", "/hang")
    await shows(stage, "hanging from now on")


async def _go_on(stage: Stage) -> None:
    door = await stage.fleet.door("orchestrator")
    os.kill(door.pane.pid, signal.SIGCONT)


async def shows(stage: Stage, text: str) -> None:
    async def shown() -> bool:
        return text in await stage.rows("orchestrator")

    await until(shown, what=text)
