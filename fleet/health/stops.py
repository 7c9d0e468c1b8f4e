"""Who was stopped on purpose: a file beside the heartbeat, so that nothing starts it again by itself.

It outlives daemons and machines. Only an explicit start takes it away, the roster when it names the agent no
more, and the end of the whole fleet.
"""

from collections.abc import Collection
from pathlib import Path

from bot.config.places import Places

PERSON = "a person"
UNIT = "its unit"
"""Who stops agents. A unit of systemd stops its agent at every shutdown, and starts it at the next boot."""


class Stops:
    """The marks of one host's agents."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def note(self, name: str, by: str) -> None:
        """Write down who stopped an agent."""
        self._places.stopped_file(name).write_text(f"{by}\n", encoding="utf-8")

    def by(self, name: str) -> str | None:
        """Return who stopped an agent, None when nobody did."""
        return read_stop(self._places.stopped_file(name))

    def lift(self, name: str, by: str | None = None) -> None:
        """Take an agent's mark away: whoever made it, or only one made ``by`` somebody."""
        if by is None or self.by(name) == by:
            self._places.stopped_file(name).unlink(missing_ok=True)

    def keep(self, names: Collection[str]) -> None:
        """Take away the marks of everybody else."""
        for path in self._places.heartbeat_directory.glob("*.stopped"):
            if path.stem not in names:
                path.unlink(missing_ok=True)


def read_stop(path: Path) -> str | None:
    """Return what a mark says, None when there is none; one that a person made with ``touch`` is theirs."""
    try:
        said = path.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None
    return UNIT if said == UNIT else PERSON
