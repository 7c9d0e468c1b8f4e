"""What agents' files in ``fleet/run`` say, read again only when they have changed."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

from fleet.health.heartbeat import Heartbeat, read_heartbeat
from fleet.health.starts import read_starts
from fleet.health.stops import read_stop

_Content = TypeVar("_Content")


@dataclass(frozen=True, slots=True)
class Signs:
    """What the files say, each by the agent's name; ``starts`` are those that nobody asked for."""

    beats: Mapping[str, Heartbeat] = field(default_factory=dict)
    starts: Mapping[str, Sequence[datetime]] = field(default_factory=dict)
    stops: Mapping[str, str] = field(default_factory=dict)


class VitalSigns:
    """Reads the directory in one pass; a file that is as it was costs no more than a look at its date."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._beats = _Kept(read_heartbeat)
        self._starts = _Kept(read_starts)
        self._stops = _Kept(read_stop)

    def read(self) -> Signs:
        """Return what the files say now."""
        beats: dict[str, Heartbeat] = {}
        starts: dict[str, Sequence[datetime]] = {}
        stops: dict[str, str] = {}
        try:
            with os.scandir(self._directory) as entries:
                for entry in entries:
                    name, _, kind = entry.name.rpartition(".")
                    if kind == "hb" and (beat := self._beats.read(entry)) is not None:
                        beats[name] = beat
                    elif kind == "starts":
                        starts[name] = self._starts.read(entry) or ()
                    elif kind == "stopped" and (by := self._stops.read(entry)) is not None:
                        stops[name] = by
        except FileNotFoundError:
            return Signs()
        return Signs(beats, starts, stops)


class _Kept(Generic[_Content]):
    """Files' contents, each with the stamp of the file that it was read from."""

    def __init__(self, read: Callable[[Path], _Content]) -> None:
        self._read = read
        self._known: dict[str, tuple[tuple[int, int, int], _Content]] = {}

    def read(self, entry: os.DirEntry[str]) -> _Content | None:
        """Return what a file holds; None when it went away while we looked."""
        try:
            seen = entry.stat()
        except FileNotFoundError:
            self._known.pop(entry.path, None)
            return None
        stamp = (seen.st_mtime_ns, seen.st_ino, seen.st_size)
        known = self._known.get(entry.path)
        if known is None or known[0] != stamp:
            known = (stamp, self._read(Path(entry.path)))
            self._known[entry.path] = known
        return known[1]
