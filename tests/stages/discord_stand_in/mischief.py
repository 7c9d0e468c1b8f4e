"""How the stand-in misbehaves, in one way at a time: over REST and on the gateway."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from aiohttp import web

from tests.stages.discord_stand_in.payloads import Payload

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Trouble(StrEnum):
    """A way in which Discord, or the line to it, misbehaves."""

    ERROR_STORM = "errors"
    LIMIT = "limit"
    BARE_LIMIT = "bare limit"
    CUT = "cut"
    DOUBLE = "double"
    REORDER = "reorder"
    SLOW = "slow"
    SKEW = "skew"


_STORM = 3
"""How many requests of one sort a storm, a limit or a cut strikes."""

_FAR = timedelta(days=20_000)
_LIMIT_HEADERS = {"Via": "1.1 stand-in", "X-RateLimit-Scope": "user"}


class Mischief:
    """What goes wrong now; ``struck`` counts how often it did since it began.

    What ``limits`` says of a request is answered with 429 and no JSON, what ``fails`` does with 500, what ``fails_after``
    does is obeyed and answered so, and what ``silent_after`` does is obeyed and never answered.
    """

    def __init__(self) -> None:
        self.trouble: Trouble | None = None
        self.struck = 0
        self.limits: Callable[[web.Request], bool] = lambda _request: False
        self.fails: Callable[[web.Request], bool] = lambda _request: False
        self.fails_after: Callable[[web.Request], bool] = lambda _request: False
        self.silent_after: Callable[[web.Request], bool] = lambda _request: False
        self._refused: Counter[str] = Counter()
        self._numbers = 0
        self._plays = {
            Trouble.ERROR_STORM: self._storm,
            Trouble.LIMIT: self._limit,
            Trouble.BARE_LIMIT: self._limit,
            Trouble.CUT: self._cut,
            Trouble.DOUBLE: self._double,
            Trouble.REORDER: self._overtake,
            Trouble.SLOW: self._dawdle,
        }

    def strike(self, trouble: Trouble) -> None:
        self.trouble, self.struck = trouble, 0
        self._refused.clear()

    def relent(self) -> None:
        self.trouble = None

    def strikes(self, sort: str) -> bool:
        """Return whether this one of a sort is struck; only the first few are."""
        self._refused[sort] += 1
        self.struck += self._refused[sort] <= _STORM
        return self._refused[sort] <= _STORM

    def now(self) -> datetime:
        """Return the time, or in a skew one far off, in turns to both sides."""
        if self.trouble is not Trouble.SKEW:
            return datetime.now(UTC)
        self._numbers += 1
        self.struck += 1
        return datetime.now(UTC) + (_FAR if self._numbers % 2 else -_FAR)

    # -- over REST -------------------------------------------------------------------------------------

    async def pass_on(self, request: web.Request, handle: Handle) -> web.StreamResponse:
        """Answer a request, in whatever way is played now."""
        if self.limits(request):
            return web.Response(status=429, headers=_LIMIT_HEADERS | {"Retry-After": "1"})
        if self.fails(request):
            return _error(500)
        if self.fails_after(request):
            await handle(request)
            self.struck += 1
            return _error(500)
        if self.silent_after(request):
            await handle(request)
            self.struck += 1
            await asyncio.Event().wait()
        play = None if self.trouble is None else self._plays.get(self.trouble)
        return await (handle(request) if play is None else play(request, handle))

    async def _storm(self, request: web.Request, handle: Handle) -> web.StreamResponse:
        """Fail; every second request was obeyed all the same."""
        if not self.strikes(_sort(request)):
            return await handle(request)
        if self._refused[_sort(request)] % 2:
            await handle(request)
        return _error(500 if self._refused[_sort(request)] % 2 else 503)

    async def _limit(self, request: web.Request, handle: Handle) -> web.StreamResponse:
        if not self.strikes(_sort(request)):
            return await handle(request)
        if self.trouble is Trouble.BARE_LIMIT:  # as the network in front of Discord says it
            return web.Response(status=429, headers={"Retry-After": "1"})
        body = {"message": "You are being rate limited.", "retry_after": 0.15, "global": False}
        headers = _LIMIT_HEADERS | {"Retry-After": "1"}
        return _json(body, 429, headers | bucket_headers(request, remaining=0, after=0.15))

    async def _cut(self, request: web.Request, handle: Handle) -> web.StreamResponse:
        """Hang up when the request was obeyed, before a word of the answer."""
        answer = await handle(request)
        if self.strikes(_sort(request)) and request.transport is not None:
            request.transport.abort()
        return answer

    async def _double(self, request: web.Request, handle: Handle) -> web.StreamResponse:
        self.struck += 1
        await request.read()
        await handle(request)
        return await handle(request)

    async def _overtake(self, request: web.Request, handle: Handle) -> web.StreamResponse:
        """Let every second request be overtaken by later ones."""
        self._numbers += 1
        if self._numbers % 2:
            self.struck += 1
            await asyncio.sleep(0.1)
        return await handle(request)

    async def _dawdle(self, request: web.Request, handle: Handle) -> web.StreamResponse:
        """Answer late, and in pieces."""
        answer = await handle(request)
        self.struck += 1
        await asyncio.sleep(0.1)
        if not isinstance(answer, web.Response) or not isinstance(answer.body, bytes):
            return answer
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        response.content_length = len(answer.body)
        await response.prepare(request)
        size = max(1, len(answer.body) // 4)
        for start in range(0, len(answer.body), size):
            await response.write(answer.body[start : start + size])
            await asyncio.sleep(0.01)
        return response


def bucket_headers(
    request: web.Request, *, remaining: int = 49, after: float = 1.0
) -> dict[str, str]:
    """Return the headers by which Discord tells of the limit that a request counts against."""
    bucket = request.match_info.route.resource
    return {
        "X-RateLimit-Limit": "50",
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": "0.0",
        "X-RateLimit-Reset-After": str(after),
        "X-RateLimit-Bucket": f"{request.method}-{bucket.canonical if bucket else ''}",
    }


def _sort(request: web.Request) -> str:
    if request.method == "POST" and request.path.endswith("/messages"):
        return "send"
    return "read" if request.method == "GET" else "other"


def _json(body: Payload, status: int, headers: dict[str, str] | None = None) -> web.Response:
    data = json.dumps(body).encode()
    return web.Response(status=status, body=data, content_type="application/json", headers=headers)


def _error(status: int) -> web.Response:
    return _json({"message": f"{status}: Internal Server Error", "code": 0}, status)
