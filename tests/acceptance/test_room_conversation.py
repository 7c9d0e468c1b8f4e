"""A person in a real Matrix room talks with a running fleet."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stages.room import PATIENCE, OpsRoom, ops_room
from tests.stages.synapse import Person, Town
from tests.waiting import until


@dataclass(frozen=True)
class People:
    """Who is there: Max is a member, Eve a stranger; the side room is listed, but the bot not in it yet."""

    room: OpsRoom
    max: Person
    eve: Person
    side_room: str


@pytest.fixture(scope="module")
async def people(home: Path, homeserver: Town) -> AsyncIterator[People]:
    member, stranger = await homeserver.person("max"), await homeserver.person("eve")
    side_room = await member.make_room()
    async with ops_room(
        home, homeserver, members=[member], strangers=[stranger], rooms=[side_room]
    ) as room:
        await room.installation.up()
        await room.steady()
        yield People(room, member, stranger, side_room)


async def test_a_command_is_answered_once_as_a_notice_to_it(people: People) -> None:
    room = people.room
    asked = await room.say("!backlog create --id A1 --title schema")
    content = await room.answer(asked)
    await room.marked(asked, "✅")
    assert content["msgtype"] == "m.notice"
    assert content["m.relates_to"] == {"m.in_reply_to": {"event_id": asked}}
    assert "A1" in content["body"]
    assert "schema" in content["body"]
    assert len(room.answers(asked)) == 1
    assert "A1" in await room.ask("!backlog list")


async def test_a_command_in_a_thread_is_answered_there(people: People) -> None:
    room = people.room
    root = await room.say("!backlog stats")
    await room.answer(root)
    asked = await room.ann.say_in_thread(room.room_id, root, "!backlog list --limit 1")
    relation = (await room.answer(asked))["m.relates_to"]
    assert (relation["rel_type"], relation["event_id"]) == ("m.thread", root)
    assert relation["m.in_reply_to"] == {"event_id": asked}


async def test_a_command_that_fails_says_why_and_is_marked(people: People) -> None:
    room = people.room
    asked = await room.say("!backlog show NOWHERE")
    content = await room.answer(asked)
    await room.marked(asked, "❌")
    assert "NOWHERE" in content["body"]
    assert content["msgtype"] == "m.notice"
    assert room.marks(asked) == ["❌"]


async def test_an_unknown_command_is_answered_with_the_nearest_one(people: People) -> None:
    answer = await people.room.ask("!backlog lst")
    assert "did you mean" in answer
    assert "backlog list" in answer


async def test_free_text_is_answered_by_the_orchestrator(people: People) -> None:
    room = people.room
    asked = await room.say("hello")
    content = await room.answer(asked)
    await room.marked_alone(asked, "✅")
    assert content["msgtype"] == "m.text"
    assert content["body"] == "dogfood orchestrator: hello"
    assert content["m.relates_to"] == {
        "rel_type": "m.thread",
        "event_id": asked,
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": asked},
    }
    assert content["m.mentions"] == {"user_ids": [room.ann.user_id]}
    assert len(room.answers(asked)) == 1


async def test_free_text_in_a_thread_is_answered_there(people: People) -> None:
    room = people.room
    root = await room.say("!backlog stats")
    await room.answer(root)
    asked = await room.ann.say_in_thread(room.room_id, root, "what is next?\nand after that?")
    content = await room.answer(asked)
    assert content["body"] == "dogfood orchestrator: what is next?"
    relation = content["m.relates_to"]
    assert (relation["rel_type"], relation["event_id"]) == ("m.thread", root)
    assert relation["m.in_reply_to"] == {"event_id": asked}


async def test_an_edit_of_a_command_is_not_run(people: People) -> None:
    room = people.room
    asked = await room.say("!backlog create --id B1 --title first")
    await room.answer(asked)
    edit = await room.ann.edit(room.room_id, asked, "!backlog create --id B2 --title second")
    assert await room.handled(edit) == "ignored"
    again = await room.ann.edit(room.room_id, asked, "!backlog create --id B1 --title first")
    assert await room.handled(again) == "ignored"
    listed = await room.ask("!backlog list")
    assert "B1" in listed
    assert "B2" not in listed
    assert len(room.answers(asked)) == 1
    told = [content["body"] for event in (edit, again) for content in room.answers(event)]
    assert all("edit" in body for body in told)
    assert len(told) == 2


async def test_an_edit_of_free_text_is_not_sent_again(people: People) -> None:
    room = people.room
    asked = await room.say("count to three")
    await room.answer(asked)
    edit = await room.ann.edit(room.room_id, asked, "count to four")
    assert await room.handled(edit) == "ignored"
    await room.ask("and now?")
    typed = [e["text"] for e in room.installation.agent_events("orchestrator")]
    assert sum("count to three" in text for text in typed) == 2  # submitted, and the turn's end
    assert not any("count to four" in text for text in typed)


async def test_a_member_reads_and_talks_but_does_not_write(people: People) -> None:
    room = people.room
    reads = await people.max.say(room.room_id, "!backlog list")
    assert "❌" not in (await room.answer(reads))["body"]
    talks = await people.max.say(room.room_id, "may I ask something?")
    assert (await room.answer(talks))["body"] == "dogfood orchestrator: may I ask something?"
    writes = await people.max.say(room.room_id, "!backlog create --id M1 --title mine")
    refused = (await room.answer(writes))["body"]
    assert "refused" in refused
    assert "member-denied" in refused
    assert await room.handled(writes) == "refused"
    assert "M1" not in await room.ask("!backlog list")


async def test_a_stranger_is_refused_and_why_names_the_rule(people: People) -> None:
    room = people.room
    asked = await people.eve.say(room.room_id, "!backlog list")
    refused = (await room.answer(asked))["body"]
    assert "stranger-denied" in refused
    assert "A1" not in refused
    asked = await people.eve.say(room.room_id, "!why")
    why = (await room.answer(asked))["body"]
    assert "backlog list" in why
    assert "stranger-denied" in why
    mine = await room.ask(f"!why matrix:{people.eve.user_id} backlog create")
    assert "stranger-denied" in mine


async def test_a_stranger_does_not_reach_the_orchestrator(people: People) -> None:
    room = people.room
    asked = await people.eve.say(room.room_id, "do as I say")
    assert await room.handled(asked) == "ignored"
    await room.ask("still there?")
    typed = [e["text"] for e in room.installation.agent_events("orchestrator")]
    assert not any("do as I say" in text for text in typed)
    assert room.answers(asked) == []


async def test_a_strangers_invitation_is_ignored(people: People) -> None:
    room = people.room
    trap = await people.eve.make_room(room.bot.user_id)

    def ignored() -> bool:
        entries = room.installation.entries()
        return any(e["event"] == "invitation ignored" and e["room_id"] == trap for e in entries)

    await until(ignored, PATIENCE, "the invitation to be ignored")
    assert room.bot.user_id not in await people.eve.members(trap)


async def test_an_operators_invitation_is_followed_but_the_new_room_takes_no_commands(
    people: People,
) -> None:
    room = people.room
    other = await room.ann.make_room(room.bot.user_id)
    await joined(people, room.ann, other)
    asked = await room.ann.say(other, "!backlog create --id X1 --title elsewhere")
    assert await room.handled(asked) == "ignored"
    talked = await room.ann.say(other, "hello from elsewhere")
    assert await room.handled(talked) == "ignored"
    assert "X1" not in await room.ask("!backlog list")
    assert room.said(other) == [e for e in room.said(other) if e["type"] == "m.room.member"]


async def test_a_listed_room_takes_commands_once_the_bot_is_in_it(people: People) -> None:
    room = people.room
    invited = await people.max.client.room_invite(people.side_room, room.bot.user_id)
    assert not hasattr(invited, "message"), invited
    await joined(people, people.max, people.side_room)
    asked = await people.max.say(people.side_room, "!backlog list")
    assert await room.handled(asked) == "done"
    said = await until(
        lambda: spoken(people, people.side_room), PATIENCE, "an answer in the side room"
    )
    assert "A1" in said[0]


async def test_in_an_encrypted_room_nothing_is_said_and_the_operators_are_told(
    people: People,
) -> None:
    room = people.room
    closed = await room.ann.make_room(room.bot.user_id, encrypted=True)
    await joined(people, room.ann, closed)
    await until(
        lambda: room.notices(f"{closed} is encrypted"), PATIENCE, "the operators to be told"
    )
    await room.ann.say(closed, "!backlog list")  # in clear text, by a client that knows no better
    await room.ask("!backlog list")

    async def shown() -> bool:
        part = (await room.installation.status())["parts"]["connector.matrix"]
        return f"{closed} is encrypted" in part["detail"]

    await until(shown, PATIENCE, "the status to say so")
    assert room.said(closed) == [e for e in room.said(closed) if e["type"] == "m.room.member"]


async def test_a_room_that_is_encrypted_before_an_answer_came_is_not_answered_in(
    people: People,
) -> None:
    room = people.room
    await room.installation.type(
        "orchestrator", "/dialog"
    )  # it takes no message until it is answered
    before = len(await spoken(people, people.side_room))
    asked = await people.max.say(people.side_room, "take your time")
    assert await room.handled(asked) == "done"
    await people.max.encrypt(people.side_room)
    await until(
        lambda: room.notices(f"{people.side_room} is encrypted"), PATIENCE, "the operators to hear"
    )
    await room.installation.press("orchestrator", "y")

    async def given_up() -> bool:
        return "is encrypted" in await room.ask("!mail dead")

    await until(given_up, PATIENCE, "the answer to be a dead letter")
    assert len(await spoken(people, people.side_room)) == before


async def joined(people: People, owner: Person, room_id: str) -> None:
    """Wait until the bot is in a room."""

    async def inside() -> bool:
        return people.room.bot.user_id in await owner.members(room_id)

    await until(inside, PATIENCE, f"the bot to join {room_id}")


async def spoken(people: People, room_id: str) -> list[str]:
    """Return what the bot said in a room, as Max sees it."""
    contents = await people.max.spoken(room_id, people.room.bot.user_id)
    return [str(content["body"]) for content in contents if "body" in content]
