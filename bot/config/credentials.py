"""Secrets: taken from the environment or from files it names, and kept out of everything we write.

A variable ``X`` may be given as ``X_FILE``, the path of a file that only its owner can read; what a set-up was told
is kept in such a file below the home.
"""

import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from bot.errors import SetupError

NAMES = (
    "MATRIX_ACCESS_TOKEN",
    "MATRIX_DEVICE_ID",
    "MATRIX_PICKLE_KEY",
    "DISCORD_BOT_TOKEN",
    "DATABASE_URL",
)
"""The variables that the daemon itself reads."""

REDACTED = "[redacted]"

_PUBLIC = frozenset({"MATRIX_DEVICE_ID"})
_SECRET_NAME = re.compile(r"(TOKEN|SECRET|PASSWORD|PASSWD|API_KEY|PICKLE_KEY|PRIVATE_KEY)$")
_URL_PASSWORD = re.compile(r"(://[^/\s:@]*):([^/\s@]+)@")
_SHORTEST = 6


class Credentials:
    """The secrets of one installation.

    A value is read when it is asked for, so that a part that is tried again sees a file that a person has
    mended. ``repr`` shows names only. ``redact`` knows every value that was read here, and every variable
    of the environment whose name says that it is secret. In the directory ``kept`` lie those that a set-up
    wrote down, each in a file of its own; the environment wins.
    """

    def __init__(self, environ: Mapping[str, str], kept: Path | None = None) -> None:
        self._environ = dict(environ)
        self._kept = kept
        self._values: set[str] = set()
        for name, value in environ.items():
            if _SECRET_NAME.search(name):
                self._remember(value)

    def __repr__(self) -> str:
        given = [n for n in NAMES if n in self._environ or f"{n}_FILE" in self._environ]
        return f"Credentials({', '.join(given)})"

    def get(self, name: str) -> str | None:
        """Return a secret, None when it is not given.

        Raises SetupError when it is given twice, is empty, or its file is missing, unreadable or open to others.
        """
        direct, path = self._environ.get(name), self._environ.get(f"{name}_FILE")
        if direct and path:
            raise SetupError(f"{name} and {name}_FILE are both set; unset one of them")
        value = direct or (_read_private(f"{name}_FILE", Path(path)) if path else self._read(name))
        if value and name not in _PUBLIC:
            self._remember(value)
        return value or None

    def _read(self, name: str) -> str | None:
        file = None if self._kept is None else kept_file(self._kept, name)
        return None if file is None or not file.exists() else _read_private(name, file)

    def require(self, name: str) -> str:
        """Return a secret; SetupError when it is not given."""
        value = self.get(name)
        if value is None:
            raise SetupError(f"{name} is not set", hint=f"set {name}, or {name}_FILE to its file")
        return value

    def redact(self, text: str) -> str:
        """Return the text with every known secret replaced, and every password in a URL."""
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, REDACTED)
        return _URL_PASSWORD.sub(rf"\1:{REDACTED}@", text)

    def _remember(self, value: str) -> None:
        value = value.strip()
        if len(value) < _SHORTEST:  # would blot out ordinary words
            return
        self._values |= {value, quote(value, safe=""), json.dumps(value)[1:-1], repr(value)[1:-1]}


def kept_file(kept: Path, name: str) -> Path:
    """Return where a set-up keeps a secret; the file must be readable by its owner alone."""
    return kept / name.lower()


def _read_private(variable: str, path: Path) -> str:
    try:
        facts = path.stat()
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SetupError(f"{variable}: {path} cannot be read: {reason}") from error
    # A secret that a container or a service manager mounts belongs to root and may be read by our group.
    forbidden = 0o077 if facts.st_uid == os.getuid() else 0o007
    mode = stat.S_IMODE(facts.st_mode)
    if mode & forbidden:
        raise SetupError(
            f"{variable}: {path} has mode {mode:04o} and others can read it; allowed is 0600",
            hint=f"chmod 600 {path}",
        )
    value = text.strip()
    if not value:
        raise SetupError(f"{variable}: {path} is empty")
    return value
