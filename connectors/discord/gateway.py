"""The line on which Discord tells what happens: kept open, resumed when it breaks, begun anew when it cannot be.

Source: Discord's documentation, "Gateway" (resuming, session start limit, close codes). The library's own loop
reconnects at once however often it is thrown out, and waits up to 17 minutes after an outage.
"""

import asyncio
import random
import time
from datetime import timedelta

import aiohttp
import discord
import structlog
from discord.gateway import DiscordWebSocket, ReconnectWebSocket
from discord.http import Route

from bot.clock.backoff import Backoff
from bot.errors import SetupError, TransientError
from connectors.discord.client import KIND, DiscordClient
from connectors.discord.failures import TOKEN_HINT, translated

_AGAIN = Backoff(timedelta(milliseconds=200), timedelta(seconds=15))
_OPENING = timedelta(seconds=30)
_SOUND = timedelta(seconds=20)
"""A line that held so long does not count as a failure when it breaks."""

_TOKEN, _NO_INTENT = 4004, 4014


class WordsWithheld(Exception):  # noqa: N818 - an answer that is acted upon
    """Discord does not let this bot read what people write: a person must switch it on."""


class Gateway:
    """Keeps the client's line open; ``trouble`` says why there is none now, empty while there is one."""

    def __init__(self, client: DiscordClient) -> None:
        self.trouble = ""
        self._client = client
        self._former: DiscordWebSocket | None = None
        self._log = structlog.get_logger(part=KIND)

    async def run(self) -> None:
        """Listen until cancelled.

        Raises SetupError when Discord will not have us, and WordsWithheld when it will not tell us people's words.
        """
        failures = 0
        while True:
            opened = time.monotonic()
            self.trouble = await self._listen()
            sound = time.monotonic() - opened > _SOUND.total_seconds()
            failures = 1 if sound else failures + 1
            self._log.info("line lost", why=self.trouble)
            await asyncio.sleep(_AGAIN.wait(failures).total_seconds())

    async def _listen(self) -> str:
        """Open the line and listen until it breaks; return why it did."""
        try:
            await self._open()
            while True:
                await self._client.ws.poll_event()
        except ReconnectWebSocket as told:
            return f"Discord asked to {told.op.lower()}"
        except discord.ConnectionClosed as error:
            raise self._closed(error.code) from error
        except TransientError as error:
            return error.message
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return f"no line to the gateway ({type(error).__name__})"
        finally:
            self._client.is_up = False

    async def _open(self) -> None:
        """Go on with the session that we had, or begin one."""
        former = self._former
        if former is not None and former.session_id is not None:
            opening = DiscordWebSocket.from_client(
                self._client,
                resume=True,
                gateway=former.gateway,
                session=former.session_id,
                sequence=former.sequence,
            )
        else:
            await self._may_identify(again=former is not None)
            opening = DiscordWebSocket.from_client(self._client, initial=True)
        async with asyncio.timeout(_OPENING.total_seconds()):
            self._client.ws = self._former = await opening

    async def _may_identify(self, *, again: bool) -> None:
        """Wait as Discord asks before a session is begun: it resets the token of a bot that begins too many."""
        if again:
            await asyncio.sleep(random.uniform(1, 5))  # noqa: S311 - jitter, no secret
        with translated("asking whether we may connect"):
            told = await self._client.http.request(Route("GET", "/gateway/bot"))
        limit = told["session_start_limit"]
        if limit["remaining"] <= 0:
            wait = timedelta(milliseconds=limit["reset_after"])
            self.trouble = (
                f"Discord lets this bot connect again in {wait}: it connected too often today"
            )
            self._log.warning("no session left", wait=str(wait))
            await asyncio.sleep(wait.total_seconds())

    def _closed(self, code: int) -> Exception:
        """Return what it means that Discord closed the line for good."""
        if code == _NO_INTENT and self._client.words:
            return WordsWithheld()
        if code == _TOKEN:
            return SetupError("Discord does not know the bot's token any more", hint=TOKEN_HINT)
        return SetupError(f"Discord will not have the bot as it connects (close code {code})")
