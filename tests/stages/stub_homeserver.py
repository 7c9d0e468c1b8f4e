"""A homeserver that misbehaves on command, where a real one cannot be made to."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

USER, ROOM = "@bot:stub", "!room:stub"

Play = Callable[[int], web.Response]
"""What the n-th sync (from 1) is answered with."""


def synced(position: str, **rooms: Any) -> web.Response:
    """Return a good answer to a sync."""
    return web.json_response({"next_batch": position, "rooms": rooms})


def refused(status: int, code: str, **more: Any) -> web.Response:
    """Return a refusal as the Matrix specification has it; ``headers`` go where they belong."""
    headers = more.pop("headers", None)
    body = {"errcode": code, "error": "so it is", **more}
    return web.json_response(body, status=status, headers=headers)


@dataclass(slots=True)
class StubHomeserver:
    """Answers whoami, one room without encryption, and syncs as its play says; keeps the times of these."""

    play: Play
    url: str = ""
    user_id: str = USER
    sends: web.Response | None = None
    times: list[float] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)

    async def whoami(self, _request: web.Request) -> web.Response:
        return web.json_response({"user_id": self.user_id, "device_id": "D"})

    async def sync(self, request: web.Request) -> web.Response:
        self.times.append(time.monotonic())
        self.queries.append(dict(request.query))
        return self.play(len(self.times))

    async def state(self, _request: web.Request) -> web.Response:
        return refused(404, "M_NOT_FOUND")

    async def send(self, _request: web.Request) -> web.Response:
        assert self.sends is not None
        return self.sends


@asynccontextmanager
async def stub_homeserver(play: Play) -> AsyncIterator[StubHomeserver]:
    """Lend a stub for as long as the block runs."""
    stub = StubHomeserver(play)
    app = web.Application()
    client = "/_matrix/client/v3"
    app.router.add_get(f"{client}/account/whoami", stub.whoami)
    app.router.add_get(f"{client}/sync", stub.sync)
    app.router.add_get(f"{client}/rooms/{{room}}/state/{{type}}/", stub.state)
    app.router.add_put(f"{client}/rooms/{{room}}/send/{{type}}/{{id}}", stub.send)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stub.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield stub
    finally:
        await runner.cleanup()
