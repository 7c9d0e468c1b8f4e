"""Starts the daemon apart from this terminal, and waits until every part has had its first try."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.cli.client import Client, NotRunning
from bot.cli.output import visible
from bot.config.places import Places
from bot.errors import MosaicError, TransientError, UserError
from bot.lock import holder

_POLL_SECONDS = 0.05
_ASK_SECONDS = 5.0
_SHOWN_LINES = 12

Report = Callable[[str, Mapping[str, Any]], None]
"""Called with a part's name and status whenever its state is new."""


class BackgroundStart:
    """One start of the daemon in a session of its own, its output in the log."""

    def __init__(self, places: Places, environ: Mapping[str, str]) -> None:
        self._places = places
        self._environ = dict(environ) | {"MOSAIC_HOME": str(places.home)}
        self._log_start = 0
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self, flags: Sequence[str]) -> None:
        """Start it; UserError with the code ``already_running`` when one runs in this home."""
        running = holder(self._places.lock_file)
        if running is not None:
            raise UserError(
                f"the daemon is already running with pid {running}",
                code="already_running",
                hint="`mosaic status` shows it, `mosaic down` stops it",
            )
        self._places.prepare()
        log = os.open(self._places.log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._log_start = os.fstat(log).st_size
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "bot", "up", *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._places.home,
                env=self._environ,
                start_new_session=True,
            )
        finally:
            os.close(log)

    def wait(self, report: Report, seconds: float) -> dict[str, Any]:
        """Return the daemon's status once it is running; ``report`` hears of every part on the way.

        Raises UserError with the end of the log when it ends before, or is not ready within ``seconds``.
        """
        client = Client(str(self._places.api_socket))
        deadline = time.monotonic() + seconds
        told: dict[str, str] = {}
        while time.monotonic() < deadline:
            status = self._ask(client)
            if status is not None:
                _tell(status, told, report)
                if status["state"] != "starting":
                    return status
            self._check_alive()
            time.sleep(_POLL_SECONDS)
        raise UserError(
            f"the daemon is not ready after {seconds:g} s; it goes on starting",
            hint="`mosaic status` shows how far it is",
        )

    def interrupt(self) -> None:
        """Stop what was begun, agents included, as Ctrl-C in its own terminal would."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()

    def _ask(self, client: Client) -> dict[str, Any] | None:
        try:
            status = client.call("GET", "/v1/status", seconds=_ASK_SECONDS)
        except (NotRunning, TransientError):
            return None
        ours = self._process is not None and status.get("pid") == self._process.pid
        return status if ours else None

    def _check_alive(self) -> None:
        code = None if self._process is None else self._process.poll()
        if code is None:
            return
        lines = log_lines(self._places.log_file, self._log_start)[-_SHOWN_LINES:]
        said = "\n".join(lines) or "it wrote nothing to its log"
        raise MosaicError(
            f"the daemon did not start (exit status {code}):\n{said}",
            hint=f"the whole log is {self._places.log_file}; `mosaic doctor` looks for causes",
        )


def _tell(status: Mapping[str, Any], told: dict[str, str], report: Report) -> None:
    for name, part in status.get("parts", {}).items():
        if told.get(name) != part["state"]:
            told[name] = part["state"]
            report(name, part)


def log_lines(path: Path, start: int = 0) -> list[str]:
    """Return the log's lines from byte ``start`` on, for people to read."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            raw = file.read()
    except FileNotFoundError:
        return []
    return [readable(line) for line in raw.decode("utf-8", "replace").splitlines() if line.strip()]


def readable(line: str) -> str:
    """Return one line of the log for people: its facts in words, control characters made visible."""
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict):
        return visible(line)
    facts = " ".join(
        f"{key}={value}"
        for key, value in entry.items()
        if key not in {"at", "level", "part", "event"}
    )
    clock = str(entry.get("at", ""))[11:19]
    head = f"{clock} {entry.get('level', '')} {entry.get('part', '')}: {entry.get('event', '')}"
    return visible(f"{head} {facts}".strip())
