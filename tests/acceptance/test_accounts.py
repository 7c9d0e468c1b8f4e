"""Two accounts become one person in a real room: by a code and a yes of both; settings count for both."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stages.room import PATIENCE, OpsRoom, ops_room
from tests.stages.synapse import Person, Town
from tests.waiting import until


@dataclass(frozen=True)
class Scene:
    """Ann operates; Annie is a stranger, who is Ann as well; Eve is one, who is not."""

    room: OpsRoom
    annie: Person
    eve: Person

    async def says(self, who: Person, text: str) -> str:
        """Let somebody say a line; return what is answered."""
        content = await self.room.answer(await who.say(self.room.room_id, text))
        return str(content["body"])

    async def taps(self, who: Person, part: str) -> str:
        """Let somebody tap the check mark below what was said with some words; return what the bot says to it."""
        asked = await self.room.announced(part)
        await self.room.marked(asked, "✅")
        before = len(self.room.threaded(asked)) + len(self.room.answers(asked))
        await who.react(self.room.room_id, asked, "✅")

        def said() -> list[str]:
            answers = [str(one["body"]) for one in self.room.answers(asked)]
            return (answers + self.room.threaded(asked))[before:]

        return (await until(said, PATIENCE, "an answer to the tap"))[-1]


@pytest.fixture(scope="module")
async def scene(home: Path, homeserver: Town) -> AsyncIterator[Scene]:
    annie, eve = await homeserver.person("annie"), await homeserver.person("eve")
    async with ops_room(home, homeserver, strangers=(annie, eve)) as room:
        await room.installation.up()
        await room.steady()
        yield Scene(room, annie, eve)


async def test_a_stranger_is_an_operator_s_other_account_after_a_yes_of_both(scene: Scene) -> None:
    assert "is refused" in await scene.says(scene.annie, "!backlog create --id A1 --title no")
    told = await scene.says(scene.annie, "!account link")
    code = told.partition("!account link ")[2][:8]
    question = await scene.says(scene.room.ann, f"!account link {code}")
    assert "given to annie" in question or scene.annie.user_id in question
    assert "with the role operator" in question
    assert "is asked now" in await scene.taps(scene.room.ann, "Say yes only if you asked")
    assert "is refused" in await scene.says(scene.annie, "!backlog create --id A1 --title no")
    assert "one person now" in await scene.taps(scene.annie, "has said your code")
    made = await scene.says(scene.annie, "!backlog create --id A1 --title yes")
    assert "A1" in made
    why = await scene.says(scene.annie, "!why")
    assert "has the role operator" in why
    assert "stranger" in await scene.says(scene.eve, "!account show")


async def test_links_outlive_the_daemon_and_end_at_once(scene: Scene) -> None:
    assert (await scene.room.installation.mosaic("restart", "--json")).status == 0
    await scene.room.steady()
    assert "A1" in await scene.says(scene.annie, "!backlog show A1")
    gone = await scene.says(scene.room.ann, f"!account unlink matrix:{scene.annie.user_id}")
    assert "stands alone again" in gone
    assert "is refused" in await scene.says(scene.annie, "!backlog show A1")
