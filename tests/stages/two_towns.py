"""A running installation that people meet in a room on a real homeserver and on a Discord server of the stand-in."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.stages.discord_stand_in.payloads import Bot, Channel, Payload, User
from tests.stages.discord_stand_in.server import StandIn
from tests.stages.room import DEMO, PATIENCE, OpsRoom, ops_room
from tests.stages.synapse import Town
from tests.waiting import until

_PLACE = """
[threads]
cards = "created"

[connectors.discord]
api_url = "{api_url}"
gateway_url = "{gateway_url}"
"""


class TwoTowns:
    """Ann operates the fleet on both: in ``room`` on Matrix, and as ``annie`` in a channel on Discord."""

    def __init__(self, room: OpsRoom, stand_in: StandIn) -> None:
        self.room = room
        self.installation = room.installation
        self.stand_in = stand_in
        self.world = stand_in.world
        self.bot: Bot = self.world.add_bot()
        self.channel: Channel = self.world.add_channel("fleet")
        self.annie: User = self.world.add_person("annie")

    @property
    def ann(self) -> str:
        """What Ann is called on Matrix."""
        return self.room.ann.user_id.removeprefix("@").partition(":")[0]

    def write(self) -> None:
        """Write the settings and the roster of both platforms, Matrix first."""
        token = {"MATRIX_ACCESS_TOKEN": self.room.bot.token, "DISCORD_BOT_TOKEN": self.bot.token}
        self.installation.give(token)
        operators = [f"matrix:{self.room.ann.user_id}", f"discord:{self.annie.id}"]
        urls = {"api_url": self.stand_in.api_url, "gateway_url": self.stand_in.gateway_url}
        self.installation.write_settings(
            f"[access]\noperators = {json.dumps(operators)}\n{_PLACE.format(**urls)}"
        )
        matrix = {
            "homeserver_url": self.room.town.url,
            "user_id": self.room.bot.user_id,
            "room_id": self.room.room_id,
        }
        discord = {"guild_id": self.world.guild_id, "channel_id": self.channel.id}
        self.installation.write_roster(
            {
                "version": 1,
                "tmux": {"socket_name": f"towns-{os.getpid()}-{os.urandom(3).hex()}"},
                "connector": {"kind": "matrix", "matrix": matrix},
                "connectors": [{"kind": "discord", "discord": discord}],
                "agents": [dict(agent) for agent in DEMO],
            }
        )

    # -- on Matrix -------------------------------------------------------------------------------------

    async def threaded(self, root: str, words: str) -> str:
        """Wait for what the bot said with these words in a Matrix thread; return its event id."""

        def found() -> list[str]:
            return [
                str(e["event_id"])
                for e in self.room.said()
                if _relation(e).get("event_id") == root
                and words in str(e["content"].get("body", ""))
            ]

        (event_id,) = await until(found, PATIENCE, f"{words!r} in the thread on Matrix")
        return event_id

    async def edited(self, event_id: str, words: str) -> None:
        """Wait until the bot has said one of its events on Matrix anew."""

        def found() -> bool:
            return any(
                (_relation(e).get("rel_type"), _relation(e).get("event_id"))
                == ("m.replace", event_id)
                and words in str(e["content"]["m.new_content"]["body"])
                for e in self.room.said()
            )

        await until(found, PATIENCE, f"{event_id} to say {words!r}")

    # -- on Discord ------------------------------------------------------------------------------------

    async def thread(self, name: str) -> Channel:
        """Wait for the thread on Discord that has a name."""

        def found() -> list[Channel]:
            return [c for c in self.world.channels.values() if c.is_thread and c.name == name]

        (thread,) = await until(found, PATIENCE, f"the thread {name!r} on Discord")
        return thread

    async def shown(self, thread: Channel, words: str) -> Payload:
        """Wait for what the bot said with these words in a Discord thread."""

        def found() -> list[Payload]:
            own = [m for m in thread.messages.values() if m["author"]["id"] == self.bot.user.id]
            return [message for message in own if words in message["content"]]

        (message,) = await until(found, PATIENCE, f"{words!r} in the thread on Discord")
        return message

    def marks(self, message_id: str) -> list[str]:
        """Return the bot's marks on a message on Discord."""
        standing = self.world.marks.get(message_id, [])
        return [mark for user_id, mark in standing if user_id == self.bot.user.id]


def _relation(event: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = event["content"].get("m.relates_to") or {}
    return found


@asynccontextmanager
async def two_towns(home: Path, town: Town) -> AsyncIterator[TwoTowns]:
    """Lend an installation on both platforms; it runs, and both are connected."""
    stand_in = StandIn()
    await stand_in.open()
    try:
        async with ops_room(home, town) as room:
            found = TwoTowns(room, stand_in)
            found.write()
            await found.installation.up()
            await room.steady()
            yield found
    finally:
        await stand_in.close()
