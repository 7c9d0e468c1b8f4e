"""The daemon's lock: one daemon per home, and the pid of the one that runs."""

import fcntl
import os
import time
from pathlib import Path

from bot.errors import UserError

_TRIES = 5
_PAUSE_SECONDS = 0.02


class DaemonLock:
    """A lock that lives exactly as long as its holder, whatever ends it (flock(2)).

    The file holds the pid in decimal. A file that a dead daemon left means nothing: only the kernel's lock counts.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock; UserError with the code ``already_running`` that names the holder's pid."""
        for _ in range(_TRIES):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if _try_lock(descriptor) and _same_file(descriptor, self._path):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"{os.getpid()}\n".encode())
                self._descriptor = descriptor
                return
            os.close(descriptor)
            time.sleep(_PAUSE_SECONDS)  # whoever only looks holds it for a moment
        raise UserError(
            f"the daemon is already running with pid {read_pid(self._path) or 'unknown'}",
            code="already_running",
            hint="`mosaic status` shows it, `mosaic down` stops it",
        )

    def release(self) -> None:
        """Give the lock back and remove its file; harmless when it is not held."""
        if self._descriptor is None:
            return
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = None


def holder(path: Path) -> int | None:
    """Return the pid of the daemon that holds the lock, None when nobody does (a stale file or none)."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return None if _try_lock(descriptor) else read_pid(path)
    finally:
        os.close(descriptor)


def read_pid(path: Path) -> int | None:
    """Return the pid that stands in a lock file, None when none does."""
    try:
        return int(path.read_text(encoding="ascii").strip())
    except (FileNotFoundError, ValueError):
        return None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _same_file(descriptor: int, path: Path) -> bool:
    """Return whether the locked file is still the one at the path: a holder removes it when it goes."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(descriptor)
    return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)
