"""The loop over /sync: reads, walks back what was missed, hands over, and only then goes on.

The library's own loop is never used: it retries without waiting and moves on when a callback fails
(spec 5-real-parts, "Matrix").
"""

import asyncio
import secrets
import time
from datetime import timedelta
from typing import Any

import structlog

from bot.clock.backoff import Backoff
from bot.errors import SetupError, TransientError, UserError
from bot.model import InboundBatch
from bot.ports import Accept
from connectors.matrix.answers import SyncAnswer, read_answer
from connectors.matrix.events import CREATE, ENCRYPTION, KIND, TOMBSTONE
from connectors.matrix.gaps import EVENT_TYPES
from connectors.matrix.privacy import Privacy
from connectors.matrix.reader import Reader
from connectors.matrix.rooms import Rooms
from connectors.matrix.session import Session

HOLD = timedelta(seconds=30)
_AWAY = Backoff(timedelta(milliseconds=250), timedelta(seconds=5))
_STORE_EVERY = timedelta(minutes=1)
_BREATH = timedelta(milliseconds=50)
"""After news the next request waits so long: the homeserver has the answer to show, and what is said
meanwhile comes along with it."""

_SUSPICIOUS = 1.0
"""Seconds: a held request that comes back sooner without news is a server that does not hold it."""

_UNKNOWN_POSITION = frozenset({"M_UNKNOWN", "M_INVALID_PARAM"})
_NOTHING: dict[str, Any] = {"not_types": ["*"]}


def _filter(types: tuple[str, ...], limit: int) -> dict[str, Any]:
    """Return what we want to hear of; the less it is, the less the homeserver does for every event."""
    return {
        "presence": _NOTHING,
        "account_data": _NOTHING,
        "room": {
            "timeline": {"types": list(types), "limit": limit},
            "state": {"types": [ENCRYPTION, TOMBSTONE]},
            "ephemeral": _NOTHING,
            "account_data": _NOTHING,
        },
    }


_WHERE_WE_ARE = _filter((ENCRYPTION,), 1)
"""The first sync of all only finds the position and open invitations."""


def _all_rooms(number: int) -> dict[str, Any]:
    """Return what brings every room that we are in, if only by its creation; no two numbers make the same filter."""
    wanted = _filter((ENCRYPTION,), 1 + number)
    wanted["room"]["state"] = {"types": [ENCRYPTION, TOMBSTONE, CREATE]}
    return wanted


class SyncLoop:
    """Reads one account's events for as long as it runs.

    ``failure`` is what is wrong now, None while the homeserver answers; ``answered`` is the monotonic
    time of its last answer that was handed over.
    """

    def __init__(
        self,
        session: Session,
        rooms: Rooms,
        reader: Reader,
        privacy: Privacy,
        *,
        recent: int,
        hold: timedelta = HOLD,
    ) -> None:
        self.failure: str | None = None
        self.answered: float | None = None
        self._session = session
        self._rooms = rooms
        self._reader = reader
        self._privacy = privacy
        self._hold = hold
        self._events = _filter(EVENT_TYPES, recent)
        self._position: str | None = None
        self._missing = False
        self._stored: float | None = None
        self._began_anew = self._reached = False
        self._log = structlog.get_logger(part=KIND)

    async def run(self, accept: Accept, position: str | None) -> None:
        """Hand over batches until cancelled.

        Before the homeserver has answered, its absence is a TransientError; after that the loop waits for it to come
        back, also when it has not told all yet. An error of ``accept`` ends the loop, at the position before.
        """
        self._position = position
        self._missing = position is not None
        self._stored = self.answered = self.failure = None
        self._began_anew = self._reached = False
        attempt = 0
        try:
            while True:
                began = time.monotonic()
                try:
                    batch = await self._read()
                except TransientError as error:
                    if not self._reached:
                        raise
                    attempt += 1
                    await self._wait_out(error, attempt)
                    continue
                empty = await self._hand_over(batch, accept)
                attempt = attempt + 1 if empty and time.monotonic() - began < _SUSPICIOUS else 0
                wait = _AWAY.wait(attempt) if attempt else _BREATH
                if attempt or batch.events:
                    await asyncio.sleep(wait.total_seconds())
        finally:
            self._lose_sight()
            self.answered = None

    async def _read(self) -> InboundBatch:
        """Return what is new; the position moves only in ``_hand_over``."""
        first = self._position is None
        hold = timedelta() if first or self._missing else self._hold
        try:
            told = await self._session.sync(
                self._position, hold, _WHERE_WE_ARE if first else self._events
            )
        except UserError as error:
            return await self._begin_anew(error)
        self._rooms.watch()
        self._privacy.members.watch()
        await self._privacy.take(told)
        answer = read_answer(SyncAnswer, told)
        self._reached = True
        return await self._reader.read(answer, self._position, missed=self._missing)

    async def _begin_anew(self, error: UserError) -> InboundBatch:
        """Go on when the homeserver does not know our position (it is another, a new one, or was set back).

        Every room is read back to the newest event that was read before.
        """
        if self._position is None or self._began_anew or error.code not in _UNKNOWN_POSITION:
            raise SetupError(error.message, hint="check the bot's account") from error
        self._log.warning("position refused", error=error.message)
        # Synapse remembers the answer to a first sync for two minutes, per filter: this must be a fresh one.
        told = await self._session.sync(None, timedelta(), _all_rooms(secrets.randbelow(1000)))
        self._rooms.watch()
        batch = await self._reader.read_forgotten(read_answer(SyncAnswer, told))
        self._began_anew = self._missing = True
        return batch

    async def _hand_over(self, batch: InboundBatch, accept: Accept) -> bool:
        """Return whether an answer that could have waited for news brought none."""
        empty = not (self._missing or batch.events) and batch.position == self._position
        now = time.monotonic()
        due = self._stored is None or now - self._stored > _STORE_EVERY.total_seconds()
        if batch.events or batch.gaps or batch.unreadable or due:
            await accept(batch)
            self._stored = now
        self._privacy.handed_over()
        self._position = batch.position
        self._missing = False
        self.answered = time.monotonic()
        self.failure = None
        return empty

    def _lose_sight(self) -> None:
        self._rooms.lose_sight()
        self._privacy.members.lose_sight()

    async def _wait_out(self, error: TransientError, attempt: int) -> None:
        wait = _AWAY.wait(attempt)
        if error.retry_after is None:
            self._missing = self._position is not None
        else:
            wait = max(wait, error.retry_after)
        self.failure = error.message
        self._lose_sight()
        self._log.info("homeserver away", error=error.message, attempt=attempt)
        await asyncio.sleep(wait.total_seconds())
