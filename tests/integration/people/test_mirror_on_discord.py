"""A card that is talked about in a real Matrix thread and in a thread of Discord's, on a stand-in of its API and gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import pytest

from bot.backlog.cards import CardDraft
from bot.model import Address
from bot.policy import Access
from storage.backlog.backlog import postgres_backlog
from storage.backlog.threads import PostgresThreads
from storage.database import Database
from tests.stages.backlog import CODER
from tests.stages.discord import DiscordStage, discord_stage
from tests.stages.matrix import Bot, meet
from tests.stages.postgres import Tier
from tests.stages.synapse import Person, Town
from tests.stages.two_platforms import CARD, Life, Worlds, is_listening
from tests.waiting import until

PATIENCE = 30.0


@dataclass
class Meeting:
    """Ann on Matrix, and another Ann on Discord, in the two threads of one card."""

    matrix: Bot
    ann: Person
    root: str
    discord: DiscordStage
    top: str

    async def on_matrix(self, words: str) -> str:
        """Wait for what the bot said in the Matrix room with these words; return its event id."""

        async def found() -> list[str]:
            events = await self.ann.events(self.matrix.room_id, self.matrix.user_id)
            return [
                str(e["event_id"]) for e in events if words in e.get("content", {}).get("body", "")
            ]

        return (await until(found, PATIENCE, words, every=0.1))[-1]

    async def on_discord(self, words: str) -> str:
        """Wait for what the bot said in the Discord thread with these words; return its id."""

        def found() -> list[str]:
            return [
                str(m["id"])
                for where, m in self.discord.said()
                if where == self.top and words in m["content"]
            ]

        return (await until(found, PATIENCE, words))[-1]

    async def is_marked(self, event_id: str, mark: str) -> bool:
        """Whether the bot's mark stands on an event in the Matrix room."""
        events = await self.ann.events(self.matrix.room_id, self.matrix.user_id)
        relations = [e["content"].get("m.relates_to", {}) for e in events]
        return any((one.get("event_id"), one.get("key")) == (event_id, mark) for one in relations)

    async def is_redacted(self, event_id: str) -> bool:
        """Whether an event of the bot's in the Matrix room was taken away."""
        events = await self.ann.events(self.matrix.room_id, self.matrix.user_id)
        return any(e["event_id"] == event_id and e["content"] == {} for e in events)


@asynccontextmanager
async def meeting(database: Database, town: Town) -> AsyncIterator[Meeting]:
    ann, bot = await meet(town)
    stage = await discord_stage(DiscordStage)
    rooms = frozenset({f"matrix:{bot.room_id}", stage.place.lane})
    people = frozenset({f"matrix:{ann.user_id}"}), frozenset({f"discord:{stage.ann.id}"})
    connectors = (bot.connector(), stage.connector)
    life = Life(Worlds(database), connectors=connectors, access=Access(*people, rooms))
    try:
        async with life.running():
            for connector in connectors:
                await until(
                    partial(is_listening, connector), PATIENCE, f"{connector.kind} to listen"
                )
            root = await ann.say(bot.room_id, "root in the room")
            await until(lambda: len(life.terminal.taken) == 1, PATIENCE, "the root on Matrix")
            top = await stage.speak("top of the channel")
            await until(lambda: len(life.terminal.taken) == 2, PATIENCE, "the root on Discord")
            await postgres_backlog(database).shelf.create(CardDraft(CARD, title="schema"), CODER)
            threads = PostgresThreads(database)
            assert await threads.bind(CARD, Address("matrix", bot.room_id, root))
            assert await threads.bind(CARD, Address("discord", stage.channel.id, top))
            yield Meeting(bot, ann, root, stage, top)
    finally:
        await connectors[0].close()
        await stage.close()


@pytest.fixture
async def met(embedded: Tier, matrix_town: Town) -> AsyncIterator[Meeting]:
    async with embedded.database() as database, meeting(database, matrix_town) as found:
        yield found


async def test_words_marks_edits_and_what_is_taken_back_go_from_matrix_to_discord(
    met: Meeting,
) -> None:
    said = await met.ann.say_in_thread(met.matrix.room_id, met.root, "is it *done*?")
    copy = await met.on_discord("is it *done*?")
    await met.ann.react(met.matrix.room_id, said, "🎉")

    async def is_marked() -> bool:
        return "🎉" in await met.discord.marks(copy)

    await until(is_marked, PATIENCE)
    await met.ann.edit(met.matrix.room_id, said, "is it all done?")
    assert await met.on_discord("is it all done?") == copy
    await met.ann.redact(met.matrix.room_id, said)
    await until(
        lambda: copy not in [m["id"] for _, m in met.discord.said()], PATIENCE, "the redaction"
    )


async def test_words_marks_edits_and_what_is_taken_back_go_from_discord_to_matrix(
    met: Meeting,
) -> None:
    said = await met.discord.speak("nearly dnoe", met.top)
    copy = await met.on_matrix("nearly dnoe")
    world, ann = met.discord.world, met.discord.ann
    world.mark(ann, met.top, said, {"id": None, "name": "🎉"})
    await until(lambda: met.is_marked(copy, "🎉"), PATIENCE, every=0.1)
    world.edit(ann, met.top, said, {"content": "nearly done"})
    await met.on_matrix("nearly done")
    world.delete(met.top, said)
    await until(lambda: met.is_redacted(copy), PATIENCE, every=0.1)
