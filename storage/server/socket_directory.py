"""Where the embedded server's socket stands: private, and short enough for the kernel."""

import hashlib
import os
import stat
from pathlib import Path

from bot.errors import SetupError

_LONGEST = 100  # bytes; the kernel's own bound is 107 (unix(7)), and lock files add to the name
_SOCKET = ".s.PGSQL.5432"


def choose(data: Path, short: Path) -> Path:
    """Return ``data/run``, or a directory under ``short`` named after ``data`` when that is too long.

    The choice is the same at every start, so a server that outlived us is found again.
    """
    near = data / "run"
    if _fits(near):
        return near
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    far = short / f"mosaic-postgres-{os.geteuid()}-{digest}"
    if _fits(far):
        return far
    raise SetupError(
        f"no place for the database's socket: {near} and {far} are longer than {_LONGEST} bytes",
        hint="choose a shorter MOSAIC_HOME",
    )


def make(directory: Path) -> None:
    """Make the directory with mode 0700; SetupError when somebody else made or opened it."""
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if not private or stat.S_IMODE(found.st_mode) & 0o077:
        raise SetupError(
            f"{directory} is not a directory of ours alone",
            hint="look at what made it, then remove it",
        )


def clear(directory: Path) -> None:
    """Remove what a server leaves there; only its owner may, and only when that server is gone."""
    for name in (_SOCKET, f"{_SOCKET}.lock"):
        (directory / name).unlink(missing_ok=True)


def remove(directory: Path) -> None:
    """Remove the directory with what a server leaves in it."""
    if directory.is_dir():
        clear(directory)
        directory.rmdir()


def _fits(directory: Path) -> bool:
    return len(os.fsencode(directory / _SOCKET)) <= _LONGEST
