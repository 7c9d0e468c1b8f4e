"""Mail handed over through a program's hatch, with a stand-in at the wire on a real tmux server."""

import asyncio
import json
import shlex
import sys
from dataclasses import replace

import pytest

from bot.errors import TransientError, UserError
from bot.model import Receipt, ReceiptState
from fleet.delivery.keyboard import HELD
from fleet.host import processes
from tests.stages import hatch_program
from tests.stages.host import Stage
from tests.waiting import until

NAME = "orchestrator"


class CrashedError(Exception):
    """The daemon ended here."""


async def open_with(stage: Stage, mood: str) -> None:
    """Start the stand-in and wait for its box and its hatch."""
    command = shlex.join([sys.executable, str(hatch_program.__file__)])
    agent = {"name": NAME, "class": "code", "runtime": "opencode", "command": command}
    fleet = await stage.open(json.dumps(agent | {"env": {"HATCH": mood}}))
    folder = fleet.places.launch_directory(NAME) / "hatch"
    assert folder.parent.stat().st_mode & 0o77 == 0, "nobody else can look into it"
    await until((folder / "ready").exists, what="its hatch")
    await shows(stage, hatch_program.FOOT.strip())


async def shows(stage: Stage, text: str) -> None:
    async def shown() -> bool:
        return text in await stage.rows(NAME)

    await until(shown, what=text)


async def draft(stage: Stage, text: str) -> None:
    await stage.press(NAME, "-l", text)
    await shows(stage, text)


def ways(stage: Stage) -> list[str]:
    """Return by which way each prompt came that the program was given."""
    return [json.loads(line)["way"] for line in stage.events(NAME).splitlines()]


def typed(stage: Stage) -> list[Receipt]:
    (story,) = stage.letters.story.values()
    return [receipt for receipt in story if receipt.state is ReceiptState.TYPED]


async def test_an_open_hatch_takes_a_message_with_proof(stage: Stage) -> None:
    await open_with(stage, "open")
    result = await stage.send(NAME, "hello\nthere")
    assert (result.state, result.by) == (ReceiptState.ACCEPTED, "submitted")
    assert result.evidence["way"] == "plugin"
    assert result.evidence["session_id"] == hatch_program.CONVERSATION
    assert [receipt.evidence["way"] for receipt in typed(stage)] == ["plugin"]
    assert ways(stage) == ["hatch"]
    assert left(stage) == []


async def test_a_persons_draft_stays_while_a_message_is_taken(stage: Stage) -> None:
    await open_with(stage, "open")
    await draft(stage, "half a thought")
    result = await stage.send(NAME, "hello")
    assert result.state is ReceiptState.ACCEPTED
    assert ways(stage) == ["hatch"]
    assert "half a thought" in await stage.rows(NAME)


@pytest.mark.parametrize("mood", ["shut", "deaf", "changes its mind", "slow"])
async def test_what_was_certainly_not_taken_is_typed(stage: Stage, mood: str) -> None:
    await open_with(stage, mood)
    result = await stage.send(NAME, "hello")
    assert (result.state, result.evidence["way"]) == (ReceiptState.ACCEPTED, "keyboard")
    assert ways(stage) == ["keyboard"]
    assert left(stage) == []


@pytest.mark.parametrize("mood", ["shut", "deaf"])
async def test_a_draft_before_a_closed_hatch_is_waited_for(stage: Stage, mood: str) -> None:
    await open_with(stage, mood)
    await draft(stage, "half a thought")
    with pytest.raises(TransientError, match="a draft stands"):
        await stage.send(NAME, "hello")
    assert typed(stage) == []
    assert ways(stage) == []
    assert "half a thought" in await stage.rows(NAME)


async def test_a_program_that_changes_its_mind_beside_a_draft_fails_the_message(
    stage: Stage,
) -> None:
    await open_with(stage, "changes its mind")
    await draft(stage, "half a thought")
    with pytest.raises(UserError, match="took nothing, and a draft stands"):
        await stage.send(NAME, "hello")
    assert ways(stage) == []
    assert "half a thought" in await stage.rows(NAME)


