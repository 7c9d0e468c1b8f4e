"""An operator lets the bot make its rooms, and finds things where they belong."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nio
import pytest

from tests.stages.room import DEMO, PATIENCE, Event, OpsRoom, ops_room, thread_of
from tests.stages.synapse import Town
from tests.waiting import until


@dataclass(frozen=True)
class House:
    """The room of ops with its installation, and the rooms that were made, by role or project."""

    room: OpsRoom
    made: dict[str, str]

    async def state(self, place: str, event_type: str) -> dict[str, Any]:
        """Return a part of a room's state as Ann sees it."""
        answer = await self.room.ann.client.room_get_state_event(place, event_type)
        found = isinstance(answer, nio.RoomGetStateEventResponse)
        return dict(answer.content) if found else {}

    def placards(self) -> list[Event]:
        """Return the messages that say how things stand, without their edits."""
        said = [e for e in self.room.said() if "as of" in str(e["content"].get("body", ""))]
        return [e for e in said if "m.new_content" not in e["content"]]

    def shown(self) -> str:
        """Return what the newest placard says now."""
        said = [e for e in self.room.said() if "as of" in str(e["content"].get("body", ""))]
        content = said[-1]["content"]
        return str(content.get("m.new_content", content)["body"])


@pytest.fixture(scope="module")
async def house(home: Path, homeserver: Town) -> AsyncIterator[House]:
    web = home.parent / f"{home.name}-web"
    web.mkdir()
    coder: dict[str, Any] = {
        "name": "coder0",
        "class": "code",
        "runtime": "dogfood",
        "working_directory": str(web),
    }
    coder["env"] = {"MOSAIC_DOGFOOD_WORK_SECONDS": "7"}
    async with ops_room(home, homeserver, agents=[*DEMO, coder]) as room:
        room.installation.write_settings(
            f"[access]\noperators = {json.dumps([f'matrix:{room.ann.user_id}'])}\n"
            f"[rooms]\nprojects = {json.dumps([f'web {web}'])}\nstatus_seconds = 1\n"
        )
        roster = room.installation.home / "fleet" / "roster.yaml"
        roster.write_text(roster.read_text() + "\nmirror_mail: true\n")
        await room.installation.up()
        await room.steady()
        yield House(room, await set_up(room))


async def set_up(room: OpsRoom) -> dict[str, str]:
    """Let Ann see the plan, tap on it and enter the rooms; return them."""
    asked = await room.say("!room setup")
    plan = await room.answer(asked)
    assert "make the space “Mosaic Fleet”" in plan["body"]
    question = next(e["event_id"] for e in room.said() if e["content"] == plan)
    await room.marked(question, "✅")
    await room.ann.react(room.room_id, question, "✅")
    done = await until(
        lambda: [body for body in room.threaded(question) if "Done:" in body],
        PATIENCE,
        "the rooms to be made",
    )
    assert "Not done" not in done[0]
    listed = (await room.installation.mosaic("room", "status", "--json")).data
    for one in listed:
        assert isinstance(await room.ann.client.join(one["room"]), nio.JoinResponse)
    return {one["project"] or one["role"]: one["room"] for one in listed}


async def test_a_space_holds_the_rooms_and_a_second_plan_finds_nothing_to_do(house: House) -> None:
    made = house.made
    assert made.keys() == {"space", "ops", "mail", "web"}
    assert made["ops"] == house.room.room_id
    create = await house.state(made["space"], "m.room.create")
    assert create["type"] == "m.space"
    rules = await house.state(made["web"], "m.room.join_rules")
    assert rules["join_rule"] == "restricted"
    assert rules["allow"] == [{"type": "m.room_membership", "room_id": made["space"]}]
    answer = await house.room.ann.client.room_get_state(made["space"])
    children = {e["state_key"] for e in answer.events if e["type"] == "m.space.child"}
    assert children == {made["ops"], made["mail"], made["web"]}
    assert await house.room.ask("!room setup") == "All rooms are as they should be."


async def test_only_operators_set_rooms_up(house: House) -> None:
    eve = await house.room.town.person("eve")
    await house.room.ann.client.room_invite(house.room.room_id, eve.user_id)
    await eve.client.join(house.room.room_id)
    asked = await eve.say(house.room.room_id, "!room setup")
    assert "stranger-denied" in (await house.room.answer(asked))["body"]


async def test_a_made_room_takes_commands(house: House) -> None:
    asked = await house.room.ann.say(house.made["web"], "!backlog stats")
    assert await house.room.handled(asked) == "done"


async def test_agents_mail_is_shown_in_its_room(house: House) -> None:
    enhancer = house.room.installation.as_agent("enhancer")
    await enhancer.mosaic("agent", "send", "orchestrator", "please look at A1")

    def mirrored() -> list[str]:
        said = house.room.said(house.made["mail"])
        return [b for e in said if "please look" in (b := str(e["content"].get("body", "")))]

    (body,) = await until(mirrored, PATIENCE, "the mail in its room")
    assert "enhancer → " in body
    assert house.room.notices("please look") == []


async def test_a_card_s_thread_opens_in_its_project_s_room(house: House) -> None:
    await house.room.installation.mosaic(
        "backlog", "create", "--id", "W1", "--title", "page", "--agent", "coder0"
    )

    def thread() -> list[str]:
        said = house.room.said(house.made["web"])
        root = next((e for e in said if "W1: page" in str(e["content"].get("body"))), None)
        if root is None:
            return []
        below = [e for e in said if thread_of(e) == root["event_id"]]
        return [str(e["content"]["body"]) for e in below]

    def news() -> list[str]:
        return [words for words in thread() if "W1 was completed by" in words]

    await until(news, PATIENCE, "news in the card's thread")
    assert len(news()) == 1
    # The agent was handed the card before it had a thread; what it answers comes there all the same.
    assert {*thread()} <= {*news(), "dogfood coder0: Card W1: page"}


async def test_how_things_stand_is_one_pinned_message_over_edits_and_restarts(house: House) -> None:
    room = house.room
    await until(house.placards, PATIENCE, "the placard")
    (placard,) = house.placards()

    async def pinned() -> bool:
        listed = (await house.state(room.room_id, "m.room.pinned_events")).get("pinned", [])
        return bool(listed == [placard["event_id"]])

    await until(pinned, PATIENCE, "the pin")
    await room.ask("!pause deploy")
    await until(lambda: "Paused by" in house.shown(), PATIENCE, "the pause on the placard")
    await room.installation.mosaic("restart")
    await room.ask("!resume")
    await until(lambda: "Work goes on" in house.shown(), PATIENCE, "the end of the pause")
    assert len(house.placards()) == 1
    assert placard["content"]["msgtype"] == "m.notice"
    assert "fleet" in placard["content"]["body"]


async def test_one_that_is_withdrawn_is_made_again(house: House) -> None:
    room = house.room
    await until(lambda: len(house.placards()) == 1, PATIENCE, "one placard")
    old = house.placards()[0]["event_id"]
    await room.ann.client.room_redact(room.room_id, old)
    await room.installation.mosaic("restart")  # it looks at once, and else within a minute
    await until(
        lambda: [e for e in house.placards() if e["event_id"] != old], PATIENCE, "a new one"
    )

    async def pinned() -> bool:
        listed = (await house.state(room.room_id, "m.room.pinned_events")).get("pinned", [])
        return len(listed) == 1 and listed != [old]

    await until(pinned, PATIENCE, "the new pin")
