"""What Discord's refusals about threads mean to us: every code ends in one of our three errors.

Source: Discord API reference, "JSON Error Codes"; discord.py, "Exceptions".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import aiohttp
import discord

from bot.errors import MosaicError, SetupError, TransientError, UserError

THREAD_IS_THERE = 160004
"""A thread was begun from this message already."""

_TOO_MANY_THREADS = {160006, 160007}
_GONE = {10003, 10008}
"""Unknown channel, unknown message."""

_NO_POWER = {50001, 50013}
_ROOM_AGAIN = timedelta(minutes=10)
_LONGEST_WORD = 300


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn discord.py's errors into ours; ``doing`` says what was tried."""
    try:
        yield
    except discord.RateLimited as error:
        wait = timedelta(seconds=error.retry_after)
        raise TransientError(f"{doing}: Discord asks us to wait", retry_after=wait) from error
    except discord.HTTPException as error:
        raise refusal(error, doing) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise TransientError(f"{doing}: Discord is away ({error})") from error


def refusal(error: discord.HTTPException, doing: str) -> MosaicError:
    """Return the error that a refusal means; a UserError's code is ``gone`` when there is nothing any more."""
    said = f"{doing}: {error.status} {error.code} {error.text[:_LONGEST_WORD]}".rstrip()
    if error.code in _TOO_MANY_THREADS:
        return TransientError(
            f"{doing}: the server has as many open threads as Discord lets it have",
            retry_after=_ROOM_AGAIN,
        )
    if error.code in _GONE:
        return UserError(f"{doing}: it is gone from Discord", code="gone")
    if error.code in _NO_POWER or error.status == 403:
        hint = (
            "give the bot Manage Threads, Create Public Threads and Send Messages in Threads there"
        )
        return UserError(f"{doing}: the bot has no power for it", hint=hint)
    if error.status == 401:
        return SetupError(f"{doing}: Discord does not know the bot's token (any more)")
    if error.status == 429 or error.status >= 500:
        return TransientError(said)
    return UserError(said)
