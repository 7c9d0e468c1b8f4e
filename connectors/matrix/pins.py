"""Pinned messages and topics.

Source: Matrix client-server API, "m.room.pinned_events" and "m.room.topic".
"""

from typing import Any

from bot.errors import UserError
from connectors.matrix.failures import FORBIDDEN, NOT_FOUND
from connectors.matrix.session import Session

_PINNED = "m.room.pinned_events"
_TOPIC = "m.room.topic"


class RoomPins:
    """The port Pins, for one account."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def stands(self, place: str, event_id: str) -> bool:
        """Return whether an event of ours has its content still."""
        try:
            told = await self._session.event(place, event_id)
        except UserError as error:
            if error.code in {FORBIDDEN, NOT_FOUND}:
                return False
            raise
        unsigned = told.get("unsigned")
        redacted = isinstance(unsigned, dict) and "redacted_because" in unsigned
        return bool(told.get("content")) and not redacted

    async def pin(self, place: str, event_id: str, former: str | None) -> None:
        """Pin an event where the former one was, or last; pins of others stay in their order."""
        pinned = await self._pinned(place)
        wanted = [one for one in pinned if one != event_id]
        if former in wanted:
            wanted[wanted.index(former)] = event_id
        elif event_id in pinned:
            return
        else:
            wanted.append(event_id)
        await self._session.set_state(place, _PINNED, {"pinned": wanted})

    async def set_topic(self, place: str, topic: str) -> None:
        """Say a room's topic, unless it says so."""
        if (await self._read(place, _TOPIC)).get("topic") != topic:
            await self._session.set_state(place, _TOPIC, {"topic": topic})

    async def _pinned(self, place: str) -> list[str]:
        listed = (await self._read(place, _PINNED)).get("pinned")
        return [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []

    async def _read(self, place: str, event_type: str) -> dict[str, Any]:
        try:
            return await self._session.state(place, event_type)
        except UserError as error:
            if error.code != NOT_FOUND:
                raise
            return {}
