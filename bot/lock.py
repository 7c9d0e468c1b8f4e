"""The daemon's lock: one daemon per home, and the pid of the one that runs."""

import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from bot.errors import UserError

_GLANCES = 5
_POLL_SECONDS = 0.02
_DYING_SECONDS = 5.0


class DaemonLock:
    """A lock that lives exactly as long as its holder, whatever ends it (flock(2)).

    The file holds the pid in decimal. A file that a dead daemon left means nothing: only the kernel's lock counts.
    That one can outlive a killed daemon for some milliseconds, until its last thread has ended and each of its
    children has begun its own program (execve(2)); whoever asks waits that out.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock; UserError with the code ``already_running`` that names the holder's pid."""
        for _ in _looks(self._path, at_least=_GLANCES):  # whoever only looks holds it for a moment
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if _try_lock(descriptor) and _same_file(descriptor, self._path):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"{os.getpid()}\n".encode())
                self._descriptor = descriptor
                return
            os.close(descriptor)
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
    """Return the pid of the daemon that holds the lock, None when nobody does (a stale file or none).

    A lock whose holder is dying is looked at again for up to five seconds.
    """
    pid: int | None = None
    for _ in _looks(path, at_least=1):
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            if _try_lock(descriptor):
                return None
            pid = read_pid(path)
        finally:
            os.close(descriptor)
    return pid


def read_pid(path: Path) -> int | None:
    """Return the pid that stands in a lock file, None when none does."""
    try:
        return int(path.read_text(encoding="ascii").strip())
    except (FileNotFoundError, ValueError):
        return None


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended and was not collected yet does not."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] not in {"Z", "X"}


def _looks(path: Path, *, at_least: int) -> Iterator[None]:
    """Yield for each look that a held lock is worth: the least number, and more while nobody alive stands in it."""
    deadline = time.monotonic() + _DYING_SECONDS
    left = at_least
    while True:
        yield
        left -= 1
        pid = read_pid(path)
        is_held_by_the_living = pid is not None and is_alive(pid)
        if left <= 0 and (is_held_by_the_living or time.monotonic() > deadline):
            return
        time.sleep(_POLL_SECONDS)


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
