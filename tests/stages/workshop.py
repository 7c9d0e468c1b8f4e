"""A Discord server on the stand-in in which people talk with a running installation."""

import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.stages.discord_stand_in.payloads import ORDINARY, REPLY, Bot, Channel, Payload, User
from tests.stages.discord_stand_in.server import StandIn
from tests.stages.installation import Installation
from tests.stages.room import DEMO, PATIENCE
from tests.waiting import until


class Workshop:
    """The installation, its channel, Ann, who operates it there, Max, a member, and Eve, a stranger."""

    def __init__(self, home: Path, stand_in: StandIn) -> None:
        world = stand_in.world
        self.stand_in = stand_in
        self.world = world
        self.bot: Bot = world.add_bot()
        self.channel: Channel = world.add_channel("fleet")
        self.ann: User = world.add_person("ann")
        self.max: User = world.add_person("max")
        self.eve: User = world.add_person("eve")
        self.installation = Installation(home, {"DISCORD_BOT_TOKEN": self.bot.token})

    def write(self, agents: Sequence[Mapping[str, Any]] = DEMO, more: str = "") -> None:
        """Write the settings and the roster."""
        self.installation.write_settings(
            "[access]\n"
            f"operators = {json.dumps([f'discord:{self.ann.id}'])}\n"
            f"members = {json.dumps([f'discord:{self.max.id}'])}\n"
            "[connectors.discord]\n"
            f'api_url = "{self.stand_in.api_url}"\n'
            f'gateway_url = "{self.stand_in.gateway_url}"\n' + more
        )
        block = {"guild_id": self.world.guild_id, "channel_id": self.channel.id}
        self.installation.write_roster(
            {
                "version": 1,
                "tmux": {"socket_name": f"workshop-{os.getpid()}-{os.urandom(3).hex()}"},
                "connector": {"kind": "discord", "discord": block},
                "agents": [dict(agent) for agent in agents],
            }
        )

    # -- people ----------------------------------------------------------------------------------------

    def say(self, text: str, *, by: User | None = None, thread: str | None = None) -> str:
        """Let somebody say something in the channel, or in the thread of a message; return its id."""
        person = by or self.ann
        if thread is None:
            return str(self.stand_in.speak(person, self.channel.id, text)["id"])
        return str(self.stand_in.speak_below(person, self.channel.id, thread, text)["id"])

    async def ask(self, text: str, **more: Any) -> str:
        """Let somebody say a text and return what is answered to it, when exactly one answer stands there."""
        return str((await self.answer(self.say(text, **more)))["content"])

    # -- what the bot said -----------------------------------------------------------------------------

    def said(self, channel_id: str | None = None) -> list[Payload]:
        """Return the bot's messages in the channel or a thread, oldest first."""
        found = self.world.channels.get(channel_id or self.channel.id)
        messages = [] if found is None else list(found.messages.values())
        ours = [one for one in messages if one["author"]["id"] == self.bot.user.id]
        return [one for one in ours if one["type"] in {ORDINARY, REPLY}]

    def answers(self, event_id: str, channel_id: str | None = None) -> list[Payload]:
        """Return the bot's messages that answer one."""
        return [one for one in self.said(channel_id) if _answered(one) == event_id]

    async def answer(self, event_id: str, channel_id: str | None = None) -> Payload:
        """Wait until a message is answered; return the one answer."""
        found = lambda: self.answers(event_id, channel_id)  # noqa: E731 - it is waited for
        return (await until(found, PATIENCE, f"an answer to {event_id}"))[0]

    async def spoken(self, part: str, channel_id: str | None = None) -> Payload:
        """Wait until the bot has said some words in the channel or a thread."""

        def found() -> list[Payload]:
            return [one for one in self.said(channel_id) if part in one["content"]]

        return (await until(found, PATIENCE, f"{part!r} to be said"))[0]

    def marks(self, event_id: str) -> list[str]:
        """Return the bot's marks on a message."""
        standing = self.world.marks.get(event_id, [])
        return [mark for user_id, mark in standing if user_id == self.bot.user.id]

    async def marked(self, event_id: str, mark: str) -> None:
        """Wait until of the bot's marks on a message one alone stands there."""
        await until(lambda: self.marks(event_id) == [mark], PATIENCE, f"{mark} on {event_id}")

    async def part(self, state: str) -> dict[str, Any]:
        """Wait until the connector's part of the daemon is in a state; return what is said of it."""

        async def found() -> dict[str, Any] | None:
            parts = (await self.installation.status())["parts"]
            told: dict[str, Any] = parts.get("connector.discord", {})
            return told if told.get("state") == state else None

        return await until(found, PATIENCE, f"the connector to be {state}", every=0.3) or {}


def _answered(message: Payload) -> str | None:
    reference = message.get("message_reference")
    return None if reference is None else str(reference["message_id"])


@asynccontextmanager
async def workshop(home: Path) -> AsyncIterator[Workshop]:
    """Lend a server with a home that is made for it; the daemon does not run yet."""
    stand_in = StandIn()
    await stand_in.open()
    found = Workshop(home, stand_in)
    found.write()
    try:
        yield found
    finally:
        await found.installation.close()
        await stand_in.close()
