"""A small database of ours beside the keys."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bot.errors import SetupError


class Records:
    """One SQLite file in a vault, mode 0600; what it cannot do is a SetupError.

    WAL with synchronous NORMAL: a killed process loses nothing, a machine that loses its power perhaps the newest rows.
    """

    def __init__(self, path: Path, tables: str) -> None:
        self._path = path
        try:
            self._database = sqlite3.connect(path, isolation_level=None)
            path.chmod(0o600)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.executescript(tables)
        except (sqlite3.Error, OSError) as error:
            raise self._broken(error) from error

    def close(self) -> None:
        """Close the file; nothing may be asked after that."""
        self._database.close()

    def ask(self, statement: str, *values: Any) -> Sequence[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        try:
            return self._database.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._broken(error) from error

    def each(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row."""
        for row in rows:
            self.ask(statement, *row)

    def _broken(self, error: Exception) -> SetupError:
        return SetupError(
            f"{self._path} cannot be used: {error}",
            hint="is the disk full, or the folder not ours?",
        )
