"""What whoever starts the stand-in as a program can do with it over HTTP, below /stand-in."""

import json
from datetime import timedelta
from typing import Any

from aiohttp import web

from tests.stages.discord_stand_in.mischief import Trouble
from tests.stages.discord_stand_in.payloads import Bot, Channel, User
from tests.stages.discord_stand_in.server import StandIn


class Control:
    """A bot, a channel, and people who are made when they first do something."""

    def __init__(self, stand_in: StandIn, token: str | None) -> None:
        self._stand_in = stand_in
        self._world = stand_in.world
        self._bot: Bot = self._world.add_bot(token=token)
        self._channel: Channel = self._world.add_channel()
        self._people: dict[str, User] = {}

    def add_to(self, application: web.Application) -> None:
        application.router.add_get("/stand-in", self._facts)
        application.router.add_get("/stand-in/messages", self._messages)
        application.router.add_post("/stand-in/say", self._say)
        application.router.add_post("/stand-in/mark", self._mark)
        application.router.add_post("/stand-in/slash", self._slash)
        application.router.add_post("/stand-in/press", self._press)
        application.router.add_get("/stand-in/answer", self._answer)
        application.router.add_post("/stand-in/trouble", self._trouble)
        application.router.add_post("/stand-in/drop", self._drop)
        application.router.add_post("/stand-in/bot", self._another_bot)
        application.router.add_post("/stand-in/latency", self._latency)

    def facts(self) -> dict[str, str]:
        """Return what a bot's settings need."""
        return self._facts_of(self._bot, self._channel)

    def _facts_of(self, bot: Bot, channel: Channel) -> dict[str, str]:
        return {
            "api_url": self._stand_in.api_url,
            "gateway_url": self._stand_in.gateway_url,
            "token": bot.token,
            "bot_id": bot.user.id,
            "guild_id": self._world.guild_id,
            "channel_id": channel.id,
        }

    async def _facts(self, _request: web.Request) -> web.Response:
        return web.json_response(self.facts())

    async def _messages(self, request: web.Request) -> web.Response:
        """Return what stands in a channel or thread, oldest first, with the marks on each message."""
        channel = self._world.channel(request.query.get("channel", self._channel.id))
        told = sorted(channel.messages.values(), key=lambda one: int(one["id"]))
        marks = self._world.marks
        return web.json_response([one | {"marks": marks.get(one["id"], [])} for one in told])

    async def _say(self, request: web.Request) -> web.Response:
        """Let a person say ``text``, in the thread of a message with ``thread``."""
        told = await request.json()
        person, text = self._person(told), str(told["text"])
        channel_id = str(told.get("channel", self._channel.id))
        if "thread" in told:
            said = self._stand_in.speak_below(person, channel_id, str(told["thread"]), text)
        else:
            said = self._stand_in.speak(person, channel_id, text)
        return web.json_response(said)

    async def _mark(self, request: web.Request) -> web.Response:
        """Let a person put ``mark`` on a ``message``."""
        told = await request.json()
        channel_id = str(told.get("channel", self._channel.id))
        emoji = {"id": None, "name": str(told["mark"])}
        self._world.mark(self._person(told), channel_id, str(told["message"]), emoji)
        return web.json_response({})

    async def _slash(self, request: web.Request) -> web.Response:
        """Let a person send the slash command ``path`` with ``options``."""
        told = await request.json()
        channel = self._world.channel(str(told.get("channel", self._channel.id)))
        options: dict[str, Any] = told.get("options", {})
        touch = self._stand_in.interactions.slash(
            self._person(told), channel, str(told["path"]), **options
        )
        return web.json_response({"touch": touch.id})

    async def _press(self, request: web.Request) -> web.Response:
        """Let a person press the button ``label`` below a ``message``."""
        told = await request.json()
        channel = self._world.channel(str(told.get("channel", self._channel.id)))
        message = channel.messages[str(told["message"])]
        touch = self._stand_in.interactions.press(
            self._person(told), channel, message, str(told["label"])
        )
        return web.json_response({"touch": touch.id})

    async def _answer(self, request: web.Request) -> web.Response:
        """Return what answers a ``touch``, and whether only who touched sees it."""
        touch = self._stand_in.interactions.touches[request.query["touch"]]
        told = {"content": touch.content, "is_private": touch.private}
        return web.json_response(told)

    async def _trouble(self, request: web.Request) -> web.Response:
        """Begin to misbehave in the way that ``trouble`` names; null ends it."""
        told = (await request.json())["trouble"]
        if told is None:
            self._stand_in.mischief.relent()
        else:
            self._stand_in.mischief.strike(Trouble(told))
        return web.json_response({"allowed": [str(one) for one in Trouble]})

    async def _drop(self, request: web.Request) -> web.Response:
        """Close every bot's line with a ``code``; with ``forget`` their sessions are void too."""
        told: dict[str, Any] = json.loads(await request.text() or "{}")
        if told.get("forget"):
            self._stand_in.gateway.forget_sessions()
        await self._stand_in.gateway.drop(int(told.get("code", 4000)))
        return web.json_response({})

    async def _another_bot(self, request: web.Request) -> web.Response:
        """Make a bot with a ``name``, and a channel of the same name; all bots hear all channels."""
        name = str((await request.json())["name"])
        return web.json_response(
            self._facts_of(self._world.add_bot(name), self._world.add_channel(name))
        )

    async def _latency(self, request: web.Request) -> web.Response:
        """Let ``milliseconds`` pass from now on before a request is obeyed."""
        told = await request.json()
        self._stand_in.rest.latency = timedelta(milliseconds=float(told["milliseconds"]))
        return web.json_response({})

    def _person(self, told: dict[str, Any]) -> User:
        """Return who does something; ``ann`` unless it is said, and her id comes with what she says."""
        name = str(told.get("person", "ann"))
        if name not in self._people:
            self._people[name] = self._world.add_person(name)
        return self._people[name]
