"""What Discord's refusals about threads mean beyond what every refusal means.

Source: Discord's documentation, "Opcodes and Status Codes", JSON error codes.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.errors import MosaicError, TransientError, UserError
from connectors.discord.failures import (
    NO_ACCESS,
    NO_POWER,
    TOO_MANY_THREADS,
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
    translated,
)

_PATIENCE = timedelta(seconds=90)
"""For all requests that a thread takes, limits that are waited out included."""

_GONE = frozenset({UNKNOWN_CHANNEL, UNKNOWN_MESSAGE})
_NO_POWER = frozenset({NO_ACCESS, NO_POWER})
_ROOM_AGAIN = timedelta(minutes=10)
_POWERS = "give the bot Create Public Threads and Send Messages in Threads there; Manage Threads where somebody locked one"


@asynccontextmanager
async def about_threads(doing: str) -> AsyncIterator[None]:
    """Turn what the library raises into our errors, within bounded time; a UserError ``gone`` when nothing is there.

    A server that has as many open threads as it may have is a TransientError: people close some.
    """
    try:
        with translated(doing):
            async with asyncio.timeout(_PATIENCE.total_seconds()):
                yield
    except UserError as error:
        raise _meant(error, doing) from error


def _meant(error: UserError, doing: str) -> MosaicError:
    if error.code in TOO_MANY_THREADS:
        return TransientError(
            f"{doing}: the server has as many open threads as Discord lets it have",
            retry_after=_ROOM_AGAIN,
        )
    if error.code in _GONE:
        return UserError(f"{doing}: it is gone from Discord", code="gone")
    if error.code in _NO_POWER:
        return UserError(f"{doing}: the bot has no power for it", hint=_POWERS)
    return error
