"""Events whose key has not come yet: kept with the keys, so that no outage loses them."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_DATABASE = "unread.db"
_TABLE = """
CREATE TABLE IF NOT EXISTS unread (
    event_id   TEXT PRIMARY KEY,
    room_id    TEXT NOT NULL,
    sender     TEXT NOT NULL,
    session_id TEXT NOT NULL,
    event      TEXT NOT NULL,
    kept_at    TEXT NOT NULL,
    told       INTEGER NOT NULL DEFAULT 0
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Unread:
    """One event that waits for its key."""

    room_id: str
    sender: str
    session_id: str
    event: dict[str, Any]


class Shelf:
    """The events of one vault that wait. What is read late is taken off only after it was handed on."""

    def __init__(self, folder: Path) -> None:
        self._database = sqlite3.connect(folder / _DATABASE, isolation_level=None)
        (folder / _DATABASE).chmod(0o600)
        self._database.execute(_TABLE)

    def close(self) -> None:
        """Close the file; nothing may be asked after that."""
        self._database.close()

    def keep(self, unread: Unread) -> None:
        """Keep an event; the same one again changes nothing."""
        self._database.execute(
            "INSERT OR IGNORE INTO unread (event_id, room_id, sender, session_id, event, kept_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                str(unread.event["event_id"]),
                unread.room_id,
                unread.sender,
                unread.session_id,
                json.dumps(unread.event),
                datetime.now(UTC).isoformat(),
            ),
        )

    def of(self, room_id: str, session_id: str) -> Sequence[Unread]:
        """Return what waits for a room's key, in the order in which it came."""
        rows = self._database.execute(
            "SELECT room_id, sender, session_id, event FROM unread"
            " WHERE room_id = ? AND session_id = ? ORDER BY rowid",
            (room_id, session_id),
        )
        return [Unread(row[0], row[1], row[2], json.loads(row[3])) for row in rows]

    def drop(self, event_ids: Sequence[str]) -> None:
        """Take events off."""
        self._database.executemany(
            "DELETE FROM unread WHERE event_id = ?", [(event_id,) for event_id in event_ids]
        )

    def overdue(self, patience: timedelta) -> Sequence[Unread]:
        """Return one event of each sender's session that waits longer than that and was not told of."""
        limit = (datetime.now(UTC) - patience).isoformat()
        rows = self._database.execute(
            "SELECT room_id, sender, session_id, event, min(rowid) FROM unread u"
            " WHERE kept_at <= ? AND NOT EXISTS (SELECT 1 FROM unread o WHERE o.room_id = u.room_id"
            " AND o.sender = u.sender AND o.session_id = u.session_id AND o.told = 1)"
            " GROUP BY room_id, sender, session_id",
            (limit,),
        )
        return [Unread(row[0], row[1], row[2], json.loads(row[3])) for row in rows]

    def note_told(self, unread: Unread) -> None:
        """Note that people know of a session that cannot be read."""
        self._database.execute(
            "UPDATE unread SET told = 1 WHERE room_id = ? AND sender = ? AND session_id = ?",
            (unread.room_id, unread.sender, unread.session_id),
        )

    def count(self) -> int:
        """Return how many wait."""
        return int(self._database.execute("SELECT count(*) FROM unread").fetchone()[0])
