"""A reverse proxy in front of a real homeserver that misbehaves on the wire, in one way at a time."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from connectors.faults import Fault

_HOP = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})
_STORM = 4
"""How many requests of one sort a storm or a limit refuses."""

FAR_PAST, FAR_FUTURE = 86_400_000, 7_258_118_400_000
"""1970 and 2200, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server says."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def to_response(self) -> web.Response:
        return web.Response(status=self.status, headers=self.headers, body=self.body)


Forward = Callable[[], Awaitable[Answer]]


class BadLine:
    """Forwards to a homeserver; ``strike`` chooses how it misbehaves, ``struck`` counts how often it did.

    What ``fails`` says of a path is answered with 500, whatever else goes on, and what ``says`` has an answer for with
    that (status and body). ``strangers`` are the times, on the
    monotonic clock, at which the homeserver did not know who asked.
    """

    def __init__(self, upstream: str) -> None:
        self.url = ""
        self.struck = 0
        self.strangers: list[float] = []
        self.fails: Callable[[str], bool] = lambda _path: False
        self.says: Callable[[str], tuple[int, object] | None] = lambda _path: None
        self._upstream = upstream
        self._fault: Fault | None = None
        self._refused: Counter[str] = Counter()
        self._stale: Answer | None = None
        self._numbers = 0
        self._http: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self._plays = {
            Fault.ERROR_STORM: self._storm,
            Fault.LIMIT_WITH_BODY: self._limit,
            Fault.LIMIT_WITHOUT_BODY: self._limit,
            Fault.CUT_AFTER_ACCEPT: self._cut,
            Fault.DUPLICATE: self._double,
            Fault.REORDER: self._reorder,
            Fault.SLOW: self._dawdle,
            Fault.SKEW: self._skew,
        }

    async def open(self) -> None:
        self._http = aiohttp.ClientSession(auto_decompress=False)
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._pass)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._http is not None:
            await self._http.close()

    def strike(self, fault: Fault) -> None:
        self._fault = fault
        self._refused.clear()
        self.struck = 0

    def relent(self) -> None:
        self._fault = None

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if self.fails(request.path):
            return web.json_response({"errcode": "M_UNKNOWN", "error": "internal"}, status=500)
        if (said := self.says(request.path)) is not None:
            return web.json_response(said[1], status=said[0])
        play = None if self._fault is None else self._plays.get(self._fault)

        async def forward() -> Answer:
            return await self._ask(request, body)

        if play is None:
            return (await forward()).to_response()
        return await play(request, forward)

    async def _ask(self, request: web.Request, body: bytes) -> Answer:
        assert self._http is not None
        headers = {name: word for name, word in request.headers.items() if name.lower() not in _HOP}
        headers.pop("Accept-Encoding", None)
        url = URL(self._upstream + request.raw_path, encoded=True)
        async with self._http.request(
            request.method, url, headers=headers, data=body or None
        ) as told:
            kept = {name: word for name, word in told.headers.items() if name.lower() not in _HOP}
            if told.status == 401:
                self.strangers.append(time.monotonic())
            return Answer(told.status, kept, await told.read())

    def _strikes(self, request: web.Request) -> bool:
        sort = _sort(request)
        self._refused[sort] += 1
        self.struck += self._refused[sort] <= _STORM
        return self._refused[sort] <= _STORM

    async def _storm(self, request: web.Request, forward: Forward) -> web.StreamResponse:
        """Fail; every second request was obeyed all the same."""
        if not self._strikes(request):
            return (await forward()).to_response()
        if self._refused[_sort(request)] % 2 and _sort(request) != "sync":
            await forward()
        return web.json_response({"errcode": "M_UNKNOWN", "error": "internal"}, status=500)

    async def _limit(self, request: web.Request, forward: Forward) -> web.StreamResponse:
        if self._refused[_sort(request)] >= _STORM // 2 or not self._strikes(request):
            return (await forward()).to_response()
        if self._fault is Fault.LIMIT_WITHOUT_BODY:
            return web.Response(status=429, headers={"Retry-After": "1"})
        body = {"errcode": "M_LIMIT_EXCEEDED", "error": "slowly", "retry_after_ms": 150}
        return web.json_response(body, status=429)

    async def _cut(self, request: web.Request, forward: Forward) -> web.StreamResponse:
        """Hang up when the server has obeyed: before a word of its answer, or in the middle of it."""
        answer = await forward()
        if not self._strikes(request):
            return answer.to_response()
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        if _sort(request) == "sync":
            response.content_length = len(answer.body)
            await response.prepare(request)
            await response.write(answer.body[: len(answer.body) // 2])
        if request.transport is not None:
            request.transport.abort()
        return response

    async def _double(self, request: web.Request, forward: Forward) -> web.StreamResponse:
        """Give every answer to a sync twice, and every other request to the server twice."""
        if _sort(request) != "sync":
            await forward()
            return (await forward()).to_response()
        if self._stale is not None:
            stale, self._stale = self._stale, None
            self.struck += 1
            return stale.to_response()
        self._stale = await forward()
        return self._stale.to_response()

    async def _reorder(self, request: web.Request, forward: Forward) -> web.StreamResponse:
        """Turn the order of the rooms round, and let every second send be overtaken if it can be."""
        answer = await forward() if _sort(request) == "sync" else None
        if answer is not None:
            return _changed(answer, _rooms_turned).to_response()
        self._numbers += 1
        if self._numbers % 2:
            self.struck += 1
            await asyncio.sleep(0.1)
        return (await forward()).to_response()

    async def _dawdle(self, request: web.Request, forward: Forward) -> web.StreamResponse:
        """Answer late, and in pieces."""
        answer = await forward()
        self.struck += 1
        await asyncio.sleep(0.1)
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        response.content_length = len(answer.body)
        await response.prepare(request)
        size = max(1, len(answer.body) // 4)
        for start in range(0, len(answer.body), size):
            await response.write(answer.body[start : start + size])
            await asyncio.sleep(0.02)
        return response

    async def _skew(self, request: web.Request, forward: Forward) -> web.StreamResponse:
        """Date every event far away, in turns before and after now."""
        answer = await forward()
        return (
            _changed(answer, self._skewed) if _sort(request) == "sync" else answer
        ).to_response()

    def _skewed(self, told: Any) -> None:
        if isinstance(told, dict):
            if "origin_server_ts" in told:
                self._numbers += 1
                self.struck += 1
                told["origin_server_ts"] = FAR_PAST if self._numbers % 2 else FAR_FUTURE
            for value in told.values():
                self._skewed(value)
        elif isinstance(told, list):
            for value in told:
                self._skewed(value)


def _sort(request: web.Request) -> str:
    if request.path.endswith("/sync"):
        return "sync"
    return "send" if "/send/" in request.path else "other"


def _changed(answer: Answer, change: Callable[[Any], None]) -> Answer:
    told = json.loads(answer.body)
    change(told)
    return replace(answer, body=json.dumps(told).encode())


def _rooms_turned(told: Any) -> None:
    rooms = told.get("rooms", {})
    for sort, found in rooms.items():
        rooms[sort] = dict(reversed(list(found.items())))
