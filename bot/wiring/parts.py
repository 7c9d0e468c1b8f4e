"""Keeps the daemon's parts alive: opened in order, restarted each on its own, closed in reverse."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from bot.clock.backoff import Backoff
from bot.clock.together import until_one_ends
from bot.errors import SetupError, TransientError
from bot.part_status import PartState, PartStatus
from bot.ports import Part
from bot.problem import problem_of

_SOON = Backoff(timedelta(milliseconds=200), timedelta(seconds=15))
_RARELY = Backoff(timedelta(seconds=5), timedelta(seconds=30))
_PATIENCE = timedelta(seconds=20)
"""How long a part may take to open before the next one is opened beside it."""

_SOUND = timedelta(minutes=1)
"""A part that worked this long starts its back-off anew."""


class Parts:
    """Supervises parts; one that fails is reported, and tried again, while the others go on.

    ``changed`` is called after every change of a part's status.
    """

    def __init__(self, parts: Sequence[Part], changed: Callable[[str, PartStatus], None]) -> None:
        self._parts = list(parts)
        self._changed = changed
        self._status: dict[str, PartStatus] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._tried: dict[str, asyncio.Event] = {}
        self._group: asyncio.TaskGroup | None = None
        self._log = structlog.get_logger(part="parts")

    @property
    def status(self) -> Mapping[str, PartStatus]:
        """Every part that was opened, in that order, with how it is."""
        return dict(self._status)

    def add(self, part: Part) -> None:
        """Open one more part while the others run; one with a name that is there already is left out."""
        if self._group is None or any(part.name == known.name for known in self._parts):
            return
        self._parts.append(part)
        self._start(self._group, part)

    def trouble(self, name: str, detail: str, state: PartState) -> None:
        """Report that a part goes on, but cannot do all its work now: the other side is away, or a person must act."""
        self._set(name, state, detail)

    async def run(self, opened: Callable[[], None], stopping: asyncio.Event) -> None:
        """Open all parts, call ``opened``, go on until ``stopping`` is set, close in reverse order."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                await until_one_ends(self._open_all(group), stopping.wait())
                if not stopping.is_set():
                    opened()
                    await stopping.wait()
            finally:
                self._group = None
                await self._close_all()

    async def _open_all(self, group: asyncio.TaskGroup) -> None:
        for part in tuple(self._parts):
            tried = self._start(group, part)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE.total_seconds()):
                    await tried.wait()

    def _start(self, group: asyncio.TaskGroup, part: Part) -> asyncio.Event:
        tried = self._tried[part.name] = asyncio.Event()
        self._tasks[part.name] = group.create_task(self._keep(part), name=part.name)
        return tried

    async def _close_all(self) -> None:
        for name, task in reversed(self._tasks.items()):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._log.info("closed", which=name)

    async def _keep(self, part: Part) -> None:
        """Run one part for ever."""
        failures = 0
        while True:
            started_at = datetime.now(UTC)

            def ready(detail: str) -> None:
                self._set(part.name, PartState.OK, detail)

            wait = await self._run_once(part, ready, failures)
            sound = datetime.now(UTC) - started_at > _SOUND
            failures = 1 if sound else failures + 1
            await asyncio.sleep(wait.total_seconds())

    async def _run_once(self, part: Part, ready: Callable[[str], None], failures: int) -> timedelta:
        """Run a part until it ends; return how long to wait before the next start."""
        try:
            await part.run(ready)
        except SetupError as error:
            self._set(part.name, PartState.STOPPED, _sentence(error))
            return _RARELY.wait(failures + 1)
        except TransientError as error:
            self._set(part.name, PartState.RETRYING, _sentence(error))
            return max(_SOON.wait(failures + 1), error.retry_after or timedelta())
        except Exception as error:  # noqa: BLE001 - a bug in one part must not take the others along
            self._set(part.name, PartState.RETRYING, problem_of(error).message)
        else:
            self._set(part.name, PartState.RETRYING, "it ended by itself")
        return _SOON.wait(failures + 1)

    def _set(self, name: str, state: PartState, detail: str) -> None:
        self._tried[name].set()
        known = self._status.get(name)
        if known is not None and (known.state, known.detail) == (state, detail):
            return
        since = known.since if known is not None and known.state is state else datetime.now(UTC)
        status = PartStatus(state, detail, since)
        self._status[name] = status
        log = self._log.info if state is PartState.OK else self._log.warning
        log("part", which=name, state=str(state), detail=detail)
        self._changed(name, status)


def _sentence(error: SetupError | TransientError) -> str:
    return error.message if error.hint is None else f"{error.message} ({error.hint})"
