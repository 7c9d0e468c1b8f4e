"""One daemon on a real Matrix homeserver and on Discord at once: a card's two threads are one conversation."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stages.discord_stand_in.payloads import Channel
from tests.stages.room import PATIENCE
from tests.stages.synapse import Town
from tests.stages.two_towns import TwoTowns, two_towns
from tests.waiting import until


@dataclass
class Card:
    """The card's place on either side: the root of a Matrix thread, and a thread on Discord."""

    towns: TwoTowns
    root: str
    thread: Channel


@pytest.fixture(scope="module")
async def card(home: Path, homeserver: Town) -> AsyncIterator[Card]:
    async with two_towns(home, homeserver) as towns:
        root = await towns.room.say("!backlog create --id A1 --title shed")
        await towns.room.answer(root)
        thread = await towns.thread("A1: shed")
        claimed = await towns.installation.mosaic(
            "backlog", "claim", "--id", "A1", "--owner", "enhancer"
        )
        assert claimed.status == 0
        yield Card(towns, root, thread)


async def test_what_is_said_on_matrix_and_the_agents_answer_are_seen_on_both(card: Card) -> None:
    towns = card.towns
    room = towns.room
    await room.ann.say_in_thread(room.room_id, card.root, "how far is the shed?")
    copy = await towns.shown(card.thread, f"{towns.ann} (Matrix):\n\nhow far is the shed?")
    assert towns.world.pinged[copy["id"]] == []
    await towns.threaded(card.root, "dogfood enhancer: how far is the shed?")
    await towns.shown(card.thread, "dogfood enhancer: how far is the shed?")


async def test_what_is_said_on_discord_and_the_agents_answer_are_seen_on_both(card: Card) -> None:
    towns = card.towns
    towns.stand_in.speak(towns.annie, card.thread.id, "has it a door?")
    await towns.threaded(card.root, "annie (Discord):\n\nhas it a door?")
    await towns.shown(card.thread, "dogfood enhancer: has it a door?")
    await towns.threaded(card.root, "dogfood enhancer: has it a door?")


async def test_an_edit_and_a_mark_on_matrix_are_seen_on_discord(card: Card) -> None:
    towns = card.towns
    room = towns.room
    said = await room.ann.say_in_thread(room.room_id, card.root, "it needs a rof")
    copy = await towns.shown(card.thread, f"{towns.ann} (Matrix):\n\nit needs a rof")
    await room.ann.react(room.room_id, said, "🎉")
    await until(lambda: "🎉" in towns.marks(copy["id"]), PATIENCE, "the mark on Discord")
    await room.ann.edit(room.room_id, said, "it needs a roof")
    edited = await towns.shown(card.thread, f"{towns.ann} (Matrix):\n\nit needs a roof")
    assert edited["id"] == copy["id"]


async def test_an_edit_and_a_mark_on_discord_are_seen_on_matrix(card: Card) -> None:
    towns = card.towns
    said = towns.stand_in.speak(towns.annie, card.thread.id, "paint it gren")
    copy = await towns.threaded(card.root, "annie (Discord):\n\npaint it gren")
    towns.world.mark(towns.annie, card.thread.id, said["id"], {"id": None, "name": "🎨"})
    await towns.room.marked(copy, "🎨")
    towns.world.edit(towns.annie, card.thread.id, said["id"], {"content": "paint it green"})
    await towns.edited(copy, "paint it green")


async def test_nothing_goes_round_in_a_circle(card: Card) -> None:
    towns = card.towns
    towns.stand_in.speak(towns.annie, card.thread.id, "!backlog show")
    await towns.threaded(card.root, "annie (Discord):\n\n!backlog show")
    on_discord = [m["content"] for m in card.thread.messages.values()]
    on_matrix = [str(e["content"].get("body", "")) for e in towns.room.said()]
    assert sorted(set(on_discord)) == sorted(on_discord)
    assert [words for words in on_discord if "(Discord):" in words] == []
    assert [words for words in on_matrix if "(Matrix):" in words] == []
    assert len([words for words in on_matrix if "dogfood enhancer: has it a door?" in words]) == 1
    assert towns.installation.bugs() == []
