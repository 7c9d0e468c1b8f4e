"""The fleet from a Matrix room: who is there, one begun anew, a screen shown, a dialog called out."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.stages.room import DEMO, PATIENCE, OpsRoom, answered, ops_room
from tests.stages.synapse import Person, Town
from tests.waiting import until

CODER = {"name": "coder0", "class": "code", "runtime": "dogfood"}


@pytest.fixture(scope="module")
async def eve(homeserver: Town) -> Person:
    """A stranger who is in the room."""
    return await homeserver.person("eve")


@pytest.fixture(scope="module")
async def room(home: Path, homeserver: Town, eve: Person) -> AsyncIterator[OpsRoom]:
    async with ops_room(home, homeserver, agents=[*DEMO, CODER], strangers=[eve]) as room:
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


async def test_a_yes_or_a_no_is_one_tap(room: OpsRoom, eve: Person) -> None:
    await until(lambda: _is_available(room), PATIENCE, "coder0 to be available")
    before = await _row(room)
    for number, mark in enumerate(("❌", "✅"), start=1):
        await room.ask("!agent reset coder0")
        asked = await room.announced("This ends the agent's conversation", number)
        assert "refused" in await _tapped(room, eve, asked, mark)
        assert (await _row(room))["pid"] == before["pid"], "nothing happens before the yes"
        said = await _tapped(room, room.ann, asked, mark)
        assert ("nothing was done" if mark == "❌" else "begins anew") in said
        assert room.marks(asked) == ["✅", "❌"]
    after = await _row(room)
    assert (after["session"], after["pid"] == before["pid"]) == ("coder0", False)


async def test_words_for_an_agent_that_is_named_first_are_answered_by_it(room: OpsRoom) -> None:
    asked = await room.say("@coder0 is A1 yours?")
    content = await room.answer(asked)
    await room.marked_alone(asked, "✅")
    assert content["body"] == "dogfood coder0: is A1 yours?"
    assert len(room.answers(asked)) == 1


async def test_mail_that_a_command_sends_is_marked_by_what_becomes_of_it(room: OpsRoom) -> None:
    await until(lambda: _is_available(room), PATIENCE, "coder0 to be available")
    asked = await room.say('!agent send coder0 "is B1 yours?"')
    await until(lambda: len(room.answers(asked)) == 2, PATIENCE, "the receipt and the answer")
    assert "dogfood coder0: is B1 yours?" in room.answers(asked)[1]["body"]
    await room.marked_alone(asked, "✅")


async def test_mail_that_waits_at_a_dialog_says_so_and_is_taken_after_it(room: OpsRoom) -> None:
    await until(lambda: _is_available(room), PATIENCE, "coder0 to be available")
    count = len(room.notices("coder0 waits at a dialog"))
    await room.installation.type("coder0", "/dialog")
    await room.announced("coder0 waits at a dialog", count + 1)
    asked = await room.say("@coder0 and now?")
    await room.marked_alone(asked, "⏳")
    await room.installation.press("coder0", "n")
    await room.marked_alone(asked, "✅")
    assert (await room.answer(asked))["body"] == "dogfood coder0: and now?"


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
    count = len(room.notices("coder0 waits at a dialog"))
    await room.installation.type("coder0", "/dialog")
    await room.announced("coder0 waits at a dialog", count + 1)
    said = room.notices("coder0 waits at a dialog")[-1]
    assert said.splitlines()[0].endswith("Permission")
    assert "Run the drill's command?" in said, "the screen is shown"
    assert "stuck" in await room.ask("!fleet status coder0")
    assert "!agent answer coder0 KEY" in said
    shown = await room.ask("!agent answer coder0 n")
    assert "refused" in shown, "the screen after it"
    assert _answered(room)[-1] == "refused"
    assert "shows no dialog" in await room.ask("!agent answer coder0 y")
    await until(lambda: _is_available(room), PATIENCE, "coder0 to be available again")


async def test_a_dialog_is_answered_by_a_tap_once_and_by_an_operator_alone(
    room: OpsRoom, eve: Person
) -> None:
    announced = await _dialog(room)
    await until(lambda: room.marks(announced) == ["👍", "👎", "⏎", "⎋"], PATIENCE, "the marks")
    before = _answered(room)
    refused = await _tapped(room, eve, announced, "👍")
    assert "agent answer is refused" in refused
    assert "stranger-denied" in refused
    assert _answered(room) == before
    said = await _tapped(room, room.ann, announced, "👍")
    assert "chose 👍: press y." in said
    assert "coder0" in said
    assert "allowed" in said, "the screen after it"
    assert _answered(room) == [*before, "allowed"]
    assert "was chosen before" in await _tapped(room, room.ann, announced, "👎")
    assert "agent answer is refused" in await _tapped(room, eve, announced, "👎")
    assert _answered(room) == [*before, "allowed"]


async def test_a_mark_that_is_taken_back_changes_nothing(room: OpsRoom) -> None:
    announced = await _dialog(room)
    tap = await room.ann.react(room.room_id, announced, "👎")
    assert await room.handled(tap) == "done"
    await room.ann.client.room_redact(room.room_id, tap)
    before = _answered(room)
    await room.ask("!fleet ps")
    assert _answered(room) == before
    assert len(room.threaded(announced)) == 1


async def test_a_tap_below_an_older_dialog_presses_nothing_in_the_new_one(room: OpsRoom) -> None:
    older = await _dialog(room)
    await room.ask("!agent answer coder0 n")
    newer = await _dialog(room)
    before = _answered(room)
    said = await _tapped(room, room.ann, older, "👍")
    assert "no longer shows the dialog that was announced; no key was pressed" in said
    assert "Permission" in await room.ask("!agent tail coder0"), "it is still open"
    assert _answered(room) == before
    await _tapped(room, room.ann, newer, "👎")
    assert _answered(room) == [*before, "refused"]


async def test_a_mark_is_never_a_command_whatever_it_says(room: OpsRoom, eve: Person) -> None:
    announced = await _dialog(room)
    mine = await room.say("!backlog stats")
    await room.answer(mine)
    (ours,) = (str(event["event_id"]) for event in room.said() if answered(event) == mine)
    before, words = _answered(room), "!backlog create --id H1 --title stolen"
    taps = [
        await person.react(room.room_id, stands_on, key)
        for person in (room.ann, eve)
        for stands_on in (announced, mine, ours)
        for key in (words, "!agent answer coder0 y", "❤️")
    ]
    taps += [await room.ann.react(room.room_id, on, "👍") for on in (mine, ours)]
    assert {await room.handled(tap) for tap in taps} == {"ignored"}
    assert "H1" not in await room.ask("!backlog list")
    assert _answered(room) == before
    assert room.threaded(announced) == []
    await room.ask("!agent answer coder0 n")


async def _dialog(room: OpsRoom) -> str:
    """Let coder0 open a dialog that looks like no other; return the event that calls it out."""
    await until(lambda: _is_available(room), PATIENCE, "coder0 to be available")
    count = len(room.notices("coder0 waits at a dialog"))
    await room.answer(await room.say(f"@coder0 before dialog {count}"))
    await room.installation.type("coder0", "/dialog")
    return await room.announced("coder0 waits at a dialog", count + 1)


async def _tapped(room: OpsRoom, person: Person, announced: str, mark: str) -> str:
    """Let somebody tap a mark; return what is said of it in the thread."""
    before = len(room.threaded(announced))
    await person.react(room.room_id, announced, mark)
    said = await until(
        lambda: room.threaded(announced)[before:], PATIENCE, "the tap to be answered"
    )
    return str(said[0])


def _answered(room: OpsRoom) -> list[str]:
    """Return how coder0's dialogs were answered."""
    events = room.installation.agent_events("coder0")
    return [str(one["answer"]) for one in events if "dialog" in one["event"]]


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

    async def goes_on() -> bool:
        card = await coder.mosaic("backlog", "show", "P1", "--json")
        return bool(card.data["claim_owner"] or card.data["status"] == "done")

    await until(goes_on, what="P1 in somebody's hands: the supervisor gives it to the free agent")


async def test_a_pause_from_elsewhere_is_told_in_the_room(room: OpsRoom) -> None:
    file = room.installation.home / "fleet" / "run" / "PAUSED"
    file.write_text("backup\n")
    told = "Paused by the file PAUSED on"
    await until(lambda: room.notices(told), PATIENCE, "the pause to be told")
    file.unlink()
    await until(lambda: room.notices("Resumed: "), PATIENCE, "the end of it to be told")
