"""A card on Discord, with the daemon as a process: its own post in a forum, the talk in it, and a restart between."""

import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.stages.discord_stand_in.payloads import FORUM, Channel, Payload, User
from tests.stages.discord_stand_in.server import StandIn
from tests.stages.installation import Installation
from tests.stages.room import DEMO
from tests.waiting import until

PATIENCE = 60.0


class Server:
    """An installation whose people are on a stand-in of Discord: a channel for commands, a forum for cards."""

    def __init__(self, home: Path, stand_in: StandIn) -> None:
        self.world = stand_in.world
        self.stand_in = stand_in
        self.ann: User = self.world.add_person("ann")
        self.bot = self.world.add_bot()
        self.channel = self.world.add_channel()
        self.forum = self.world.add_channel("cards", FORUM)
        self.installation = Installation(home, {"DISCORD_BOT_TOKEN": self.bot.token})
        self.installation.write_settings(
            f"[access]\noperators = {json.dumps([f'discord:{self.ann.id}'])}\n"
            "[connectors.discord]\n"
            f'cards_channel_id = "{self.forum.id}"\n'
            f'api_url = "{stand_in.api_url}"\n'
            f'gateway_url = "{stand_in.gateway_url}"\n'
        )
        socket = f"acceptance-{os.getpid()}-{os.urandom(3).hex()}"
        self.installation.write_roster(
            {
                "version": 1,
                "tmux": {"socket_name": socket},
                "connector": {"kind": "discord", "discord": {"channel_id": self.channel.id}},
                "agents": [dict(agent) for agent in DEMO],
            }
        )

    def say(self, text: str, where: Channel | None = None) -> None:
        """Let Ann say something in the channel for commands, or in a thread."""
        self.stand_in.speak(self.ann, (where or self.channel).id, text)

    def heard(self, where: Channel) -> list[Payload]:
        """Return what the bot said in a channel or thread, oldest first; a post's opening is no part of it."""
        ours = (one for one in where.messages.values() if one["author"]["id"] == self.bot.user.id)
        return sorted(
            (one for one in ours if one["id"] != where.id), key=lambda one: int(one["id"])
        )

    async def hears(self, where: Channel, part: str) -> Payload:
        """Wait until the bot says something that holds some words, in its text or in an embed."""

        def found() -> Payload | None:
            said = (
                one for one in self.heard(where) if part in str((one["content"], one["embeds"]))
            )
            return next(said, None)

        return await self.sees(found, f"{part!r} in {where.name}")

    async def sees(self, fact: Callable[[], Payload | None], what: str) -> Payload:
        found = await until(fact, PATIENCE, what)
        assert found is not None
        return found

    def posts(self) -> list[Channel]:
        """Return the posts of the forum."""
        channels = self.world.channels.values()
        return [one for one in channels if one.parent_id == self.forum.id]

    def tags(self, post: Channel) -> list[str]:
        """Return the names of a post's tags."""
        names = {tag["id"]: tag["name"] for tag in self.forum.available_tags}
        return [names[one] for one in post.tags]


@pytest.fixture(scope="module")
async def server(home: Path) -> AsyncIterator[Server]:
    stand_in = StandIn()
    await stand_in.open()
    found = Server(home, stand_in)
    await found.installation.up()
    yield found
    await found.installation.close()
    await stand_in.close()


async def test_a_card_gets_its_post_in_which_people_talk_with_its_holder(server: Server) -> None:
    server.say("!backlog create --id A1 --title shed")
    await server.hears(server.channel, "The backlog has card A1")
    (post,) = await until(server.posts, PATIENCE, "the post")
    await until(lambda: server.tags(post) == ["ready"], PATIENCE, "the tag")
    assert post.name == "A1: shed"
    opening = post.messages[post.id]
    assert opening["content"].startswith("A1: shed")
    assert opening["embeds"][0]["fields"][0]["value"] == "ready"
    claimed = await server.installation.mosaic(
        "backlog", "claim", "--id", "A1", "--owner", "enhancer"
    )
    assert claimed.status == 0
    await server.hears(post, "A1 is claimed by enhancer")
    await until(lambda: server.tags(post) == ["claimed"], PATIENCE, "the tag")
    server.say("how far are you?", post)
    await server.hears(post, "dogfood enhancer: how far are you?")
    server.say("!backlog show", post)
    shown = await server.hears(post, "held by")
    assert (shown["content"], shown["embeds"][0]["title"]) == ("A1", "shed")


async def test_after_a_restart_the_card_has_the_same_post_and_it_goes_on(server: Server) -> None:
    (post,) = server.posts()
    await server.installation.down()
    server.say("are you still there?", post)
    await server.installation.up()
    await server.hears(post, "dogfood enhancer: are you still there?")
    await server.hears(post, "recovered 1, lost 0")
    server.say("!backlog complete --id A1", post)
    await until(lambda: server.tags(post) == ["done"], PATIENCE, "the tag")
    assert server.posts() == [post]
