"""A small stand-in for Discord's REST: just what a set-up asks for, in whatever state a test puts it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "MTIzNDU2Nzg5MDEy.G-stand_in.token-of-a-bot-that-is-none"
BOT_ID, APPLICATION_ID, GUILD_ID, CHANNEL_ID = "900", "901", "700", "710"
CONTENT_LIMITED = 1 << 19
ALL_NEEDED = 0x48_0001_CC40  # Discord's own sum of the eight that the pages name


@dataclass
class DiscordOffice:
    """What Discord knows, and what was asked of it; ``refusals`` are answered first, one a call.

    ``overwrites`` are those of its first channel, ``further`` are channels besides its two.
    """

    flags: int = CONTENT_LIMITED
    guilds: list[dict[str, Any]] = field(
        default_factory=lambda: [{"id": GUILD_ID, "name": "The office", "owner": False}]
    )
    everyone: int = ALL_NEEDED
    overwrites: list[dict[str, Any]] = field(default_factory=list)
    further: list[dict[str, Any]] = field(default_factory=list)
    sessions: int = 998
    refusals: list[web.Response] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    standing: set[str] = field(default_factory=set)
    lets_flags: bool = True
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one call."""
        call = f"{request.method} {request.path.removeprefix('/api/v10')}"
        self.asked.append(call)
        if self.refusals:
            return self.refusals.pop(0)
        if request.headers.get("Authorization") != f"Bot {TOKEN}":
            return web.json_response({"message": "401: Unauthorized", "code": 0}, status=401)
        if not request.headers["User-Agent"].startswith("DiscordBot ("):
            return web.Response(status=403, text="blocked")
        body = await request.json() if request.can_read_body else None
        self.bodies.append(body)
        found = self._found(call.replace("/channels/711/", f"/channels/{CHANNEL_ID}/"), body)
        if isinstance(found, web.Response):
            return found
        return web.json_response(found)

    def _found(self, call: str, body: Any) -> Any:
        guild, messages = f"/guilds/{GUILD_ID}", f"/channels/{CHANNEL_ID}/messages"
        answers: dict[str, Callable[[], Any]] = {
            "GET /users/@me": lambda: {"id": BOT_ID, "username": "mosaic"},
            "GET /applications/@me": lambda: {"id": APPLICATION_ID, "flags": self.flags},
            "PATCH /applications/@me": lambda: self._patched(body),
            "GET /users/@me/guilds": lambda: self.guilds,
            f"GET {guild}/channels": self._channels,
            f"GET {guild}/roles": lambda: [{"id": GUILD_ID, "permissions": str(self.everyone)}],
            f"GET {guild}/members/{BOT_ID}": lambda: {"roles": []},
            "GET /gateway/bot": lambda: {"session_start_limit": {"remaining": self.sessions}},
            f"POST {messages}": self._stand,
            f"DELETE {messages}/5000": self._fall,
        }
        return answers.get(call, _unknown)()

    def _stand(self) -> Any:
        self.standing.add("5000")
        return {"id": "5000"}

    def _fall(self) -> web.Response:
        self.standing.remove("5000")
        return web.Response(status=204)

    def _channels(self) -> list[dict[str, Any]]:
        return [
            {"id": "701", "type": 4, "name": "a category", "permission_overwrites": []},
            {
                "id": CHANNEL_ID,
                "type": 0,
                "name": "ops",
                "permission_overwrites": self.overwrites,
            },
            {"id": "711", "type": 0, "name": "general", "permission_overwrites": []},
            *self.further,
        ]

    def _patched(self, body: Any) -> Any:
        if not self.lets_flags:
            return web.json_response({"message": "Invalid Form Body", "code": 50035}, status=400)
        self.flags = body["flags"]
        return {"id": APPLICATION_ID, "name": "mosaic", "flags": self.flags}


def _unknown() -> web.Response:
    return web.json_response({"message": "Unknown", "code": 10003}, status=404)


@asynccontextmanager
async def discord_office() -> AsyncIterator[DiscordOffice]:
    """Lend a stand-in for as long as the block runs."""
    office = DiscordOffice()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", office.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    office.url = f"http://127.0.0.1:{port}/api/v10"
    try:
        yield office
    finally:
        await runner.cleanup()
