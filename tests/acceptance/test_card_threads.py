"""A card in a real Matrix room: its thread tells what becomes of it, and the board shows it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stages.room import PATIENCE, Event, OpsRoom, ops_room
from tests.stages.synapse import Town
from tests.waiting import until


@pytest.fixture(scope="module")
async def room(home: Path, homeserver: Town) -> AsyncIterator[OpsRoom]:
    async with ops_room(home, homeserver) as found:
        await found.installation.up()
        await found.steady()
        yield found


def in_thread(room: OpsRoom, root: str) -> list[str]:
    """Return what the bot said in a thread."""
    return [str(e["content"]["body"]) for e in room.said() if _root(e) == root]


def _root(event: Event) -> str | None:
    relation = event["content"].get("m.relates_to") or {}
    return relation.get("event_id") if relation.get("rel_type") == "m.thread" else None


async def test_what_becomes_of_a_card_is_said_once_in_its_thread(room: OpsRoom) -> None:
    root = await room.say("!backlog create --id A1 --title schema")
    await room.answer(root)
    claimed = await room.installation.mosaic("backlog", "claim", "--owner", "coder0", "--json")
    assert claimed.data["id"] == "A1"
    await until(lambda: in_thread(room, root), PATIENCE, "news of the claim")
    asked = await room.ann.say_in_thread(room.room_id, root, "!backlog block --id A1 --reason why")
    await room.answer(asked)
    shown = await room.ann.say_in_thread(room.room_id, root, "!backlog show")
    body = (await room.answer(shown))["body"]
    assert "blocked because: why" in body
    assert f"thread: matrix:{room.room_id}#{root}" in body
    await room.installation.mosaic("backlog", "complete", "--id", "A1")
    await until(
        lambda: any("completed" in text for text in in_thread(room, root)), PATIENCE, "the end"
    )
    news = [text for text in in_thread(room, root) if text.endswith("(schema)")]
    assert news[0] == "A1 is claimed by coder0. (schema)"
    assert news[1].startswith("A1 was completed by local:")
    assert len(news) == 2, "Ann blocked it there herself, and the answer said so"


async def test_what_is_asked_outside_the_thread_is_news_in_it(room: OpsRoom) -> None:
    root = await room.say("!backlog create --id B1 --title board")
    await room.answer(root)
    await room.ask("!backlog block --id B1 --reason later")
    await until(lambda: in_thread(room, root), PATIENCE, "news of the block")
    (news,) = in_thread(room, root)
    assert news == f"B1 was blocked by matrix:{room.ann.user_id}: later. (board)"
    board = await room.answer(await room.say("!board"))
    assert "⊘ B1  board\n      blocked: later" in board["body"]
    assert (
        "<li>⊘ <strong>B1</strong> board<br><em>blocked: later</em></li>"
        in (board["formatted_body"])
    )


async def test_a_plan_in_a_code_block_is_imported(room: OpsRoom) -> None:
    plan = "version: 1\ncards:\n  - {id: P2, title: it's two, depends_on: [P1]}\n"
    told = await room.ask(f"!backlog import plan.yaml\n```yaml\n{plan}```")
    assert "plan.yaml:3: depends_on: there is no card 'P1'" in told
    whole = plan + "  - {id: P1, title: one}\n"
    assert "2 created" in await room.ask(f"!backlog import plan.yaml\n```yaml\n{whole}```")
    assert "P1 --> " not in await room.ask("!backlog graph P2")
    assert "c1 --> c0" in await room.ask("!backlog graph P2")


async def test_in_a_card_s_thread_people_talk_with_the_agent_that_holds_it(room: OpsRoom) -> None:
    root = await room.say("!backlog create --id T1 --title talk")
    await room.answer(root)
    await room.ann.say_in_thread(room.room_id, root, "who does it?")
    await said_in(room, root, "dogfood orchestrator: who does it?")
    claimed = await room.installation.mosaic(
        "backlog", "claim", "--id", "T1", "--owner", "enhancer"
    )
    assert claimed.status == 0
    await said_in(room, root, "T1 is claimed by enhancer. (talk)")
    await room.ann.say_in_thread(room.room_id, root, "how far are you?")
    await said_in(room, root, "dogfood enhancer: how far are you?")


async def said_in(room: OpsRoom, root: str, words: str) -> None:
    """Wait until the bot says some words in a thread."""
    await until(lambda: words in in_thread(room, root), PATIENCE, words)
