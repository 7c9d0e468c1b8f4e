"""The stand-in's REST API, version 10: what a bot asks, and what Discord answers.

Source: Discord's documentation, "API Reference" and "Resources".
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tests.stages.discord_stand_in.mischief import Handle, Mischief, bucket_headers
from tests.stages.discord_stand_in.payloads import (
    ALL_PERMISSIONS,
    FORUM,
    Bot,
    Payload,
    application_payload,
    guild_payload,
    member_payload,
)
from tests.stages.discord_stand_in.world import Refused, World

Answer = Callable[[web.Request], Awaitable[Any]]
API = "/api/v10"
LARGEST_REQUEST = 12 * 1024 * 1024


class Rest:
    """Answers what bots ask of a world. ``asked`` are the method and path of every request, in order.

    ``latency`` passes before a request is obeyed, as it does on the way to the real one and in it.
    """

    def __init__(self, world: World, mischief: Mischief) -> None:
        self.latency = timedelta()
        self.asked: list[tuple[str, str]] = []
        self._world = world
        self._mischief = mischief

    def add_to(self, application: web.Application) -> None:
        plain: dict[str, Answer] = {
            "/users/@me": self._me,
            "/users/@me/guilds": self._guilds,
            "/oauth2/applications/@me": self._application,
            "/applications/@me": self._application,
            "/gateway/bot": self._gateway,
            "/guilds/{guild}": self._guild,
            "/guilds/{guild}/channels": self._channels,
            "/guilds/{guild}/roles": self._roles,
            "/guilds/{guild}/members/{user}": self._member,
            "/guilds/{guild}/threads/active": self._active_threads,
            "/channels/{channel}": self._channel,
            "/channels/{channel}/messages": self._history,
            "/channels/{channel}/messages/{message}": self._message,
            "/channels/{channel}/threads/archived/public": self._archived_threads,
        }
        acting: dict[tuple[str, str], Answer] = {
            ("POST", "/channels/{channel}/messages"): self._say,
            ("PATCH", "/channels/{channel}/messages/{message}"): self._edit,
            ("DELETE", "/channels/{channel}/messages/{message}"): self._delete,
            ("PUT", "/channels/{channel}/messages/{message}/reactions/{emoji}/@me"): self._mark,
            (
                "DELETE",
                "/channels/{channel}/messages/{message}/reactions/{emoji}/@me",
            ): self._unmark,
            ("POST", "/channels/{channel}/typing"): self._type,
            ("POST", "/channels/{channel}/messages/{message}/threads"): self._begin_thread,
            ("POST", "/channels/{channel}/threads"): self._post_thread,
            ("PATCH", "/channels/{channel}"): self._change,
            ("PATCH", "/applications/@me"): self._change_application,
        }
        for path, answer in plain.items():
            application.router.add_get(API + path, self._answered(answer))
        for (method, path), answer in acting.items():
            application.router.add_route(method, API + path, self._answered(answer))
        application.router.add_get("/attachments/{channel}/{attachment}/{name}", self._file)

    def _answered(self, answer: Answer) -> Handle:
        """Return what serves a request: who asks, what goes wrong, and Discord's own form of answer."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return _told(request, await answer(request))
            except Refused as error:
                return _told(request, {"message": error.message, "code": error.code}, error.status)

        async def serve(request: web.Request) -> web.StreamResponse:
            self.asked.append((request.method, request.path.removeprefix(API)))
            if self.latency:
                await asyncio.sleep(self.latency.total_seconds())
            if self._bot(request) is None:
                return _told(request, {"message": "401: Unauthorized", "code": 0}, 401)
            return await self._mischief.pass_on(request, handle)

        return serve

    def _bot(self, request: web.Request) -> Bot | None:
        return self._world.bots.get(request.headers.get("Authorization", "").removeprefix("Bot "))

    def _whose(self, request: web.Request) -> Bot:
        bot = self._bot(request)
        assert bot is not None
        return bot

    # -- who and where ---------------------------------------------------------------------------------

    async def _me(self, request: web.Request) -> Payload:
        return self._whose(request).user.payload()

    async def _application(self, request: web.Request) -> Payload:
        return application_payload(self._whose(request))

    async def _change_application(self, request: web.Request) -> Payload:
        bot = self._whose(request)
        bot.reads_words = bool((await request.json())["flags"])
        return application_payload(bot)

    async def _gateway(self, request: web.Request) -> Payload:
        left = self._whose(request).knocks
        limit = {"total": 1000, "remaining": left, "reset_after": 60_000, "max_concurrency": 1}
        return {"url": f"ws://{request.host}/gateway", "shards": 1, "session_start_limit": limit}

    async def _guilds(self, _request: web.Request) -> list[Payload]:
        return [{"id": self._world.guild_id, "name": "Workshop"}]

    async def _guild(self, request: web.Request) -> Payload:
        channels = list(self._world.channels.values())
        return guild_payload(self._world.guild_id, channels, self._whose(request).user)

    async def _channels(self, _request: web.Request) -> list[Payload]:
        found = (one for one in self._world.channels.values() if not (one.is_thread or one.hidden))
        return [one.payload(self._world.guild_id) for one in found]

    async def _roles(self, _request: web.Request) -> list[Payload]:
        return [{"id": self._world.guild_id, "name": "@everyone", "permissions": ALL_PERMISSIONS}]

    async def _member(self, request: web.Request) -> Payload:
        return member_payload(self._world.users[request.match_info["user"]])

    async def _channel(self, request: web.Request) -> Payload:
        return self._world.channel(request.match_info["channel"]).payload(self._world.guild_id)

    async def _active_threads(self, _request: web.Request) -> Payload:
        found = self._world.threads(archived=False)
        return {"threads": [one.payload(self._world.guild_id) for one in found], "members": []}

    async def _archived_threads(self, request: web.Request) -> Payload:
        channel = self._world.channel(request.match_info["channel"])
        found = self._world.threads(archived=True, parent_id=channel.id)
        before = request.query.get("before")
        found = [one for one in found if before is None or one.archived_at < before]
        found.sort(key=lambda one: one.archived_at, reverse=True)
        limit = int(request.query.get("limit", 50))
        shown = [one.payload(self._world.guild_id) for one in found[:limit]]
        return {"threads": shown, "members": [], "has_more": len(found) > limit}

    # -- what is said ----------------------------------------------------------------------------------

    async def _history(self, request: web.Request) -> list[Payload]:
        """Return messages newest first; ``after`` gives the oldest ones that are newer than an id."""
        channel = self._world.channel(request.match_info["channel"])
        if channel.closed_book:
            return []
        limit = int(request.query.get("limit", 50))
        after, before = request.query.get("after"), request.query.get("before")
        found = sorted(channel.messages.values(), key=lambda one: int(one["id"]))
        if after is not None:
            found = [one for one in found if int(one["id"]) > int(after)][:limit]
        elif before is not None:
            found = [one for one in found if int(one["id"]) < int(before)][-limit:]
        else:
            found = found[-limit:]
        return [self._shown(request, one) for one in reversed(found)]

    async def _message(self, request: web.Request) -> Payload:
        return self._shown(request, self._world.message(*_where(request)))

    def _shown(self, request: web.Request, message: Payload) -> Payload:
        """Return a message as REST shows it: with addresses of files, and words only with the intent."""
        shown = message | {
            "attachments": [_with_url(request, one) for one in message["attachments"]]
        }
        bot = self._whose(request)
        named = [one["id"] for one in message["mentions"]]
        if bot.reads_words or bot.user.id in {message["author"]["id"], *named}:
            return shown
        return shown | {"content": "", "attachments": [], "embeds": [], "components": []}

    async def _say(self, request: web.Request) -> Payload:
        said, files = await _said(request)
        bot = self._whose(request)
        message = self._world.say(bot.user, request.match_info["channel"], said, files)
        return self._shown(request, message)

    async def _edit(self, request: web.Request) -> Payload:
        said, _files = await _said(request)
        message = self._world.edit(self._whose(request).user, *_where(request), said)
        return self._shown(request, message)

    async def _delete(self, request: web.Request) -> None:
        channel_id, message_id = _where(request)
        self._world.delete(channel_id, message_id)

    async def _mark(self, request: web.Request) -> None:
        self._world.mark(self._whose(request).user, *_where(request), _emoji(request))

    async def _unmark(self, request: web.Request) -> None:
        self._world.unmark(self._whose(request).user, *_where(request), _emoji(request))

    async def _type(self, request: web.Request) -> None:
        self._world.typing.append(self._world.channel(request.match_info["channel"]).id)

    # -- threads ---------------------------------------------------------------------------------------

    async def _begin_thread(self, request: web.Request) -> Payload:
        told = await request.json()
        owner = self._whose(request).user
        thread = self._world.begin_thread(owner, *_where(request), told["name"])
        return thread.payload(self._world.guild_id)

    async def _post_thread(self, request: web.Request) -> Payload:
        """Begin a thread with a message of its own (a forum), or without one (a text channel)."""
        told, files = await _said(request)
        owner = self._whose(request).user
        channel = self._world.channel(request.match_info["channel"])
        if channel.kind != FORUM:
            return self._world.add_thread(owner, channel.id, told["name"]).payload(
                self._world.guild_id
            )
        thread = self._world.add_thread(owner, channel.id, told["name"])
        thread.tags = [str(tag) for tag in told.get("applied_tags", [])]
        message = self._world.say(owner, thread.id, told["message"], files)
        thread.messages[thread.id] = thread.messages.pop(message["id"]) | {"id": thread.id}
        return thread.payload(self._world.guild_id) | {"message": thread.messages[thread.id]}

    async def _change(self, request: web.Request) -> Payload:
        changed = self._world.change(request.match_info["channel"], await request.json())
        return changed.payload(self._world.guild_id)

    async def _file(self, request: web.Request) -> web.Response:
        content = self._world.files.get(request.match_info["attachment"])
        if content is None:
            raise web.HTTPNotFound
        return web.Response(body=content, content_type="application/octet-stream")


