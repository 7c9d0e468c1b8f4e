"""What people touch in the stand-in: interactions, how they are acknowledged and answered, and the slash commands.

Source: Discord's documentation, "Receiving and Responding to Interactions", "Application Commands".
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.stages.discord_stand_in.mischief import Mischief
from tests.stages.discord_stand_in.payloads import Bot, Channel, Payload, User
from tests.stages.discord_stand_in.world import Refused, World

EPHEMERAL, LOADING = 64, 128
_SLASH, _BUTTON, _AUTOCOMPLETE, _MODAL = 2, 3, 4, 5
_SAY, _DEFER, _DEFER_UPDATE, _SUGGEST, _OPEN = 4, 5, 6, 8, 9
Answer = Callable[[web.Request], Awaitable[Any]]


@dataclass(slots=True)
class Touch:
    """One interaction as it stands; ``answer`` is the message that answers it, which others see unless it is private."""

    id: str
    token: str
    channel: Channel
    answer: Payload | None = None
    private: bool = False
    acknowledged: int = 0
    suggestions: list[Payload] | None = None
    modal: Payload | None = None

    @property
    def content(self) -> str:
        """The answer's words; empty while it is awaited."""
        return "" if self.answer is None else str(self.answer["content"])


class Interactions:
    """The touches of a world, and the commands that its bots told, with how often they did.

    While it is ``hasty``, the minutes in which a touch can be answered are over once it is acknowledged. While it is
    ``closed``, bots may not tell commands, as without the scope for them.
    """

    def __init__(self, world: World, mischief: Mischief) -> None:
        self.commands: list[Payload] = []
        self.told = 0
        self.hasty = False
        self.closed = False
        self.touches: dict[str, Touch] = {}
        self._world = world
        self._mischief = mischief

    def add_to(self, application: web.Application, api: str) -> None:
        commands = f"{api}/applications/{{application}}/guilds/{{guild}}/commands"
        original = f"{api}/webhooks/{{application}}/{{token}}/messages/@original"
        routes: list[tuple[str, str, Answer]] = [
            ("GET", commands, self._list),
            ("PUT", commands, self._replace),
            ("POST", f"{api}/interactions/{{touch}}/{{token}}/callback", self._acknowledge),
            ("GET", original, self._original),
            ("PATCH", original, self._fill),
            ("POST", f"{api}/webhooks/{{application}}/{{token}}", self._follow),
        ]
        for method, path, answer in routes:
            application.router.add_route(method, path, self._served(answer))

    def _served(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                body, status = await answer(request), 200
            except Refused as error:
                body, status = {"message": error.message, "code": error.code}, error.status
            data = json.dumps(body).encode()
            return web.Response(status=status, body=data, content_type="application/json")

        async def serve(request: web.Request) -> web.StreamResponse:
            return await self._mischief.pass_on(request, handle)

        return serve

    # -- people ----------------------------------------------------------------------------------------

    def slash(self, who: User, channel: Channel, path: str, **options: Any) -> Touch:
        """Let somebody send a slash command, with values of their own types."""
        given = [
            {"type": 4 if type(value) is int else 3, "name": name, "value": value}
            for name, value in options.items()
        ]
        name, *below = path.split()
        for depth, word in enumerate(reversed(below)):
            given = [{"type": 2 if depth else 1, "name": word, "options": given}]
        data = {"id": self._world.new_id(), "name": name, "type": 1, "options": given}
        return self._touch(who, channel, _SLASH, data)

    def press(self, who: User, channel: Channel, message: Payload, label: str) -> Touch:
        """Let somebody press a button of a message that they see."""
        buttons = [one for row in message["components"] for one in row["components"]]
        (found,) = (one for one in buttons if one["label"] == label)
        data = {"custom_id": found["custom_id"], "component_type": 2}
        return self._touch(who, channel, _BUTTON, data, message=message)

    def _touch(self, who: User, channel: Channel, kind: int, data: Payload, **more: Any) -> Touch:
        touch = Touch(self._world.new_id(), f"token-{self._world.new_id()}", channel)
        self.touches[touch.id] = touch
        member = {"user": who.payload(), "roles": [], "permissions": "0", "flags": 0}
        told = {
            "id": touch.id,
            "application_id": next(iter(self._world.bots.values())).user.id,
            "type": kind,
            "token": touch.token,
            "version": 1,
            "data": data,
            "guild_id": self._world.guild_id,
            "channel_id": channel.id,
            "channel": channel.payload(self._world.guild_id),
            "member": member | {"joined_at": self._world.now().isoformat()},
            "app_permissions": "0",
            "locale": "en-US",
            "entitlements": [],
            "authorizing_integration_owners": {},
            "context": 0,
            "attachment_size_limit": 1_000_000,
            **more,
        }
        self._world.tell("INTERACTION_CREATE", told)
        return touch

    # -- bots ------------------------------------------------------------------------------------------

    async def _list(self, _request: web.Request) -> list[Payload]:
        if self.closed:
            raise Refused(403, 50001, "Missing Access")
        return self.commands

    async def _replace(self, request: web.Request) -> list[Payload]:
        self.told += 1
        self.commands = [
            {**one, "id": self._world.new_id(), "version": "1"} for one in await request.json()
        ]
        return self.commands

    async def _acknowledge(self, request: web.Request) -> Payload:
        touch = self.touches.get(request.match_info["touch"])
        if touch is None or touch.token != request.match_info["token"]:
            raise Refused(404, 10062, "Unknown interaction")
        if touch.acknowledged:
            raise Refused(400, 40060, "Interaction has already been acknowledged.")
        said = await request.json()
        touch.acknowledged, data = said["type"], said.get("data") or {}
        if said["type"] in {_SAY, _DEFER}:
            touch.private = bool(data.get("flags", 0) & EPHEMERAL)
            touch.answer = self._message(touch, data)
        elif said["type"] == _SUGGEST:
            touch.suggestions = data["choices"]
        elif said["type"] == _OPEN:
            touch.modal = data
        if self.hasty:
            touch.token = ""
        answered = None if touch.answer is None else touch.answer["id"]
        return {"interaction": {"id": touch.id, "type": 2, "response_message_id": answered}}

    def _message(self, touch: Touch, said: Payload) -> Payload:
        """Make the message of an answer; one that is awaited has no words yet."""
        loading = not said.get("content")
        told = {**said, "content": said.get("content") or "…", "flags": LOADING if loading else 0}
        message = self._world.say(self._bot().user, touch.channel.id, told)
        if loading:
            message["content"] = ""
        if touch.private:
            touch.channel.messages.pop(message["id"])
            message["flags"] |= EPHEMERAL
        return touch.channel.messages.get(message["id"], message) | {"content": message["content"]}

    def _bot(self) -> Bot:
        return next(iter(self._world.bots.values()))

    def _answered(self, request: web.Request) -> Touch:
        token = request.match_info["token"]
        for touch in self.touches.values():
            if touch.token == token:
                return touch
        raise Refused(404, 10015, "Unknown Webhook")

    async def _original(self, request: web.Request) -> Payload:
        touch = self._answered(request)
        if touch.answer is None:
            raise Refused(404, 10008, "Unknown Message")
        return touch.answer

    async def _fill(self, request: web.Request) -> Payload:
        touch, said = self._answered(request), await request.json()
        if touch.answer is None:
            raise Refused(404, 10008, "Unknown Message")
        touch.answer |= {name: value for name, value in said.items() if value is not None}
        touch.answer["flags"] &= ~LOADING
        if not touch.private:
            touch.channel.messages[touch.answer["id"]] = touch.answer
        return touch.answer

    async def _follow(self, request: web.Request) -> Payload:
        touch = self._answered(request)
        return self._message(touch, await request.json())
