"""Reminders in a real Matrix room, over restarts of the daemon; and a room that is silent while nothing happens."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stages.room import PATIENCE, OpsRoom, ops_room
from tests.stages.synapse import Town
from tests.waiting import until


@pytest.fixture(scope="module")
async def room(home: Path, homeserver: Town) -> AsyncIterator[OpsRoom]:
    async with ops_room(home, homeserver) as found:
        await found.installation.up()
        await found.steady()
        yield found


async def said(room: OpsRoom, part: str) -> list[str]:
    """Wait until the bot has said something and return every message that holds it."""
    await until(lambda: room.notices(part), PATIENCE, f"{part!r} to be said")
    return room.notices(part)


async def settled(room: OpsRoom) -> None:
    """Let everything that was stored so far be shown: the room is one lane, and keeps its order."""
    await room.ask("!remind list")


async def test_a_reminder_is_said_once_where_it_was_asked_for(room: OpsRoom) -> None:
    asked = await room.say("!remind in 1s look at the build")
    kept = await room.answer(asked)
    assert "UTC, in " in kept["body"]
    await said(room, "look at the build")
    await settled(room)
    assert len(room.notices("look at the build")) == 1
    (reminded,) = [e for e in room.answers(asked) if "look at the build" in e["body"]]
    assert reminded["m.mentions"] == {"user_ids": [room.ann.user_id]}, "it calls who asked"
    assert "No reminder waits." in await room.ask("!remind list")


async def test_a_command_is_run_at_its_time_and_answers(room: OpsRoom) -> None:
    await room.ask("!remind in 1s !backlog search nowhere")
    await said(room, "runs backlog search nowhere")
    await said(room, "No card")
    await settled(room)
    assert len(room.notices("runs backlog search nowhere")) == 1
    assert len(room.notices("No card")) == 1


@pytest.mark.slow
async def test_what_falls_due_while_the_daemon_is_down_is_said_once_afterwards(
    room: OpsRoom,
) -> None:
    await room.ask("!remind in 2s stretch your legs")
    await room.installation.signal(signal.SIGTERM)
    await room.installation.up()
    await room.steady()
    await said(room, "stretch your legs")
    await settled(room)
    assert len(room.notices("stretch your legs")) == 1


@pytest.mark.slow
async def test_a_killed_daemons_reminder_is_said_once_too(room: OpsRoom) -> None:
    await room.ask("!remind in 1s drink water")
    await room.installation.kill()
    await room.installation.up()
    await room.steady()
    await said(room, "drink water")
    await room.installation.kill()
    await room.installation.up()
    await room.steady()
    await settled(room)
    assert len(room.notices("drink water")) == 1


async def test_a_reminder_can_be_taken_back_in_any_face(room: OpsRoom) -> None:
    kept = await room.ask("!remind every weekday at 9:00 stand-up")
    number = kept.split()[1].rstrip(":")
    listed = await room.installation.mosaic("remind", "list", "--everyone", "--json")
    assert [(str(one["id"]), one["every"]) for one in listed.data] == [(number, "weekday at 09:00")]
    ended = await room.installation.mosaic("remind", "cancel", number)
    assert ended.status == 0, ended.err
    assert "No reminder waits." in await room.ask("!remind list")
    wrong = await room.installation.mosaic("remind", "in", "soon", "x", "--json")
    assert wrong.status == 2
    assert room.installation.bugs() == []
