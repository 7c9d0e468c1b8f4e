"""Events that cannot be read, kept with the keys, so that no outage loses them and nobody is told of one twice."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.matrix.crypto.records import Records

_DATABASE = "unread.db"
_TABLE = """
CREATE TABLE IF NOT EXISTS unread (
    event_id   TEXT PRIMARY KEY,
    room_id    TEXT NOT NULL,
    sender     TEXT NOT NULL,
    session_id TEXT NOT NULL,
    why        TEXT NOT NULL,
    event      TEXT,
    kept_at    TEXT NOT NULL,
    told_at    TEXT
) STRICT
"""
_KEPT = timedelta(days=90)
_SILENCE = timedelta(minutes=10)
"""Whoever was told of a reason in a room is not told of it again sooner, whatever the key."""

_COLUMNS = "event_id, room_id, sender, session_id, why, event"


@dataclass(frozen=True, slots=True)
class Unread:
    """One event that could not be read, and why. ``event`` is None when it never will be."""

    event_id: str
    room_id: str
    sender: str
    session_id: str
    why: str
    event: dict[str, Any] | None = None


class Shelf:
    """The unread events of one vault. What is read late is taken off only after it was handed on."""

    def __init__(self, folder: Path) -> None:
        self._records = Records(folder / _DATABASE, _TABLE)
        oldest = (datetime.now(UTC) - _KEPT).isoformat()
        self._records.ask("DELETE FROM unread WHERE kept_at < ?", oldest)

    def close(self) -> None:
        """Close the file; nothing may be asked after that."""
        self._records.close()

    def keep(self, unread: Unread) -> None:
        """Keep an event; what is known of one that is there already is made newer."""
        self._records.ask(
            "INSERT INTO unread (event_id, room_id, sender, session_id, why, event, kept_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (event_id) DO UPDATE SET why = excluded.why, event = excluded.event",
            unread.event_id,
            unread.room_id,
            unread.sender,
            unread.session_id,
            unread.why,
            None if unread.event is None else json.dumps(unread.event),
            datetime.now(UTC).isoformat(),
        )

    def waiting(self) -> Sequence[tuple[str, str]]:
        """Return the keys that events wait for, as room and session."""
        found = self._records.ask(
            "SELECT DISTINCT room_id, session_id FROM unread WHERE event IS NOT NULL"
        )
        return [(room_id, session_id) for room_id, session_id in found]

    def of(self, room_id: str, session_id: str) -> Sequence[Unread]:
        """Return what waits for a room's key, in the order in which it came."""
        found = self._records.ask(
            f"SELECT {_COLUMNS} FROM unread"  # noqa: S608 - our own names
            " WHERE room_id = ? AND session_id = ? AND event IS NOT NULL ORDER BY rowid",
            room_id,
            session_id,
        )
        return [_unread(row) for row in found]

    def expects(self, room_id: str, session_id: str, sender: str) -> bool:
        """Return whether words of somebody wait for a room's session."""
        return any(one.sender == sender for one in self.of(room_id, session_id))

    def drop(self, event_ids: Sequence[str]) -> None:
        """Take events off."""
        self._records.each(
            "DELETE FROM unread WHERE event_id = ?", [(event_id,) for event_id in event_ids]
        )

    def due(self, patience: timedelta) -> Sequence[Unread]:
        """Return what people should know: one event for each reason, room and sender.

        One whose key may still come is due when it waited longer than ``patience``. Nobody is told twice of one key,
        and for a while of no other key either: a client that is broken, or made to be, fills no room.
        """
        now = datetime.now(UTC)
        found = self._records.ask(
            f"SELECT {_COLUMNS}, min(rowid) FROM unread u"  # noqa: S608 - our own names
            " WHERE told_at IS NULL AND (event IS NULL OR kept_at <= ?) AND NOT EXISTS ("
            "SELECT 1 FROM unread o WHERE o.room_id = u.room_id AND o.sender = u.sender"
            " AND (o.session_id = u.session_id AND o.told_at IS NOT NULL"
            " OR o.why = u.why AND o.told_at > ?)) GROUP BY room_id, sender, why",
            (now - patience).isoformat(),
            (now - _SILENCE).isoformat(),
        )
        return [_unread(row[:-1]) for row in found]

    def note_told(self, told: Sequence[Unread]) -> None:
        """Note that people know of these, and with them of all that the same sender's room lacks for that reason."""
        now = datetime.now(UTC).isoformat()
        self._records.each(
            "UPDATE unread SET told_at = ?"
            " WHERE told_at IS NULL AND room_id = ? AND sender = ? AND why = ?",
            [(now, one.room_id, one.sender, one.why) for one in told],
        )

    def count(self) -> int:
        """Return how many wait for a key."""
        found = self._records.ask("SELECT count(*) FROM unread WHERE event IS NOT NULL")
        return int(found[0][0])


def _unread(row: tuple[Any, ...]) -> Unread:
    event_id, room_id, sender, session_id, why, event = row
    return Unread(
        event_id, room_id, sender, session_id, why, None if event is None else json.loads(event)
    )
