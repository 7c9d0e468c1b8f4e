"""Which message was read at which place of a key's chain: one that is shown again as another is a forgery.

nio remembers that only as long as it runs, and a homeserver can wait for a restart.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from connectors.matrix.crypto.records import Records

_DATABASE = "read.db"
_TABLES = """
CREATE TABLE IF NOT EXISTS read (
    chain    BLOB NOT NULL,
    place    INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (chain, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS heard (
    device   TEXT PRIMARY KEY,
    heard_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""


class Replays:
    """The messages of one vault that were read. Losing the newest of them in a crash of the machine is harmless."""

    def __init__(self, folder: Path) -> None:
        self._records = Records(folder / _DATABASE, _TABLES)

    def close(self) -> None:
        """Close the file; nothing may be asked after that."""
        self._records.close()

    def is_first(self, chain: str, place: int, event_id: str) -> bool:
        """Note that an event stands at a place of a chain; False when another one does."""
        key = hashlib.blake2b(chain.encode(), digest_size=16).digest()
        self._records.ask("INSERT OR IGNORE INTO read VALUES (?, ?, ?)", key, place, event_id)
        found = self._records.ask(
            "SELECT event_id FROM read WHERE chain = ? AND place = ?", key, place
        )
        return found == [(event_id,)]

    def note_heard(self, device_key: str) -> None:
        """Note that a device was heard now."""
        self._records.ask(
            "INSERT OR REPLACE INTO heard VALUES (?, ?)", device_key, datetime.now(UTC).isoformat()
        )

    def heard_at(self, device_key: str) -> datetime | None:
        """Return when a device was last heard, None when it never was."""
        found = self._records.ask("SELECT heard_at FROM heard WHERE device = ?", device_key)
        return datetime.fromisoformat(found[0][0]) if found else None