def _told(request: web.Request, body: Any, status: int | None = None) -> web.StreamResponse:
    """Return an answer with Discord's exact content type, and what the limit of its route is."""
    headers = bucket_headers(request)
    if body is None:
        return web.Response(status=status or 204, headers=headers)
    data = json.dumps(body).encode()
    return web.Response(
        status=status or 200, body=data, content_type="application/json", headers=headers
    )


def _where(request: web.Request) -> tuple[str, str]:
    return request.match_info["channel"], request.match_info["message"]


def _emoji(request: web.Request) -> Payload:
    """Return the emoji of a path; Discord knows only its own names, so letters alone are none."""
    name, _, emoji_id = unquote(request.match_info["emoji"]).partition(":")
    if not emoji_id and name.isascii():
        raise Refused(400, 10014, "Unknown Emoji")
    return {"id": emoji_id or None, "name": name}


def _with_url(request: web.Request, attachment: Payload) -> Payload:
    url = f"{request.scheme}://{request.host}/{attachment['url']}?ex=1&is=1&hm=1"
    return attachment | {"url": url, "proxy_url": url}


async def _said(request: web.Request) -> tuple[Payload, list[Payload]]:
    """Return a body in JSON, or in parts with files."""
    if request.content_type != "multipart/form-data":
        return await request.json(), []
    told, files = {}, []
    for name, part in (await request.post()).items():
        if isinstance(part, web.FileField):
            part.file.seek(0)
            files.append({"filename": part.filename, "content": part.file.read()})
        elif name == "payload_json":
            told = json.loads(str(part))
    for file, attachment in zip(files, told.get("attachments", []), strict=False):
        file["filename"] = attachment.get("filename", file["filename"])
    return told, files
