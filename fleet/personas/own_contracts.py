"""A person's own contracts, looked at while the daemon runs: what each was written against, and which cannot be used."""

import os
from collections.abc import Callable

import structlog

from bot.config.places import Places
from bot.errors import UserError
from fleet.personas.baselines import Baselines
from fleet.personas.persona import refusals

Stamps = frozenset[tuple[str, int, int]]


class OwnContracts:
    """``refusals`` is what is wrong now, a line each; ``tell`` hears each once when it comes up."""

    def __init__(self, places: Places, tell: Callable[[str], None]) -> None:
        self._places = places
        self._tell = tell
        self._baselines = Baselines(places)
        self._judged: Stamps | None = None
        self._last: Stamps | None = None
        self.refusals: tuple[str, ...] = ()

    def begin(self) -> None:
        """Look for the first time: files may have come and gone while nobody looked."""
        self._baselines.forget()
        self._last = self._stamps()
        self.look()

    def look(self) -> None:
        """Look again; files that change just now are judged at the next look, when they are written to their end."""
        stamps = self._stamps()
        if stamps == self._judged:
            return
        if stamps != self._last:
            self._last = stamps
            return
        self._judged = stamps
        self._judge()

    def _judge(self) -> None:
        try:
            self._baselines.note()
        except UserError as error:
            structlog.get_logger(part="fleet").warning("baseline not kept", reason=error.message)
        before, self.refusals = self.refusals, tuple(refusals(self._places))
        for line in self.refusals:
            if line not in before:
                self._tell(f"A contract of yours is not used: {line}")

    def _stamps(self) -> Stamps:
        try:
            with os.scandir(self._places.local_roles_directory) as entries:
                return frozenset(_stamp(one) for one in entries if one.name.endswith(".md"))
        except OSError:
            return frozenset()


def _stamp(entry: os.DirEntry[str]) -> tuple[str, int, int]:
    try:
        facts = entry.stat()
    except OSError:
        return (entry.name, 0, 0)  # a link that leads nowhere, or it vanished
    return (entry.name, facts.st_mtime_ns, facts.st_size)
