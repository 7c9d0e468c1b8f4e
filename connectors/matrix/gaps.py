"""The walk back over missed time: what a sync left out of a room is read through /messages.

A sync shows the newest events of a room and says ``limited`` when there are older ones since our
position. The walk goes from there to the position, newest first, within bounds of number and time.
"""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from bot.errors import UserError
from connectors.matrix.answers import HistoryAnswer, RoomEvent, read_answer, read_events
from connectors.matrix.events import (
    ENCRYPTED,
    ENCRYPTION,
    KIND,
    MEMBER,
    MESSAGE,
    REACTION,
    is_own_join,
    to_inbound,
)
from connectors.matrix.session import Session

EVENT_TYPES = (MESSAGE, ENCRYPTED, REACTION, MEMBER, ENCRYPTION)
_FILTER: dict[str, Any] = {"types": list(EVENT_TYPES), "lazy_load_members": True}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a walk goes: it keeps the newest ``events`` and reads for at most ``time``.

    ``recent`` is how many events of a room one sync shows, ``page`` how many one step back brings.
    """

    events: int = 20_000
    time: timedelta = timedelta(minutes=2)
    recent: int = 100
    page: int = 250


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
    """Reads back what was missed, for one account."""

    def __init__(self, session: Session, bounds: Bounds) -> None:
        self._session = session
        self._bounds = bounds
        self._log = structlog.get_logger(part=KIND)

    async def walk(self, room_id: str, start: str, stop: str) -> Walk:
        """Return the events of a room between ``stop`` (our position) and ``start`` (a timeline's begin).

        It ends early, and completely, where we came into the room: what was said before is not for us.
        Raises TransientError when the homeserver is away: the whole sync is then read again.
        """
        taken = _Taken(self._bounds.events, self._session.user_id, room_id)
        deadline = time.monotonic() + self._bounds.time.total_seconds()
        token: str | None = start
        while token is not None and not taken.entered:
            if time.monotonic() > deadline:
                return taken.walk(complete=False)
            try:
                told = await self._session.history(room_id, token, stop, self._bounds.page, _FILTER)
            except UserError as error:
                self._log.warning("history refused", room_id=room_id, error=error.message)
                return taken.walk(complete=False)
            page = read_answer(HistoryAnswer, told)
            taken.take(read_events(RoomEvent, page.chunk))
            token = page.end if page.end != token else None
        return taken.walk(complete=True)


class _Taken:
    """What a walk has so far; ``entered`` is true once it came to our own entry into the room."""

    def __init__(self, limit: int, user_id: str, room_id: str) -> None:
        self.entered = False
        self._limit = limit
        self._user_id = user_id
        self._room_id = room_id
        self._kept: deque[RoomEvent] = deque()
        self._lost = 0

    def take(self, newest_first: Sequence[RoomEvent]) -> None:
        for event in newest_first:
            if is_own_join(event, self._user_id):
                self.entered = True
                return
            if len(self._kept) < self._limit:
                self._kept.appendleft(event)
            elif self._is_somebodys(event):
                self._lost += 1

    def _is_somebodys(self, event: RoomEvent) -> bool:
        """Return whether people would miss it; what stands in an encrypted one is not known, so it counts."""
        if event.type == ENCRYPTED:
            return event.sender != self._user_id
        return event.type == MESSAGE and bool(to_inbound(event, self._room_id, self._user_id))

    def walk(self, *, complete: bool) -> Walk:
        return Walk(tuple(self._kept), self._lost, complete)
