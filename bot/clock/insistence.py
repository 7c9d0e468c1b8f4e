"""Steps that are repeated until they are done."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.clock.backoff import Backoff
from bot.errors import TransientError

Result = TypeVar("Result")


class Insistence:
    """Repeats a step while it raises TransientError, and returns what it returns; it must be harmless to repeat.

    ``note`` hears each failure with its number, from 1; what it raises ends the repeating. A failure that says how long
    to wait is waited for as long, else ``again`` says it.
    """

    def __init__(self, again: Backoff, note: Callable[[TransientError, int], None]) -> None:
        self._again = again
        self._note = note

    async def __call__(self, step: Callable[[], Awaitable[Result]]) -> Result:
        """Do it, however often that takes."""
        attempt = 0
        while True:
            try:
                return await step()
            except TransientError as error:
                attempt += 1
                self._note(error, attempt)
                wait = error.retry_after or self._again.wait(attempt)
                await asyncio.sleep(wait.total_seconds())
