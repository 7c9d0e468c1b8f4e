"""A Discord server with a person and a bot: the stage for the connector, on the stand-in."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from bot.model import Address
from bot.ports import Connector
from connectors.discord.connector import DiscordConnector
from connectors.discord.events import edit_id
from connectors.stage import Standing, StandingFile
from tests.fakes.contents import MemoryContents
from tests.stages.discord_stand_in.payloads import ORDINARY, REPLY, Payload
from tests.stages.discord_stand_in.server import StandIn
from tests.stages.line import Line


class DiscordStage:
    """One channel; the bot reaches Discord over a line that can be cut."""

    def __init__(self, stand_in: StandIn, line: Line) -> None:
        self.stand_in = stand_in
        self.world = stand_in.world
        self.contents = MemoryContents()
        self.ann = self.world.add_person("ann")
        self.bot = self.world.add_bot()
        self.channel = self.world.add_channel()
        self.place = Address("discord", self.channel.id)
        self._line = line
        self.read: set[str] = set()
        self._current = self.connect()
        self.connector: Connector = self._current

    def connect(self, **changes: Any) -> DiscordConnector:
        """Return a connector of this bot."""
        host = f"127.0.0.1:{self._line.port}"
        arguments: dict[str, Any] = {
            "channel_id": self.channel.id,
            "token": self.bot.token,
            "contents": self.contents,
            "api_url": f"http://{host}{urlsplit(self.stand_in.api_url).path}",
            "gateway_url": f"ws://{host}/gateway",
            "knows": self._knows,
            **changes,
        }
        return DiscordConnector(**arguments)

    async def _knows(self, event_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(self.read & set(event_ids))

    async def speak(self, text: str, thread: str | None = None) -> str:
        if thread is None:
            return str(self.stand_in.speak(self.ann, self.channel.id, text)["id"])
        return str(self.stand_in.speak_below(self.ann, self.channel.id, thread, text)["id"])

    async def send_file(self, name: str, content: bytes, media_type: str, caption: str = "") -> str:
        file = {"filename": name, "content": content, "content_type": media_type}
        said = self.stand_in.speak(self.ann, self.channel.id, caption, files=[file])
        return str(said["id"])

    async def edit(self, event_id: str, text: str) -> str:
        said = self.world.edit(self.ann, self.channel.id, event_id, {"content": text})
        return edit_id(int(event_id), datetime.fromisoformat(said["edited_timestamp"]))

    async def react(self, event_id: str, mark: str) -> str:
        own = mark.isascii()  # then it is one that somebody made for the server
        emoji = {"id": "77" if own else None, "name": mark}
        self.world.mark(self.ann, self.channel.id, event_id, emoji)
        return f"{event_id}:{self.ann.id}:{f':{mark}:' if own else mark}"

    async def redact(self, event_id: str) -> str:
        self.world.delete(self.channel.id, event_id)
        return f"{event_id}:gone"

    def said(self) -> list[tuple[str | None, Payload]]:
        """Return what the bot said that stands, with the thread that it stands in."""
        found = [
            (channel.id if channel.is_thread else None, message)
            for channel in self.world.channels.values()
            for message in channel.messages.values()
            if message["author"]["id"] == self.bot.user.id and message["type"] in {ORDINARY, REPLY}
        ]
        return sorted(found, key=lambda one: int(one[1]["id"]))

    async def standing(self) -> Sequence[Standing]:
        plain = [(thread, one) for thread, one in self.said() if not one["attachments"]]
        return [Standing(one["content"], thread) for thread, one in plain]

    async def files(self) -> Sequence[StandingFile]:
        return [
            StandingFile(_given_name(file), self.world.files[file["id"]], one["content"], thread)
            for thread, one in self.said()
            for file in one["attachments"]
        ]

    async def marks(self, event_id: str) -> Sequence[str]:
        standing = self.world.marks.get(event_id, [])
        return [mark for user_id, mark in standing if user_id == self.bot.user.id]

    async def restart(self) -> None:
        await self._current.close()
        self.connector = self._current = self.connect()

    async def cut(self) -> None:
        await self._line.cut()

    async def restore(self) -> None:
        await self._line.restore()

    async def close(self) -> None:
        await self._current.close()
        await self._line.cut()
        await self.stand_in.close()


def _given_name(file: Payload) -> str:
    ending = str(file["filename"]).rpartition(".")[2]
    return f"{file['title']}.{ending}" if "title" in file else str(file["filename"])


Stage = TypeVar("Stage", bound=DiscordStage)


async def discord_stage(make: Callable[[StandIn, Line], Stage]) -> Stage:
    """Return a stage on a stand-in of its own; ``close`` ends both."""
    stand_in = StandIn()
    await stand_in.open()
    line = Line(stand_in.port)
    await line.restore()
    return make(stand_in, line)
