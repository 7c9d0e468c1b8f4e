"""The fleet from a Matrix room: who is there, one begun anew, a screen shown, a dialog called out."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.stages.room import DEMO, PATIENCE, OpsRoom, ops_room
from tests.stages.synapse import Town
from tests.waiting import until

CODER = {"name": "coder0", "class": "code", "runtime": "dogfood"}


@pytest.fixture(scope="module")
async def room(home: Path, homeserver: Town) -> AsyncIterator[OpsRoom]:
    async with ops_room(home, homeserver, agents=[*DEMO, CODER]) as room:
        await room.installation.up()
        await room.steady()
        await until(lambda: _is_available(room), PATIENCE, "coder0 to be available")
        yield room


async def test_ps_shows_every_agent_in_the_room(room: OpsRoom) -> None:
    said = await room.ask("!fleet ps")
    rows = {line.split()[0]: line for line in said.splitlines() if "available" in line}
    assert set(rows) >= {"orchestrator", "enhancer", "coder0"}
    assert "%" in rows["coder0"]


async def test_a_restart_is_asked_about_and_then_begins_the_session_anew(room: OpsRoom) -> None:
    before = await _row(room)
    asked = await room.ask("!fleet restart coder0")
    code = re.search(r"!confirm (\S+?)`", asked)
    assert code is not None, asked
    assert (await _row(room))["pid"] == before["pid"], "nothing happens before the yes"
    said = await room.ask(f"!confirm {code[1]}")
    assert "coder0" in said
    after = await _row(room)
    assert (after["session"], after["pid"] == before["pid"]) == ("coder0", False)
    assert "nothing waits for you" in await room.ask(f"!confirm {code[1]}"), "a code is good once"


async def test_words_for_an_agent_that_is_named_first_are_answered_by_it(room: OpsRoom) -> None:
    asked = await room.say("@coder0 is A1 yours?")
    content = await room.answer(asked)
    await room.marked(asked, "✅")
    assert content["body"] == "dogfood coder0: is A1 yours?"
    assert len(room.answers(asked)) == 1


async def test_tail_shows_the_end_of_a_screen(room: OpsRoom) -> None:
    await until(lambda: _is_available(room), PATIENCE, "coder0 to be available")
    await room.installation.type("coder0", "a word `of` <b>mine</b>")

    async def shown() -> bool:
        return "a word `of` <b>mine</b>" in await room.ask("!agent tail coder0 --lines 20")

    await until(shown, PATIENCE, "the screen to show what was typed")
    answer = await room.answer(await room.say("!agent tail coder0 --lines 20"))
    assert "&lt;b&gt;mine" in answer["formatted_body"], "a screen is no markup"


async def test_a_dialog_is_called_out_with_the_screen(room: OpsRoom) -> None:
    await until(lambda: _is_available(room), PATIENCE, "coder0 to be available")
    await room.installation.type("coder0", "/dialog")
    (said,) = await until(
        lambda: room.notices("coder0 waits at a dialog"), PATIENCE, "the dialog to be called out"
    )
    assert said.splitlines()[0].endswith("Permission")
    assert "Run the drill's command?" in said, "the screen is shown"
    assert "stuck" in await room.ask("!fleet status coder0")
    assert "!agent answer coder0 KEY" in said
    shown = await room.ask("!agent answer coder0 n")
    assert "refused" in shown, "the screen after it"
    answered = [one for one in room.installation.agent_events("coder0") if "dialog" in one["event"]]
    assert [one["answer"] for one in answered] == ["refused"]
    assert "shows no dialog" in await room.ask("!agent answer coder0 y")
    await until(lambda: _is_available(room), PATIENCE, "coder0 to be available again")


async def _row(room: OpsRoom) -> dict[str, Any]:
    rows = (await room.installation.mosaic("fleet", "ps", "--json")).data
    found: dict[str, Any] = next(row for row in rows if row["name"] == "coder0")
    return found


async def _is_available(room: OpsRoom) -> bool:
    return str((await _row(room))["readiness"]) == "available"


async def test_an_operator_pauses_and_resumes_in_the_room(room: OpsRoom) -> None:
    await room.ask("!backlog create --id P1 --title a")
    said = await room.ask("!pause deploy of prod")
    assert said.startswith("Paused by ")
    assert "(deploy of prod)" in said
    coder = room.installation.as_agent("coder0")
    claim = await coder.mosaic("backlog", "claim", "--owner", "coder0", "--json")
    assert (claim.status, claim.data) == (0, None)
    assert "(deploy of prod)" in await room.ask("!fleet ps")
    assert "(deploy of prod)" in await room.ask("!board")
    assert "Everything goes on" in await room.ask("!resume")
    assert len(room.notices("Paused by")) == 3, "two views and the answer, and no notice beside it"
    again = await coder.mosaic("backlog", "claim", "--owner", "coder0", "--json")
    assert again.data["id"] == "P1"


async def test_a_pause_from_elsewhere_is_told_in_the_room(room: OpsRoom) -> None:
    file = room.installation.home / "fleet" / "run" / "PAUSED"
    file.write_text("backup\n")
    told = "Paused by the file PAUSED on"
    await until(lambda: room.notices(told), PATIENCE, "the pause to be told")
    file.unlink()
    await until(lambda: room.notices("Resumed: "), PATIENCE, "the end of it to be told")
