"""The walk back over missed time: what a sync left out of a room is read through /messages.

A sync shows the newest events of a room and says ``limited`` when there are older ones since our
position. The walk goes from there to the position, newest first, within bounds of number and time.
"""

import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from bot.errors import TransientError, UserError
from connectors.matrix.answers import HistoryAnswer, RoomEvent, read_answer, read_events
from connectors.matrix.events import (
    ENCRYPTED,
    ENCRYPTION,
    KIND,
    MEMBER,
    MESSAGE,
    REACTION,
    REDACTION,
    TOMBSTONE,
    is_own_exit,
    is_own_join,
    to_inbound,
)
from connectors.matrix.session import Session

EVENT_TYPES = (MESSAGE, ENCRYPTED, REACTION, REDACTION, MEMBER, ENCRYPTION, TOMBSTONE)
_FILTER: dict[str, Any] = {"types": list(EVENT_TYPES), "lazy_load_members": True}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a walk goes: it keeps the newest ``events`` and reads for at most ``time``.

    ``recent`` is how many events of a room one sync shows, ``page`` how many one step back brings. A room whose
    history cannot be read is tried again for ``patience``, and then given up: the others wait for it meanwhile.
    """

    events: int = 20_000
    time: timedelta = timedelta(minutes=2)
    recent: int = 100
    page: int = 250
    patience: timedelta = timedelta(minutes=5)


Knows = Callable[[Sequence[str]], Awaitable[frozenset[str]]]
"""Returns those of some event ids that were read before."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk brought, oldest first.

    ``lost`` counts people's messages that were seen and could not be kept. ``complete`` is false when
    the walk had to stop before the position: then more may be lost than anybody counted.
    """

    events: tuple[RoomEvent, ...] = ()
    lost: int = 0
    complete: bool = True


class GapWalker:
    """Reads back what was missed, for one account; ``knows`` tells what was read before."""

    def __init__(self, session: Session, bounds: Bounds, knows: Knows) -> None:
        self._session = session
        self._bounds = bounds
        self._knows = knows
        self._failing: dict[str, float] = {}
        self._log = structlog.get_logger(part=KIND)

    async def walk(self, room_id: str, start: str, stop: str) -> Walk:
        """Return the events of a room between ``stop`` (our position) and ``start`` (a timeline's begin).

        It ends early, and completely, where we came into the room: what was said before is not for us.
        Raises TransientError when the homeserver is away: the whole sync is then read again.
        """
        taken = _Taken(self._bounds.events, self._session.user_id, room_id)
        complete = await self._go_back(room_id, start, stop, taken)
        return taken.walk(complete=complete)

    async def walk_whole(self, room_id: str, start: str) -> Walk | None:
        """Return all that was said in a room up to ``start``, None when we were in it in that time.

        Then what was said while we were out is not for us.
        """
        taken = _Taken(self._bounds.events, self._session.user_id, room_id)
        complete = await self._go_back(room_id, start, None, taken)
        return None if taken.entered or taken.left else taken.walk(complete=complete)

    async def walk_to_known(self, room_id: str, start: str) -> Walk:
        """Return the events of a room between the newest that was read before and ``start``.

        Where none was read before nobody can tell what is new: then nothing of it is returned, incomplete.
        """
        taken = _Taken(self._bounds.events, self._session.user_id, room_id)
        await self._go_back(room_id, start, None, taken)
        if taken.met:
            return taken.walk(complete=True)
        return Walk(complete=not taken.has_words)

    async def _go_back(self, room_id: str, start: str, stop: str | None, taken: "_Taken") -> bool:
        """Read page after page; return whether the walk came to its end."""
        deadline = time.monotonic() + self._bounds.time.total_seconds()
        token: str | None = start
        while token is not None and not taken.is_over:
            if time.monotonic() > deadline:
                return False
            page = await self._page(room_id, token, stop)
            if page is None:
                return False
            events = read_events(RoomEvent, page.chunk)
            known = frozenset[str]()
            if stop is None:
                known = await self._knows([event.event_id for event in events])
            taken.take(events, known)
            token = page.end if page.end != token else None
        return True

    async def _page(self, room_id: str, token: str, stop: str | None) -> HistoryAnswer | None:
        """Return a page, None for one that the homeserver will not, or for too long cannot, give."""
        try:
            told = await self._session.history(room_id, token, stop, self._bounds.page, _FILTER)
            answer = read_answer(HistoryAnswer, told)
        except UserError as error:
            self._log.warning("history refused", room_id=room_id, error=error.message)
            return None
        except TransientError as error:
            since = self._failing.setdefault(room_id, time.monotonic())
            if time.monotonic() - since < self._bounds.patience.total_seconds():
                raise
            self._log.warning("history given up", room_id=room_id, error=error.message)
            answer = None
        self._failing.pop(room_id, None)
        return answer


class _Taken:
    """What a walk has so far.

    ``entered`` is true once it came to our own entry into the room, ``left`` once it came to our leaving, ``met`` once
    it came to what was read before.
    """

    def __init__(self, limit: int, user_id: str, room_id: str) -> None:
        self.entered = self.left = self.met = self.has_words = False
        self._limit = limit
        self._user_id = user_id
        self._room_id = room_id
        self._kept: deque[RoomEvent] = deque()
        self._lost = 0

    @property
    def is_over(self) -> bool:
        """Whether what comes before is not asked for."""
        return self.entered or self.met

    def take(self, newest_first: Sequence[RoomEvent], known: frozenset[str]) -> None:
        for event in newest_first:
            if is_own_join(event, self._user_id):
                self.entered = True
            self.left = self.left or is_own_exit(event, self._user_id)
            self.met = self.met or event.event_id in known
            if self.is_over:
                return
            words = self._is_somebodys(event)
            self.has_words = self.has_words or words
            if len(self._kept) < self._limit:
                self._kept.appendleft(event)
            elif words:
                self._lost += 1

    def _is_somebodys(self, event: RoomEvent) -> bool:
        """Return whether people would miss it; what stands in an encrypted one is not known, so it counts."""
        if event.type == ENCRYPTED:
            return event.sender != self._user_id
        return event.type == MESSAGE and bool(to_inbound(event, self._room_id, self._user_id))

    def walk(self, *, complete: bool) -> Walk:
        return Walk(tuple(self._kept), self._lost, complete)
