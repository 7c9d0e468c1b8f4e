"""The Matrix connector keeps the connectors' contract, on a real Synapse."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bot.model import Address
from bot.ports import Connector
from connectors.matrix.connector import MatrixConnector
from connectors.matrix.keys import Keys
from connectors.stage import Ledger, Stage, Standing, StandingFile, listening, outbound
from connectors.testing import ConnectorContract
from tests.stages.encrypted import PrivatePerson, meet_in_private
from tests.stages.line import Line
from tests.stages.matrix import Bot, meet
from tests.stages.synapse import Person, Town


class MatrixStage:
    """A room with a person; the bot reaches the homeserver over a line that can be cut."""

    def __init__(self, person: Person, bot: Bot, line: Line) -> None:
        self.place = Address("matrix", bot.room_id)
        self.contents = bot.contents
        self._person = person
        self._bot = bot
        self._line = line
        self._current = self._connect()
        self.connector: Connector = self._current

    async def speak(self, text: str, thread: str | None = None) -> str:
        if thread is None:
            return await self._person.say(self.place.place, text)
        return await self._person.say_in_thread(self.place.place, thread, text)

    async def send_file(self, name: str, content: bytes, media_type: str, caption: str = "") -> str:
        return await self._person.send_file(
            self.place.place, name, content, media_type, caption=caption
        )

    async def files(self) -> Sequence[StandingFile]:
        found = []
        for event in await self._person.events(self.place.place, self._bot.user_id):
            said = event["content"]
            if "filename" in said:
                content = await self._person.open_file(said)
                caption = said["body"] if said["body"] != said["filename"] else ""
                found.append(StandingFile(said["filename"], content, caption, _thread(said)))
        return found

    async def edit(self, event_id: str, text: str) -> str:
        return await self._person.edit(self.place.place, event_id, text)

    async def react(self, event_id: str, mark: str) -> str:
        return await self._person.react(self.place.place, event_id, mark)

    async def redact(self, event_id: str) -> str:
        return await self._person.redact(self.place.place, event_id)

    async def standing(self) -> Sequence[Standing]:
        shown: dict[str, Standing] = {}
        for event in await self._said():
            said = event["content"]
            edited = _edited(said)
            if edited is not None:
                shown[edited] = replace(shown[edited], text=said["m.new_content"]["body"])
            elif "body" in said and "filename" not in said:
                shown[event["event_id"]] = Standing(said["body"], _thread(said))
        return list(shown.values())

    async def _said(self) -> Sequence[dict[str, Any]]:
        return await self._person.events(self.place.place, self._bot.user_id)

    async def marks(self, event_id: str) -> Sequence[str]:
        relations = [said["content"].get("m.relates_to", {}) for said in await self._said()]
        return [one["key"] for one in relations if "key" in one and one["event_id"] == event_id]

    async def restart(self) -> None:
        await self.close()
        self.connector = self._current = self._connect()

    async def close(self) -> None:
        await self._current.close()

    async def cut(self) -> None:
        await self._line.cut()

    async def restore(self) -> None:
        await self._line.restore()

    def _connect(self) -> MatrixConnector:
        return self._bot.connector(homeserver_url=f"http://127.0.0.1:{self._line.port}")


class EncryptedStage(MatrixStage):
    """The same room, encrypted: what the person sees is what her client can decrypt."""

    def __init__(self, person: PrivatePerson, bot: Bot, line: Line, keys: Keys) -> None:
        self._keys = keys
        self._ann = person
        super().__init__(person, bot, line)

    async def wire(self) -> Sequence[dict[str, Any]]:
        """Return what the bot said as a client without keys sees it."""
        client = self._bot.town.client(self._bot.account)
        events = await client.events(self.place.place, self._bot.user_id)
        return [event for event in events if "state_key" not in event]

    async def _said(self) -> Sequence[dict[str, Any]]:
        return await self._ann.decrypted(self.place.place, self._bot.user_id)

    def _connect(self) -> MatrixConnector:
        return self._bot.connector(
            homeserver_url=f"http://127.0.0.1:{self._line.port}", keys=self._keys
        )


def _thread(content: dict[str, dict[str, str]]) -> str | None:
    relation = content.get("m.relates_to", {})
    return relation.get("event_id") if relation.get("rel_type") == "m.thread" else None


def _edited(content: dict[str, Any]) -> str | None:
    relation = content.get("m.relates_to", {})
    return relation["event_id"] if relation.get("rel_type") == "m.replace" else None


class TestMatrixConnector(ConnectorContract):
    @pytest.fixture
    async def stage(self, matrix_town: Town) -> AsyncIterator[Stage]:
        line = Line(urlsplit(matrix_town.url).port or 0)
        await line.restore()
        stage = MatrixStage(*await meet(matrix_town), line)
        yield stage
        await stage.close()
        await line.cut()

    async def test_missed_events_are_marked_and_counted(self, stage: Stage) -> None:
        ledger = Ledger()
        async with listening(stage, ledger):
            pass
        event_id = await stage.speak("missed")
        async with listening(stage, ledger):
            event = await ledger.arrival(event_id)
        assert event.recovered


class TestMatrixConnectorInAnEncryptedRoom(ConnectorContract):
    @pytest.fixture
    async def stage(self, matrix_town: Town, tmp_path: Path) -> AsyncIterator[Stage]:
        line = Line(urlsplit(matrix_town.url).port or 0)
        await line.restore()
        ann, bot, keys = await meet_in_private(matrix_town, tmp_path)
        async with ann.listening():
            stage = EncryptedStage(ann, bot, line, keys)
            yield stage
            await stage.close()
        await line.cut()

    async def test_nothing_of_ours_stands_there_in_clear_text(self, stage: Stage) -> None:
        assert isinstance(stage, EncryptedStage)
        async with listening(stage, Ledger()):
            await stage.connector.send(outbound(stage, "hello"))
            assert await stage.standing() == [Standing("hello")]
        [said] = await stage.wire()
        assert said["type"] == "m.room.encrypted"
        assert "hello" not in json.dumps(said)
