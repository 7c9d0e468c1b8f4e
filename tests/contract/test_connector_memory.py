"""The memory connector keeps the connectors' contract."""

from collections.abc import Sequence

import pytest

from bot.errors import TransientError
from bot.model import Address, MessageKind, OutboundMessage, Principal
from bot.ports import Connector
from connectors.memory import KIND, MemoryConnector, MemoryPlatform
from connectors.stage import Ledger, Stage, Standing, StandingFile, listening
from connectors.testing import ConnectorContract
from tests.fakes.contents import MemoryContents

ANN = Principal("memory:ann", "ann")


class MemoryStage:
    """A platform in this process."""

    def __init__(self) -> None:
        self.platform = MemoryPlatform()
        self.contents = MemoryContents()
        self.connector: Connector = MemoryConnector(self.platform, self.contents)
        self.place = Address(KIND, "room")

    async def speak(self, text: str, thread: str | None = None) -> str:
        return self.platform.speak(self.place.place, ANN, text, thread=thread)

    async def edit(self, event_id: str, text: str) -> str:
        return self.platform.speak(self.place.place, ANN, text, edits=event_id)

    async def react(self, event_id: str, mark: str) -> str:
        return self.platform.react(self.place.place, ANN, mark, event_id)

    async def redact(self, event_id: str) -> str:
        return self.platform.redact(self.place.place, ANN, event_id)

    async def send_file(self, name: str, content: bytes, media_type: str, caption: str = "") -> str:
        return self.platform.send_file(
            self.place.place, ANN, name, content, media_type=media_type, caption=caption
        )

    async def files(self) -> Sequence[StandingFile]:
        ours = [one for one in self.platform.standing if one.message and one.file is not None]
        return [
            StandingFile(one.message.files[0].name, one.file, one.text, one.thread)
            for one in ours
            if one.message is not None and one.file is not None
        ]

    async def standing(self) -> Sequence[Standing]:
        ours = [one for one in self.platform.standing if one.message and one.file is None]
        return [Standing(one.text, one.thread) for one in ours]

    async def marks(self, event_id: str) -> Sequence[str]:
        return [mark for where, mark in self.platform.marks if where == event_id]

    async def restart(self) -> None:
        self.connector = MemoryConnector(self.platform, self.contents)

    async def cut(self) -> None:
        self.platform.cut()

    async def restore(self) -> None:
        self.platform.restore()


class TestMemoryConnector(ConnectorContract):
    @pytest.fixture
    async def stage(self) -> Stage:
        return MemoryStage()

    async def test_a_lost_answer_does_not_show_a_message_twice(self) -> None:
        stage = MemoryStage()
        message = OutboundMessage("m", 0, "t", stage.place, MessageKind.REPLY, "once")
        stage.platform.lose_answers = 1
        with pytest.raises(TransientError, match="before the answer came"):
            await stage.connector.send(message)
        await stage.connector.send(message)
        assert await stage.standing() == [Standing("once")]

    async def test_missed_events_are_marked_and_counted(self) -> None:
        stage, ledger = MemoryStage(), Ledger(position="0")
        event_id = await stage.speak("missed")
        async with listening(stage, ledger):
            event = await ledger.arrival(event_id)
        assert event.recovered
