"""What Discord's refusals mean to us: every error of its library ends in one of our three.

Source: Discord's documentation, "Opcodes and Status Codes" (JSON error codes, gateway close codes), "Rate Limits".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import aiohttp
import discord

from bot.errors import MosaicError, SetupError, TransientError, UserError

UNKNOWN_CHANNEL = "discord_10003"
UNKNOWN_MESSAGE = "discord_10008"
ARCHIVED = "discord_50083"
THREAD_EXISTS = "discord_160004"
NO_THREADS_THERE = "discord_50024"
NO_ACCESS = "discord_50001"
NO_POWER = "discord_50013"
"""Our codes for answers that are looked at: Discord's own number, where it gave one."""

TOO_MANY_THREADS = frozenset({"discord_160006", "discord_160007"})
"""The server has as many open threads as it may have; the second one is said of channels for announcements."""

TOKEN_HINT = (
    "check DISCORD_BOT_TOKEN; a new one is made at discord.com/developers, Bot, Reset Token"  # noqa: S105 - words
)
_LONGEST_WAIT = timedelta(hours=1)
_BARE_LIMIT = timedelta(seconds=30)
"""How long to stay away when nobody says how long; too many refused requests get an address banned."""

_LONGEST_WORD = 300


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn what the library raises into our errors; ``doing`` says what was tried."""
    try:
        yield
    except discord.RateLimited as error:
        wait = min(timedelta(seconds=error.retry_after), _LONGEST_WAIT)
        raise TransientError(f"{doing}: Discord's limit is reached", retry_after=wait) from error
    except discord.LoginFailure as error:
        raise SetupError("Discord does not know the bot's token", hint=TOKEN_HINT) from error
    except discord.HTTPException as error:
        raise _refused(error, doing) from error
    except TimeoutError as error:
        raise TransientError(f"{doing}: Discord does not answer") from error
    except (aiohttp.ClientError, OSError) as error:
        raise TransientError(f"{doing}: no line to Discord ({type(error).__name__})") from error


def _refused(error: discord.HTTPException, doing: str) -> MosaicError:
    said = " ".join(error.text.split())[:_LONGEST_WORD] or "no reason given"
    message = f"{doing}: Discord answered {error.status} ({said})"
    if error.status == 401:
        return SetupError(message, hint=TOKEN_HINT)
    if error.status == 429:
        return TransientError(message, retry_after=_wait(error))
    if error.status >= 500 or error.status == 408:
        return TransientError(message)
    return UserError(message, code=f"discord_{error.code}" if error.code else None)


def _wait(error: discord.HTTPException) -> timedelta:
    """Return how long a limit lasts that the library did not wait out: the header alone tells of it."""
    given = str(error.response.headers.get("Retry-After", ""))
    try:
        return min(max(timedelta(seconds=float(given)), timedelta()), _LONGEST_WAIT)
    except (ValueError, OverflowError):
        return _BARE_LIMIT
