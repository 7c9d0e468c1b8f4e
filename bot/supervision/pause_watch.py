"""Keeps an eye on the pauses: what stands is shown everywhere, and who did not ask for it is told."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta

from bot.errors import TransientError
from bot.model import Address, Principal
from bot.reply import Offer
from bot.supervision.pause import RESUME_OFFER, Pause, Pauses

Tell = Callable[[str, tuple[Offer, ...]], None]

_LOOK = timedelta(milliseconds=400)


class PauseWatch:
    """The part ``pause``: knows which pause stands, at most half a second late.

    A pause that begins or ends is told to the operators by ``tell``, unless it was asked for in the
    ``primary`` place itself, where the answer stands.
    """

    name = "pause"

    def __init__(self, pauses: Pauses, tell: Tell, primary: Callable[[], Address]) -> None:
        self._pauses = pauses
        self._tell = tell
        self._primary = primary
        self._current: Pause | None = None
        self._asking = asyncio.Lock()  # or an older answer could overtake a newer one

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

    async def pause(
        self, by: Principal, reason: str | None, source: Address, *, freeze: bool
    ) -> Pause:
        """Add a pause that is answered in ``source``, and return the strictest that stands then."""
        async with self._asking:
            standing = await self._pauses.pause(by, reason, freeze=freeze)
            self._turn(standing, told=self._is_primary(source))
        return standing

    async def resume(self, by: Principal, source: Address) -> Pause | None:
        """Lift all pauses, answer in ``source``, and return the strictest of them, None when none stood."""
        async with self._asking:
            lifted = await self._pauses.resume(by)
            self._turn(None, told=self._is_primary(source))
        return lifted

    async def _look(self) -> None:
        async with self._asking:
            self._turn(await self._pauses.current(), told=False)

    def _is_primary(self, source: Address) -> bool:
        return source.lane == self._primary().lane

    def _turn(self, found: Pause | None, *, told: bool) -> None:
        before, self._current = self._current, found
        if before == found or told:
            return
        if found is not None:
            said = f"{found.sentence()}. `resume` lets everything go on."
            self._tell(said, (RESUME_OFFER,))
        elif before is not None:
            self._tell(f"Resumed: what was {before.notice()} goes on.", ())
