"""Who is in a room, as far as it is known: those for whom an encrypted event is meant."""

from collections.abc import Sequence

from connectors.matrix.session import Session


class Members:
    """The people of rooms, asked for once and again after every change of one.

    What was learnt is believed only while the sync loop watches for changes.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[str, Sequence[str]] = {}
        self._watched = False
        self._changes = 0

    async def of(self, room_id: str) -> Sequence[str]:
        """Return who is in a room now; raises what the session raises."""
        known = self._known.get(room_id)
        if known is None:
            changes = self._changes
            known = await self._session.members(room_id)
            if self._watched and changes == self._changes:
                self._known[room_id] = known
        return known

    def note_change(self, room_id: str) -> None:
        """Note that somebody came or left, or may have."""
        self._changes += 1
        self._known.pop(room_id, None)

    def watch(self) -> None:
        """From now on the sync loop notes every change here."""
        self._watched = True

    def lose_sight(self) -> None:
        """Believe nothing any more that may change unseen."""
        self._watched = False
        self._changes += 1
        self._known.clear()