async def test_what_was_taken_without_proof_is_unknown_and_never_given_again(stage: Stage) -> None:
    await open_with(stage, "silent")
    delivery = stage.mail(NAME, "hello")
    with pytest.raises(TransientError, match="typed, and not proven yet: it was handed over"):
        await stage.carrier.carry(delivery, stage.letters.record)
    result = await stage.carry_on(delivery)
    assert (result.state, result.evidence["way"]) == (ReceiptState.UNKNOWN, "plugin")
    assert stage.letters.states(delivery.outbound.message_id) == ["typed", "waiting"]
    assert ways(stage) == []


async def test_what_was_taken_is_accepted_when_its_program_says_so_late(stage: Stage) -> None:
    await open_with(stage, "silent")
    delivery = stage.mail(NAME, "hello")
    with pytest.raises(TransientError, match="typed, and not proven yet"):
        await stage.carrier.carry(delivery, stage.letters.record)
    wake(stage)
    await until(lambda: ways(stage), what="its word")
    result = await stage.carry_on(delivery)
    assert (result.state, result.by) == (ReceiptState.ACCEPTED, "submitted")
    assert ways(stage) == ["hatch"]


async def test_a_program_that_is_held_takes_a_message_when_it_goes_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_with(stage, "slow")
    delivery, find = stage.mail(NAME, "hello"), processes.find

    def found(pid: int) -> processes.Process | None:
        process = find(pid)
        has_it = bool(stage.letters.states(delivery.outbound.message_id))
        return None if process is None else replace(process, stopped=has_it)

    with monkeypatch.context() as patch:
        patch.setattr(processes, "find", found)
        for typed_before in (False, True):
            with pytest.raises(TransientError, match=f"typed, and not proven yet: {HELD[:19]}"):
                await stage.carrier.carry(
                    replace(delivery, typed=typed_before), stage.letters.record
                )
    wake(stage)
    result = await stage.carry_on(delivery)
    assert (result.state, result.by) == (ReceiptState.ACCEPTED, "submitted")
    assert ways(stage) == ["hatch"]
    assert len(typed(stage)) == 1


async def test_a_program_that_dies_with_the_message_makes_it_unknown(stage: Stage) -> None:
    await open_with(stage, "dies")
    result = await stage.carry_on(stage.mail(NAME, "hello"))
    assert result.state is ReceiptState.UNKNOWN
    assert len(typed(stage)) == 1


async def test_after_a_crash_nobodys_folded_draft_is_entered(stage: Stage) -> None:
    """A folded paste looks like ours after a crash, but what went by the hatch never stood at the cursor."""
    await open_with(stage, "open")
    await draft(stage, "[Pasted ~3 lines]")
    delivery = stage.mail(NAME, "hello")

    async def crash(receipt: Receipt) -> None:
        await stage.letters.record(receipt)
        if receipt.state is ReceiptState.TYPED:
            raise CrashedError

    with pytest.raises(CrashedError):
        await stage.carrier.carry(delivery, crash)
    again = await stage.send(NAME, "hello", typed=True)
    assert again.state is ReceiptState.UNKNOWN
    assert ways(stage) == []
    assert "[Pasted ~3 lines]" in await stage.rows(NAME)


async def test_a_message_taken_before_a_crash_is_found_and_not_given_again(stage: Stage) -> None:
    await open_with(stage, "open")
    await stage.send(NAME, "hello")
    again = await stage.send(NAME, "hello", typed=True)
    assert (again.state, again.by) == (ReceiptState.ACCEPTED, "submitted")
    assert ways(stage) == ["hatch"]


async def test_several_senders_at_once_are_each_taken_once(stage: Stage) -> None:
    await open_with(stage, "open")
    results = await asyncio.gather(*(stage.send(NAME, f"message {n}") for n in range(5)))
    assert {result.state for result in results} == {ReceiptState.ACCEPTED}
    assert ways(stage) == ["hatch"] * 5


def wake(stage: Stage) -> None:
    """Let the stand-in do what it has put off."""
    (stage.fleet.places.launch_directory(NAME) / "hatch" / "awake").touch()


def left(stage: Stage) -> list[str]:
    """Return what a handed-over message left in the folder."""
    folder = stage.fleet.places.launch_directory(NAME) / "hatch"
    (message_id,) = stage.letters.messages
    return [path.name for path in folder.iterdir() if message_id in path.name]
