"""A card that is talked about in a real Matrix thread and on another platform."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.backlog.cards import CardDraft
from bot.model import Address
from bot.policy import Access
from connectors.memory import MemoryConnector
from storage.backlog.backlog import postgres_backlog
from storage.backlog.threads import PostgresThreads
from storage.database import Database
from tests.fakes.contents import MemoryContents
from tests.stages.backlog import CODER
from tests.stages.matrix import Bot, meet
from tests.stages.postgres import Tier
from tests.stages.synapse import Person, Town
from tests.stages.two_platforms import BEN, CARD, PLACE, RIGHT, Life, Worlds, is_listening, marks_of
from tests.waiting import until

Event = dict[str, Any]


class Meeting:
    """Ann in a Matrix room and Ben on the right, in the two threads of one card."""

    def __init__(self, life: Life, ann: Person, bot: Bot, root: str) -> None:
        self.life, self.ann, self.bot, self.root = life, ann, bot, root
        self.worlds = life.worlds

    async def say(self, text: str) -> str:
        """Let Ann say something in the thread."""
        return await self.ann.say_in_thread(self.bot.room_id, self.root, text)

    async def copy(self, words: str) -> Event:
        """Wait for what the bot said in the thread with these words; its newest form."""

        async def found() -> list[Event]:
            events = await self.ann.events(self.bot.room_id, self.bot.user_id)
            return [e for e in events if words in e.get("content", {}).get("body", "")]

        return (await until(found, 30.0, what=words, every=0.1))[-1]


@asynccontextmanager
async def meeting(database: Database, town: Town) -> AsyncIterator[Meeting]:
    ann, bot = await meet(town)
    both = Worlds(database)
    rooms = frozenset({f"matrix:{bot.room_id}", f"{RIGHT}:{PLACE}"})
    access = Access(frozenset({f"matrix:{ann.user_id}"}), frozenset({BEN.id}), rooms)
    connectors = (bot.connector(), MemoryConnector(both.right, MemoryContents()))
    life = Life(both, connectors=connectors, access=access)
    async with life.running():
        await until(lambda: len(life.terminal.taken) == 1, what="what was said on the right before")
        await until(lambda: is_listening(connectors[0]), 30.0, what="Matrix to listen")
        root = await ann.say(bot.room_id, "root in the room")
        await until(lambda: len(life.terminal.taken) == 2, 30.0, what="the root")
        both.roots["matrix"] = root
        await postgres_backlog(database).shelf.create(CardDraft(CARD, title="schema"), CODER)
        threads = PostgresThreads(database)
        for place in (
            Address("matrix", bot.room_id, root),
            Address(RIGHT, PLACE, both.roots[RIGHT]),
        ):
            assert await threads.bind(CARD, place)
        yield Meeting(life, ann, bot, root)
    for connector in connectors:
        await connector.close()


async def test_a_matrix_thread_and_another_are_one_conversation(
    embedded: Tier, matrix_town: Town
) -> None:
    async with embedded.database() as database, meeting(database, matrix_town) as met:
        right = met.worlds.right
        said = await met.say("is it *done*?")
        copy = await met.worlds.copy(right, "is it *done*?")
        assert met.worlds.texts(right)[0].endswith("(Matrix):\n\nis it *done*?")

        met.worlds.on_the_right("nearly")
        event = await met.copy("nearly")
        content = event["content"]
        assert content["msgtype"] == "m.text"
        assert content["m.mentions"] == {}
        assert content["m.relates_to"]["rel_type"] == "m.thread"
        assert content["m.relates_to"]["event_id"] == met.root

        right.react(PLACE, BEN, "👍", copy)
        await until(lambda: _stands(met, said, "👍"), 30.0, every=0.1)
        await met.ann.react(met.bot.room_id, event["event_id"], "🎉")
        spoken = next(s.id for s in right.standing if s.text == "nearly")
        await until(lambda: marks_of(right, spoken) == ["🎉"], 30.0)

        await met.ann.edit(met.bot.room_id, said, "is it all done?")
        assert await met.worlds.copy(right, "is it all done?") == copy
        await met.ann.redact(met.bot.room_id, said)
        await until(lambda: copy not in [s.id for s in right.standing], 30.0)


async def test_what_is_edited_and_taken_back_elsewhere_is_so_on_matrix(
    embedded: Tier, matrix_town: Town
) -> None:
    async with embedded.database() as database, meeting(database, matrix_town) as met:
        right = met.worlds.right
        said = met.worlds.on_the_right("teh plan")
        first = await met.copy("teh plan")
        right.speak(PLACE, BEN, "the plan", edits=said)
        edit = await met.copy("the plan")
        assert edit["content"]["m.relates_to"] == {
            "rel_type": "m.replace",
            "event_id": first["event_id"],
        }
        assert edit["content"]["m.new_content"]["m.mentions"] == {}
        mark = right.react(PLACE, BEN, "🎉", said)
        await until(lambda: _stands(met, first["event_id"], "🎉"), 30.0, every=0.1)
        right.redact(PLACE, BEN, mark)

        async def is_gone() -> bool:
            return not await _stands(met, first["event_id"], "🎉")

        await until(is_gone, 30.0, every=0.1)
        right.redact(PLACE, BEN, said)
        await until(lambda: _is_redacted(met, first["event_id"]), 30.0, every=0.1)


async def _stands(met: Meeting, event_id: str, mark: str) -> bool:
    """Whether a mark of the bot's stands on an event."""
    events = await met.ann.events(met.bot.room_id, met.bot.user_id)
    relations = [e["content"].get("m.relates_to", {}) for e in events if e["type"] == "m.reaction"]
    return any((one.get("event_id"), one.get("key")) == (event_id, mark) for one in relations)


async def _is_redacted(met: Meeting, event_id: str) -> bool:
    events = await met.ann.events(met.bot.room_id, met.bot.user_id)
    return any(e["event_id"] == event_id and e["content"] == {} for e in events)
