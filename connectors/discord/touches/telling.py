"""Telling Discord which slash commands there are: when it knows others, and never in the way of anything else.

Source: Discord's documentation, "Application Commands" (200 new commands a day and server, overwriting them in bulk).
"""

import asyncio
from datetime import timedelta
from typing import Any

import structlog

from bot.clock.backoff import Backoff
from bot.errors import SetupError, TransientError, UserError
from connectors.discord.client import KIND, DiscordClient
from connectors.discord.failures import translated
from connectors.discord.touches.slash import Slashes, digest_of

AGAIN = Backoff(timedelta(seconds=10), timedelta(minutes=30))
_HURRY = timedelta(seconds=10)
"""How long people's words wait for it at the start."""

_PATIENCE = timedelta(minutes=2)


class Telling:
    """Tells one bot's slash commands; what Discord cannot take now is told ``again`` later, while all else goes on."""

    def __init__(self, slashes: Slashes, again: Backoff = AGAIN) -> None:
        self._slashes = slashes
        self._again = again
        self._later: asyncio.Task[None] | None = None
        self._log = structlog.get_logger(part=KIND)

    async def begin(self, client: DiscordClient, guild_id: int) -> None:
        """Tell them for a client that is logged in, at once if that can be; a client before it is forgotten."""
        if self._later is not None:
            self._later.cancel()
        wait = await self._try(client, guild_id, _HURRY, 1)
        if wait is not None:
            self._later = asyncio.create_task(self._insist(client, guild_id, wait))

    async def _insist(self, client: DiscordClient, guild_id: int, wait: timedelta | None) -> None:
        attempt = 1
        while wait is not None:
            await asyncio.sleep(wait.total_seconds())
            if client.is_closed():
                return
            attempt += 1
            wait = await self._try(client, guild_id, _PATIENCE, attempt)

    async def _try(
        self, client: DiscordClient, guild_id: int, limit: timedelta, attempt: int
    ) -> timedelta | None:
        """Tell them; return after what time to try again, None when that is not needed, or does not help."""
        try:
            with translated("telling the slash commands"):
                async with asyncio.timeout(limit.total_seconds()):
                    await self._tell(client, guild_id)
        except TransientError as error:
            wait = error.retry_after or self._again.wait(attempt)
            self._log.warning("slash commands are told later", error=error.message, wait=str(wait))
            return wait
        except (UserError, SetupError) as error:
            self._log.error("slash commands are not told", error=error.message)
        return None

    async def _tell(self, client: DiscordClient, guild_id: int) -> None:
        application = client.application_id
        if application is None:
            raise SetupError("Discord did not say which application the bot is")
        told = await client.http.get_guild_commands(application, guild_id)
        if digest_of(told) == self._slashes.digest:
            return
        payloads: Any = self._slashes.payloads
        await client.http.bulk_upsert_guild_commands(application, guild_id, payloads)
        self._log.info("slash commands told", count=len(self._slashes.paths))
