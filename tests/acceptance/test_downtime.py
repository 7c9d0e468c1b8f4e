"""What people say while the daemon is down is handled when it is back: all of it, once, in order."""

import re

import pytest

from tests.stages.room import OpsRoom, answered

MISSED = 300


@pytest.mark.slow
async def test_300_messages_said_while_the_daemon_was_down_are_handled_once_in_order(
    room: OpsRoom,
) -> None:
    assert "Nothing" not in await room.ask("!status")
    await room.installation.kill()
    asked = [
        await room.say(f"!backlog create --id N{number} --title missed")
        for number in range(1, MISSED + 1)
    ]
    await room.installation.up()
    for event_id in asked:  # each in its turn: what counts is that it goes on
        await room.answer(event_id)
    await room.marked(asked[-1], "✅")

    events = await room.ann.events(room.room_id, room.bot.user_id)
    replies = [event for event in events if answered(event) in asked]
    assert [answered(event) for event in replies] == asked
    bodies = [event["content"]["body"] for event in replies]
    assert [re.findall(r"\bN\d+\b", body)[0] for body in bodies] == names(MISSED)
    cards = (await room.installation.mosaic("backlog", "list", "--json")).data
    assert [card["id"] for card in cards] == names(MISSED)
    assert [card["id"] for card in sorted(cards, key=lambda c: c["created_at"])] == names(MISSED)
    told = [body for e in events if "recovered" in (body := str(e["content"].get("body", "")))]
    assert told == [f"recovered {MISSED}, lost 0"]


async def test_a_short_absence_is_accounted_for_once_too(room: OpsRoom) -> None:
    before = len(room.notices("recovered"))
    await room.installation.down()
    asked = await room.say("!backlog stats")
    talked = await room.say("are you there?")
    await room.installation.up()
    await room.answer(asked)
    assert (await room.answer(talked))["body"] == "dogfood orchestrator: are you there?"
    assert room.notices("recovered")[before:] == ["recovered 2, lost 0"]


async def test_a_start_after_which_nothing_was_missed_says_nothing(room: OpsRoom) -> None:
    before = len(room.notices("recovered"))
    await room.installation.down()
    await room.installation.up()
    await room.ask("!backlog stats")
    assert len(room.notices("recovered")) == before


def names(count: int) -> list[str]:
    return [f"N{number}" for number in range(1, count + 1)]
