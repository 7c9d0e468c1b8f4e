"""Read receipts: people see how far we have read, never further than what the journal holds.

Source: Matrix client-server API, "Receipts" and "Threaded read receipts"; private ones are `m.read.private`.
"""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

import structlog

from bot.errors import MosaicError, TransientError
from bot.model import Inbound, InboundKind
from connectors.matrix.events import KIND
from connectors.matrix.session import Session

TYPES = {"public": "m.read", "private": "m.read.private"}
_MAIN = "main"
_GATHER = timedelta(milliseconds=300)
"""What comes in quick succession needs one receipt, and an answer is never kept waiting by one."""

_AGAIN = timedelta(seconds=5)


class ReadReceipts:
    """Moves our receipts in rooms and threads; ``how`` is public, private or off.

    A receipt that the homeserver refuses is dropped, one that it cannot take now is tried again.
    """

    def __init__(self, session: Session, how: str, *, again: timedelta = _AGAIN) -> None:
        self._session = session
        self._type = TYPES.get(how)
        self._again = again
        self._newest: dict[tuple[str, str], str] = {}
        self._moved = asyncio.Event()
        self._log = structlog.get_logger(part=KIND)

    def stored(self, events: Iterable[Inbound]) -> None:
        """Take note of what is in the journal now, in the order in which it was said."""
        for event in events:
            # A mark belongs to the thread of what it stands on, which its event does not name.
            if event.kind is not InboundKind.REACTION and self._type is not None:
                thread = event.source.thread or _MAIN
                self._newest[event.source.place, thread] = event.event_id
                self._moved.set()

    async def run(self) -> None:
        """Move receipts until cancelled."""
        while True:
            await self._moved.wait()
            await asyncio.sleep(_GATHER.total_seconds())
            self._moved.clear()
            for (room_id, thread), event_id in list(self._newest.items()):
                await self._move(room_id, thread, event_id)

    async def _move(self, room_id: str, thread: str, event_id: str) -> None:
        try:
            await self._session.read_up_to(room_id, thread, event_id, self._type or "")
        except TransientError as error:
            self._log.info("read receipt waits", room_id=room_id, error=error.message)
            await asyncio.sleep(max(error.retry_after or self._again, self._again).total_seconds())
            self._moved.set()
            return
        except MosaicError as error:
            self._log.info("read receipt dropped", room_id=room_id, error=error.message)
        if self._newest.get((room_id, thread)) == event_id:
            del self._newest[room_id, thread]
