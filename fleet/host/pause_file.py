"""The kill switch ``fleet/run/PAUSED``: a file that pauses the whole installation, made by ``touch``."""

import asyncio
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog

from bot.errors import SetupError
from bot.supervision.pause import Pauses

_LOOK = timedelta(seconds=0.3)
_MOST_BYTES = 2000
_MOST_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Found:
    """The file as it was seen: ``stamp`` tells its writings apart, its first line is the reason."""

    stamp: str
    reason: str | None


class PauseFile:
    """The part ``pause-file``: mirrors this host's file into the pauses of the installation.

    A file that appears pauses every host, one that goes lifts that pause. After a ``resume`` the file is
    removed. Without a change nothing is written, and without a file nothing is asked.
    """

    name = "pause-file"

    def __init__(self, path: Path, host: str, pauses: Pauses) -> None:
        self._path = path
        self._host = host
        self._pauses = pauses
        self._log = structlog.get_logger(part=self.name)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Watch until cancelled.

        TransientError while the database is away, SetupError for a file that cannot be removed.
        """
        seen = self._look()
        await self._mirror(seen)
        while True:
            ready(f"{self._path} is there" if seen else f"watching {self._path}")
            await asyncio.sleep(_LOOK.total_seconds())
            before, seen = seen, self._look()
            if seen is not None or before is not None:
                await self._mirror(seen)

    async def _mirror(self, seen: Found | None) -> None:
        stamp, reason = (None, None) if seen is None else (seen.stamp, seen.reason)
        if await self._pauses.mirror(self._host, stamp, reason) and self._look() == seen:
            self._remove()

    def _look(self) -> Found | None:
        try:
            status = self._path.lstat()
        except FileNotFoundError:
            return None
        stamp = f"{status.st_ino} {status.st_mtime_ns}"
        return Found(stamp, self._reason() if stat.S_ISREG(status.st_mode) else None)

    def _reason(self) -> str | None:
        """Return the first line, without what is no text; a file that cannot be read pauses as well."""
        try:
            with self._path.open("rb") as file:
                text = file.read(_MOST_BYTES).decode("utf-8", "replace")
        except OSError:
            return None
        line = "".join(c for c in text.partition("\n")[0] if c.isprintable()).strip()
        return line[:_MOST_CHARACTERS] or None

    def _remove(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise SetupError(
                f"{self._path} cannot be removed after a resume: {error.strerror}",
                hint="remove it yourself; it pauses nothing until it is made anew",
            ) from error
        self._log.info("pause file removed after a resume")
