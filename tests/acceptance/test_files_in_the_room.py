"""A person sends files in a Matrix room, an agent has them on its disk, and sends some back."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.stages.room import DEMO, PATIENCE, OpsRoom, ops_room, thread_of
from tests.stages.synapse import Person, Town
from tests.waiting import until

CODER = {"name": "coder0", "class": "code", "runtime": "dogfood"}
PLAN = b"step one\nstep two\n" * 2000
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100


@pytest.fixture(scope="module")
async def eve(homeserver: Town) -> Person:
    return await homeserver.person("eve")


@pytest.fixture(scope="module")
async def room(home: Path, homeserver: Town, eve: Person) -> AsyncIterator[OpsRoom]:
    async with ops_room(home, homeserver, strangers=[eve], agents=[*DEMO, CODER]) as room:
        await room.installation.up()
        await room.steady()
        await until(lambda: _is_available(room), PATIENCE, "coder0 to be available")
        await room.installation.type("coder0", "/enclose")
        yield room


async def _is_available(room: OpsRoom) -> bool:
    rows = (await room.installation.mosaic("fleet", "ps", "--json")).data
    return any(row["name"] == "coder0" and row["readiness"] == "available" for row in rows)


def _files(room: OpsRoom) -> list[dict[str, Any]]:
    """Return the bot's events that are files."""
    return [event for event in room.said() if "filename" in event["content"]]


async def _shows(room: OpsRoom, words: str) -> bool:
    """Whether an agent's terminal shows some words, however they are wrapped."""
    return words in (await room.installation.screen("coder0")).replace("\n", "").replace("  ", "")


async def test_a_file_in_a_card_s_thread_reaches_the_agent_and_comes_back(room: OpsRoom) -> None:
    root = await room.say("!backlog create --id F1 --title plan --host elsewhere")
    await room.answer(root)
    sent = await room.ann.send_file(
        room.room_id,
        "our plan.txt",
        PLAN,
        caption="@coder0 have a look",
        thread=root,
    )
    path = room.installation.home / "files" / "cards" / "F1" / "our_plan.txt"
    said = "dogfood coder0: have a look"
    await until(lambda: said in room.threaded(root), PATIENCE, "the answer in the thread")
    assert path.read_bytes() == PLAN
    assert path.stat().st_mode & 0o777 == 0o600
    assert await _shows(room, str(path)), "the agent's terminal names the path"
    await until(lambda: _files(room), PATIENCE, "the file of the answer")
    (back,) = _files(room)
    assert back["content"]["filename"] == "our_plan.txt"
    assert back["content"]["body"] == "as you sent it: our_plan.txt"
    assert thread_of(back) == root
    assert await room.ann.open_file(back["content"]) == PLAN
    await room.marked_alone(sent, "✅")
    card = (await room.installation.mosaic("backlog", "show", "F1", "--json")).data
    (file,) = card["files"]
    assert (file["name"], file["bytes"], file["media_type"], file["removed_at"]) == (
        "our_plan.txt",
        len(PLAN),
        "text/plain",
        None,
    )
    assert file["sender"] == f"matrix:{room.ann.user_id}"


async def test_pictures_in_a_row_are_one_message_to_the_agent(room: OpsRoom) -> None:
    before = len(_files(room))
    inbox = room.installation.home / "fleet" / "inbox" / "coder0"
    events = [
        await room.ann.send_file(room.room_id, "shot.png", PNG, "image/png", caption=caption)
        for caption in ("@coder0 see these", "@coder0 and this", "@coder0 and that")
    ]
    await room.answer(events[-1])
    assert sorted(path.name for path in inbox.iterdir()) == [
        "shot-2.png",
        "shot-3.png",
        "shot.png",
    ]
    await until(lambda: len(_files(room)) == before + 3, PATIENCE, "three files back")
    assert all(one["content"]["msgtype"] == "m.image" for one in _files(room)[before:])
    items = (await room.installation.mosaic("agent", "inbox", "coder0", "--json")).data
    assert [one["text"] for one in items].count("see these\nand this\nand that") == 1


async def test_an_encrypted_file_is_opened_on_the_way(room: OpsRoom) -> None:
    sent = await room.ann.send_file(
        room.room_id, "sealed.txt", b"s3cret words", caption="@coder0 sealed", sealed=True
    )
    await room.answer(sent)
    path = room.installation.home / "fleet" / "inbox" / "coder0" / "sealed.txt"
    assert path.read_bytes() == b"s3cret words"


async def test_what_is_not_taken_is_said_and_nothing_of_it_is_kept(room: OpsRoom) -> None:
    home = room.installation.home
    program = b"\x7fELF\x02\x01\x01" + bytes(1000)
    sent = await room.ann.send_file(
        room.room_id, "../../run/me.png", program, "image/png", caption="@coder0 run this"
    )
    said = await room.answer(sent)
    assert said["body"] == "me.png was not taken: it is a program, and programs are not taken."
    await room.marked(sent, "❌")
    assert [path for path in home.rglob("*me.png*") if path.is_file()] == []


async def test_a_stranger_s_file_is_left_lying(room: OpsRoom, eve: Person) -> None:
    sent = await eve.send_file(room.room_id, "eve.txt", b"take me", caption="@coder0 read")
    assert await room.handled(sent) == "ignored"
    assert room.marks(sent) == []
    assert list(room.installation.home.rglob("eve*.txt")) == []


async def test_what_was_sent_while_the_daemon_was_down_is_fetched_once(room: OpsRoom) -> None:
    await room.installation.kill()
    sent = await room.ann.send_file(room.room_id, "late.txt", b"late", caption="@coder0 late")
    await room.installation.up()
    await room.answer(sent)
    path = room.installation.home / "fleet" / "inbox" / "coder0" / "late.txt"
    assert path.read_bytes() == b"late"
    items = (await room.installation.mosaic("agent", "inbox", "coder0", "--json")).data
    assert [one["text"] for one in items].count("late") == 1


async def test_a_long_answer_is_shown_by_its_beginning_with_the_whole_in_a_file(
    room: OpsRoom,
) -> None:
    await room.installation.type("coder0", "/long 9000")
    asked = await room.say("@coder0 count for me")
    said = await room.answer(asked)
    assert said["body"].startswith("dogfood coder0: count for me")
    named = re.search(r"The whole is in (answer-[^:]+):", said["body"])
    assert named, said["body"]
    assert len(said["body"]) < 5000

    def shown() -> list[dict[str, Any]]:
        return [one for one in _files(room) if one["content"]["filename"] == named[1]]

    (file,) = await until(shown, PATIENCE, "the whole answer")
    whole = await room.ann.open_file(file["content"])
    assert whole.decode().split("\n")[-1] == "9000"


async def test_a_file_from_elsewhere_is_not_sent(room: OpsRoom) -> None:
    tried = await room.installation.mosaic("agent", "enclose", "/etc/passwd", "--json")
    assert tried.status == 1
    assert tried.data["error"]["code"] == "forbidden"
