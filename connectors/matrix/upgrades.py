"""Rooms that take over from others: followed when the old room and the new one say so both.

The old room names its replacement in a tombstone, which only who may set state there can send (the homeserver sees to
that); the new room names its predecessor when it is made. Neither alone is believed.
Source: Matrix client-server API, "Room upgrades"; "m.room.create"; "m.room.tombstone".
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog

from bot.errors import TransientError, UserError
from bot.model import Address, MessageKind, OutboundMessage
from connectors.matrix.answers import RoomEvent
from connectors.matrix.events import CREATE, KIND, TOMBSTONE
from connectors.matrix.session import Session

Moved = Callable[[str, str], Awaitable[None]]
"""Keeps for good that the second room took over from the first."""

Report = Callable[[str], Awaitable[None]]

_AGAIN = timedelta(seconds=30)
"""Time between two tries to enter a room whose server does not answer."""


class Upgrades:
    """Which room took over from which.

    ``known`` is what earlier lives found. ``farewell(old, new)`` says in the old room where it goes on, as well as
    it still can.
    """

    def __init__(
        self,
        session: Session,
        report: Report,
        known: Mapping[str, str],
        *,
        moved: Moved,
        farewell: Moved,
    ) -> None:
        self._session = session
        self._report = report
        self._successors = dict(known)
        self._moved = moved
        self._farewell = farewell
        self._awaited: dict[str, str] = {}
        self._next_try: dict[str, float] = {}
        self._closed: set[str] = set()
        self._told: set[str] = set()
        self._log = structlog.get_logger(part=KIND)

    def current(self, room_id: str) -> str:
        """Return the room that a room's words go to now: itself, or the last that took over."""
        seen = {room_id}
        while (successor := self._successors.get(room_id)) is not None and successor not in seen:
            seen.add(successor)
            room_id = successor
        return room_id

    def is_heir(self, room_id: str) -> bool:
        """Return whether a room took over from another: what was said there before we came is for us too."""
        return room_id in self._successors.values()

    def note(self, room_id: str, event: RoomEvent) -> None:
        """Take down that a room has a tombstone; ``follow`` does the rest."""
        if event.type == TOMBSTONE and event.state_key == "" and room_id not in self._successors:
            self._awaited[room_id] = event.sender.partition(":")[2]

    @property
    def notes(self) -> tuple[str, ...]:
        """What an operator should do about them, one sentence each."""
        us = self._session.user_id
        return tuple(
            f"{new} took over from another room: invite {us}" for new in sorted(self._closed)
        )

    def waits_for(self, room_id: str) -> bool:
        """Return whether a room should have taken over and did not let us in: any invitation there is good."""
        return room_id in self._closed

    async def look_ahead(self, room_id: str) -> None:
        """Follow a room that may have been replaced while nobody looked."""
        if room_id not in self._successors and await self._replacement(room_id) is not None:
            self._awaited.setdefault(room_id, "")

    async def follow(self) -> None:
        """Enter the rooms that took over; one that lets us in only by invitation is waited for."""
        for old, server in list(self._awaited.items()):
            if time.monotonic() < self._next_try.get(old, 0.0):
                continue
            self._next_try[old] = time.monotonic() + _AGAIN.total_seconds()
            try:
                await self._follow(old, server)
            except TransientError as error:
                self._log.info("replacement not entered yet", room_id=old, error=error.message)

    async def _follow(self, old: str, server: str) -> None:
        new = await self._replacement(old)
        if new is not None:
            try:
                await self._session.join(new, server or None)
            except UserError as error:
                self._log.info("replacement not entered", room_id=new, error=error.message)
                await self._wait_for_invitation(old, new)
                return
            if await self.look_back(new):
                return
            await self._leave(new)
            await self._tell(
                old,
                f"{old} names {new} as its replacement, and that room does not say so: not followed.",
            )
        self._awaited.pop(old)

    async def _leave(self, room_id: str) -> None:
        try:
            await self._session.leave(room_id)
        except UserError as error:
            self._log.info("not left", room_id=room_id, error=error.message)

    async def _wait_for_invitation(self, old: str, new: str) -> None:
        """Take any invitation to a replacement; tell the operators when none came for a while."""
        if new not in self._closed:
            self._closed.add(new)
            return
        self._awaited.pop(old)
        await self._tell(
            old,
            f"{old} was replaced by {new}: invite {self._session.user_id} there, I cannot enter.",
        )

    async def look_back(self, room_id: str) -> bool:
        """Return whether a room that we entered takes over from another; both must say so."""
        created = await self._content(room_id, CREATE)
        predecessor = created.get("predecessor")
        old = predecessor.get("room_id") if isinstance(predecessor, dict) else None
        if not isinstance(old, str) or old == room_id or await self._replacement(old) != room_id:
            return False
        if old not in self._successors:
            await self._moved(old, room_id)
            self._successors[old] = room_id
            self._log.info("room replaced", room_id=old, by=room_id)
            await self._farewell(old, room_id)
        self._awaited.pop(old, None)
        self._closed.discard(room_id)
        return True

    def forward(self, message: OutboundMessage) -> OutboundMessage | None:
        """Return a message as it can be said in the room that its own one became.

        Threads and answers name events of the old room and are dropped; None for edits and marks, which are nothing
        without theirs.
        """
        room_id = self.current(message.to.place)
        if room_id == message.to.place:
            return message
        if message.kind is MessageKind.REACTION or message.replaced_event is not None:
            return None
        return replace(message, to=Address(KIND, room_id), reply_to=None)

    async def _replacement(self, room_id: str) -> str | None:
        """Return the room that a room says took over from it."""
        new = (await self._content(room_id, TOMBSTONE)).get("replacement_room")
        return new if isinstance(new, str) and new and new != room_id else None

    async def _content(self, room_id: str, event_type: str) -> dict[str, Any]:
        """Return a state event's content, nothing for one that is not there or not for us to see."""
        try:
            return await self._session.state(room_id, event_type)
        except UserError as error:
            self._log.debug("state not read", room_id=room_id, error=error.message)
            return {}

    async def _tell(self, room_id: str, text: str) -> None:
        if room_id not in self._told:
            self._told.add(room_id)
            self._log.warning("replacement", room_id=room_id, said=text)
            await self._report(text)
