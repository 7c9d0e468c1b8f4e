"""Pauses as a pure model: what the port means, without a database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.model import Principal
from bot.supervision.pause import Pause, file_principal


@dataclass(slots=True)
class Row:
    """A pause as it stands, or stood."""

    pause: Pause
    host: str | None = None
    stamp: str | None = None
    lifted_by: str | None = None


class MemoryPauses:
    """The port Pauses over a list."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._rows: list[Row] = []

    def strictest(self, *, work: bool = True) -> Pause | None:
        """Return what stands; without ``work`` a freeze only."""
        standing = [row.pause for row in self._standing() if work or row.pause.freeze]
        return min(standing, key=lambda one: not one.freeze, default=None)

    async def current(self) -> Pause | None:
        return self.strictest()

    async def pause(self, by: Principal, reason: str | None, *, freeze: bool) -> Pause:
        said = (by.id, reason, freeze, None)
        if said not in [
            (row.pause.by, row.pause.reason, row.pause.freeze, row.host) for row in self._standing()
        ]:
            self._rows.append(Row(Pause(by.id, reason, self._now(), freeze, by.name)))
        found = self.strictest()
        assert found is not None
        return found

    async def resume(self, by: Principal) -> Pause | None:
        found = self.strictest()
        for row in self._standing():
            row.lifted_by = by.id
        return found

    async def mirror(self, host: str, stamp: str | None, reason: str | None) -> bool:
        by = file_principal(host)
        standing = [row for row in self._standing() if row.host == host]
        if stamp is None:
            for row in standing:
                row.lifted_by = by.id
            return False
        known = [row for row in self._rows if (row.host, row.stamp) == (host, stamp)]
        if known and known[-1].lifted_by != by.id:
            return known[-1].lifted_by is not None
        since = standing[0].pause.since if standing else self._now()
        pause = Pause(by.id, reason, since, name=by.name)
        if standing:
            standing[0].pause, standing[0].stamp = pause, stamp
        else:
            self._rows.append(Row(pause, host, stamp))
        return False

    def _standing(self) -> list[Row]:
        return [row for row in self._rows if row.lifted_by is None]
