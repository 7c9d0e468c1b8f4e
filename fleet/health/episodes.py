"""Troubles that people were told of and that are not over, in a file: each is told once, over restarts too."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from fleet.private_files import write_private


class Episodes:
    """What goes on, by a key that names it. The file is read once: nobody else writes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: dict[str, str] | None = None

    def __contains__(self, key: str) -> bool:
        return key in self._known()

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._known()))

    def begin(self, key: str, now: datetime) -> bool:
        """Open an episode; false when it is open already."""
        if key in self:
            return False
        self._known()[key] = now.astimezone(UTC).isoformat(timespec="seconds")
        self._write()
        return True

    def end(self, key: str) -> bool:
        """Close an episode; false when there is none."""
        if self._known().pop(key, None) is None:
            return False
        self._write()
        return True

    def _known(self) -> dict[str, str]:
        if self._open is None:
            self._open = dict(_read(self._path))
        return self._open

    def _write(self) -> None:
        write_private(self._path, json.dumps(self._known()) + "\n")


def _read(path: Path) -> Mapping[str, str]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {key: str(since) for key, since in known.items()} if isinstance(known, dict) else {}
