"""The lookout: reads agents' screens, beats for runtimes that cannot beat themselves, and calls out dialogs.

A beat says what was positively read on the screen while the program ran and was not held. It is no more than
that: a program that draws its prompt and hangs behind it is found by the delivery that it does not take.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from bot.errors import SetupError
from fleet.health.heartbeat import Heartbeat, write_heartbeat
from fleet.host import processes
from fleet.host.local import Door, LocalFleet
from fleet.readers import read_screen
from fleet.tmux.panes import Pane
from fleet.tmux.screen import Reading, Screen, ScreenState, screen_of
from fleet.watch.announcements import UNTITLED, Dialog

_LOOK = timedelta(seconds=2)
_SAID = {
    ScreenState.PROMPT: "prompt",
    ScreenState.DRAFT: "draft",
    ScreenState.BUSY: "busy",
    ScreenState.QUEUED: "busy",
    ScreenState.BLOCKED: "blocked",
}
_DIALOG_ROWS = 12
_UNSURE = frozenset({"generic"})
"""Readers whose prompt is a guess and no word of the runtime itself."""


@dataclass(frozen=True, slots=True)
class _Sight:
    """How an agent was last seen; the same ``pane`` again means that nothing was drawn since."""

    pane: Pane
    reading: Reading
    rows: tuple[str, ...]
    since: datetime
    beaten_at: datetime | None = None

    @property
    def mood(self) -> tuple[object, ...]:
        """What is the same for as long as nothing of note happens: a second dialog is another one."""
        state = self.reading.state
        blocked = state is ScreenState.BLOCKED
        return (state, [row for row in self.rows if row][-_DIALOG_ROWS:] if blocked else None)


class Lookout:
    """The part ``lookout``.

    ``call_out`` hears once of every dialog that opens, ``seen`` at each look who runs, ``looked`` the names of all
    agents here that show one: after the first look, and whenever they have changed.
    """

    name = "lookout"

    def __init__(
        self,
        fleet: LocalFleet,
        call_out: Callable[[Dialog], None],
        interval: timedelta = timedelta(seconds=15),
        seen: Callable[[Sequence[Door]], None] = lambda _: None,
        looked: Callable[[frozenset[str]], None] = lambda _: None,
    ) -> None:
        self._fleet = fleet
        self._seen = seen
        self._call_out = call_out
        self._interval = interval
        self._looked = looked
        self._blocked: frozenset[str] | None = None
        self._sights: dict[str, _Sight] = {}
        self._log = structlog.get_logger(part=self.name)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Look until cancelled; TransientError when tmux does not answer."""
        ready("reading agents' screens")
        while True:
            await self.look()
            await asyncio.sleep(_LOOK.total_seconds())

    async def look(self) -> None:
        """Look at every agent of this host once: two batches for each socket, whatever their number."""
        try:
            doors = await self._fleet.doors()
        except SetupError:
            return  # no roster, or no tmux: the fleet's own part says so
        self._seen(doors)
        now = datetime.now(UTC)
        for door, text in await self._drawn(doors):
            self._see(door, screen_of(door.pane, text), now)
        running = {door.agent.name for door in doors}
        for name in self._sights.keys() - running:
            del self._sights[name]
        self._report()
        for door in doors:
            await self._beat(door, now)

    def _report(self) -> None:
        blocked = frozenset(
            name
            for name, sight in self._sights.items()
            if sight.reading.state is ScreenState.BLOCKED
        )
        if blocked != self._blocked:
            self._blocked = blocked
            self._looked(blocked)

    async def _drawn(self, doors: Sequence[Door]) -> Sequence[tuple[Door, str]]:
        """Return the doors whose screens were drawn anew, with what stands there now."""
        drawn = [door for door in doors if not self._is_as_before(door)]
        shown: list[tuple[Door, str]] = []
        for terminal in {door.terminal for door in drawn}:
            here = [door for door in drawn if door.terminal is terminal]
            texts = await terminal.screens([door.pane.id for door in here])
            pairs = zip(here, texts, strict=True)
            shown += [(door, text) for door, text in pairs if text is not None]
        return shown

    def _is_as_before(self, door: Door) -> bool:
        sight = self._sights.get(door.agent.name)
        # tmux counts activity in whole seconds: what was drawn in the second of a look may be newer than it.
        if sight is None or sight.pane != door.pane:
            return False
        return datetime.now(UTC).timestamp() - max(door.pane.activity) > _LOOK.total_seconds() + 1

    def _see(self, door: Door, screen: Screen, now: datetime) -> None:
        before = self._sights.get(door.agent.name)
        reading = read_screen(door.runtime.name, screen)
        if reading.state is ScreenState.COPY_MODE and before is not None:
            reading = before.reading  # somebody scrolls: what is below is what was there
        rows = tuple(row.rstrip() for row in screen.rows)
        sight = _Sight(door.pane, reading, rows, now)
        same = before is not None and before.mood == sight.mood
        if before is not None and same:
            sight = replace(sight, since=before.since, beaten_at=before.beaten_at)
        self._sights[door.agent.name] = sight
        if reading.state is ScreenState.BLOCKED and not same:
            title = reading.dialog or UNTITLED
            self._log.warning("dialog open", agent=door.agent.name, dialog=title)
            self._call_out(Dialog(door.agent.name, title, rows, now))

    async def _beat(self, door: Door, now: datetime) -> None:
        sight = self._sights.get(door.agent.name)
        if sight is None or door.beats_itself:
            return
        if sight.beaten_at is not None and now - sight.beaten_at < self._interval:
            return
        process = await asyncio.to_thread(processes.find, door.pane.pid)
        if process is None or process.stopped:
            return
        state, evidence = _word(sight) if door.is_told else ("busy", "is being told who it is")
        path = self._fleet.places.heartbeat_file(door.agent.name)
        beat = Heartbeat(now, door.pane.pid, door.pane.launch, state, evidence)
        await asyncio.to_thread(write_heartbeat, path, beat)
        if door.is_told:  # else the next look says more
            self._sights[door.agent.name] = replace(sight, beaten_at=now)


def _word(sight: _Sight) -> tuple[str, str]:
    """Return a beat's state and evidence: what the screen says for sure, else that it says nothing."""
    reading, since = sight.reading, sight.since.strftime("%H:%M:%S UTC")
    state = _SAID.get(reading.state, "unknown")
    if state == "blocked":
        return state, f"dialog since {since}: {reading.dialog}"
    if state == "unknown" or reading.reader in _UNSURE:
        return "unknown", f"its screen says nothing for sure since {since}"
    return state, f"{reading.state.value} on its screen since {since}"
