"""Keeps an eye on the pauses: what stands is shown everywhere, and who did not ask for it is told."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta

from bot.errors import TransientError
from bot.model import Address
from bot.pause import Pause, Pauses

_LOOK = timedelta(milliseconds=400)


class PauseWatch:
    """The part ``pause``: knows which pause stands, at most half a second late.

    A pause that begins or ends is told to the operators by ``tell``, unless it was made in the ``primary``
    place itself, where its answer stands.
    """

    name = "pause"

    def __init__(
        self, pauses: Pauses, tell: Callable[[str], None], primary: Callable[[], Address]
    ) -> None:
        self._pauses = pauses
        self._tell = tell
        self._primary = primary
        self._current: Pause | None = None
        self._changes = 0

    @property
    def current(self) -> Pause | None:
        """The strictest pause that stood at the last look."""
        return self._current

    async def run(self, ready: Callable[[str], None]) -> None:
        """Look until cancelled; TransientError while the database is away."""
        while True:
            await self._look()
            ready("nothing is paused" if self._current is None else self._current.sentence())
            await asyncio.sleep(_LOOK.total_seconds())

    async def ask(self) -> Pause | None:
        """Return which pause stands now, or while the database is away what stood at the last look."""
        with contextlib.suppress(TransientError):
            await self._look()
        return self._current

    def heard(self, current: Pause | None, source: Address) -> None:
        """Hear at once what somebody changed, and where its answer goes."""
        self._turn(current, told=source.lane == self._primary().lane)

    async def _look(self) -> None:
        changes = self._changes
        found = await self._pauses.current()
        if changes != self._changes:
            return  # this answer is older than what was heard meanwhile
        own = found is not None and found.by.partition(":")[0] == self._primary().kind
        self._turn(found, told=own)

    def _turn(self, found: Pause | None, *, told: bool) -> None:
        before, self._current = self._current, found
        if before == found:
            return
        self._changes += 1
        if told:
            return
        if found is not None:
            self._tell(f"{found.sentence()}. `resume` lets everything go on.")
        elif before is not None:
            self._tell(f"Resumed: what was {before.notice()} goes on.")
