"""One life of the daemon: from its start until somebody ends it, and what is said of it meanwhile."""

import asyncio
import os
import signal
import time
import uuid
from collections.abc import Mapping
from typing import Any

import structlog

from bot import __version__
from bot.part_status import PartStatus
from bot.render.vitals import part_data
from bot.supervision.pause import Pause, pause_data


class Life:
    """``token`` tells it from every other life, ``ending`` is set when it is to end.

    SIGINT ends it with its agents, SIGTERM without.
    """

    def __init__(self, host: str) -> None:
        self.token = uuid.uuid4().hex
        self.ending = asyncio.Event()
        self.keeps_agents = True
        self._host = host
        self._began = time.monotonic()
        self._state = "starting"
        self._log = structlog.get_logger(part="daemon")

    def begin(self, home: str) -> None:
        """Listen for signals from now on."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stop, True)  # noqa: FBT003
        loop.add_signal_handler(signal.SIGINT, self.stop, False)  # noqa: FBT003
        self._log.info("starting", pid=os.getpid(), version=__version__, home=home)

    def open(self) -> None:
        """Be told that all parts were opened."""
        self._state = "running"
        self._log.info("ready", seconds=self._uptime())

    def stop(self, keep_agents: bool) -> None:  # noqa: FBT001 - the API's own signature
        """Begin to stop; the first word on the agents counts."""
        if not self.ending.is_set():
            self.keeps_agents = keep_agents
            self.ending.set()

    def end(self) -> None:
        """Be told that everything is closed."""
        self._log.info("stopped", kept_agents=self.keeps_agents)

    def status(self, pause: Pause | None, parts: Mapping[str, PartStatus]) -> dict[str, Any]:
        """Return what ``mosaic status --json`` prints (spec 3-contracts)."""
        return {
            "state": "stopping" if self.ending.is_set() else self._state,
            "pid": os.getpid(),
            "version": __version__,
            "host": self._host,
            "uptime_seconds": self._uptime(),
            "paused": pause_data(pause),
            "parts": {name: part_data(status) for name, status in parts.items()},
        }

    def _uptime(self) -> float:
        return round(time.monotonic() - self._began, 3)
