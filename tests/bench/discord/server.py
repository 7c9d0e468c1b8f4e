"""The stand-in of Discord as a process of its own, with a person who speaks there and sees what bots say."""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.stages.discord_stand_in.gateway import CONTENT_INTENT, DISPATCH, IDENTIFY

_MESSAGES = 1 << 9
_PATIENCE = 60.0

Facts = dict[str, str]
Payload = dict[str, Any]


class Server:
    """One Discord server. The person sees on a gateway of her own, as an app on a screen does."""

    def __init__(self, http: aiohttp.ClientSession, facts: Facts) -> None:
        self.facts = facts
        self.threads: dict[str, str] = {}
        self.heard: dict[str, list[str]] = defaultdict(list)
        self._http = http
        self._seen: dict[str, asyncio.Future[float]] = {}
        self._told = asyncio.Event()

    async def control(self, path: str, **told: Any) -> Payload:
        """Ask something of the stand-in's control."""
        base = self.facts["api_url"].removesuffix("/api/v10")
        async with self._http.post(f"{base}/stand-in/{path}", json=told) as answer:
            answer.raise_for_status()
            found: Payload = await answer.json()
            return found

    async def say(self, text: str, channel_id: str) -> Payload:
        """Let the person say something; return the message."""
        return await self.control("say", text=text, channel=channel_id)

    async def ask(self, text: str, channel_id: str) -> float:
        """Let the person say something, and return after how many seconds the answer to it was seen."""
        began = time.perf_counter()
        said = await self.say(text, channel_id)
        waits = (self._seeing(text), self._seeing(str(said["id"])))
        done, _ = await asyncio.wait(waits, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            raise TimeoutError(f"nobody answered {text!r}")
        return done.pop().result() - began

    async def sees(self, fact: Callable[[], bool], what: str) -> None:
        """Wait until something of what is told is so."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while not fact():
                    self._told.clear()
                    await self._told.wait()
        except TimeoutError:
            raise TimeoutError(f"waited for {what}") from None

    async def look(self, token: str) -> None:
        """See what bots say, and which threads begin, until cancelled."""
        async with self._http.ws_connect(self.facts["gateway_url"]) as wire:
            identity = {"token": token, "intents": _MESSAGES | CONTENT_INTENT, "properties": {}}
            await wire.send_json({"op": IDENTIFY, "d": identity})
            async for frame in wire:
                at, told = time.perf_counter(), json.loads(frame.data)
                if told["op"] == DISPATCH:
                    self._take(told["t"], told["d"], at)

    def _take(self, event: str, told: Payload, at: float) -> None:
        if event == "THREAD_CREATE":
            self.threads[told["name"]] = told["id"]
        elif event == "MESSAGE_CREATE" and told["author"]["bot"]:
            self.heard[told["channel_id"]].append(told["content"])
            answered = told.get("message_reference", {}).get("message_id", told["content"])
            if not self._seeing(str(answered)).done():
                self._seeing(str(answered)).set_result(at)
        self._told.set()

    def _seeing(self, what: str) -> "asyncio.Future[float]":
        """Return what is done when something is seen: an answer to a message with an id, or words said again."""
        return self._seen.setdefault(what, asyncio.get_running_loop().create_future())


@asynccontextmanager
async def server() -> AsyncIterator[Server]:
    """Lend a server whose person looks."""
    command = (sys.executable, "-m", "tests.stages.discord_stand_in")
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    assert process.stdout is not None
    facts = json.loads(await process.stdout.readline())
    try:
        async with aiohttp.ClientSession() as http:
            found = Server(http, facts)
            screen = await found.control("bot", name="screen")
            looking = asyncio.create_task(found.look(screen["token"]))
            yield found
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
    finally:
        process.terminate()
        await process.wait()
