"""The commands about the daemon itself: up, status, down, restart, logs, chat."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.cli.background import BackgroundStart, log_lines, readable
from bot.cli.client import Client, NotRunning
from bot.cli.extra import install_homeserver
from bot.config.places import Places
from bot.errors import TransientError, UserError
from bot.lock import DaemonLock, holder, is_alive
from bot.render.vitals import part_line

_STATUS_SECONDS = 5.0
_START_SECONDS = 300.0
_FIRST_START_SECONDS = 900.0
"""A local homeserver may have to be installed first."""

_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.05
_SHOWN_LINES = 200


class Lifecycle:
    """What can be done with one home's daemon.

    A method returns the data that ``--json`` prints, or raises a MosaicError; what is shown on the way goes
    to standard output, unless it is to be quiet.
    """

    def __init__(self, places: Places, client: Client, environ: Mapping[str, str]) -> None:
        self._places = places
        self._client = client
        self._environ = environ

    def up(self, flags: set[str]) -> int:
        """Run the daemon here until it is stopped; return its exit status."""
        from bot.app import Options
        from bot.cli.daemon import run_daemon

        if "--with-homeserver" in flags:
            install_homeserver(print)
        options = Options(with_homeserver="--with-homeserver" in flags)
        return asyncio.run(run_daemon(self._places, self._environ, options))

    def up_detached(self, flags: set[str], *, quiet: bool) -> dict[str, Any]:
        """Start the daemon in the background, show its parts as they come, return its status when ready."""
        passed = sorted(flags & {"--with-homeserver"})
        if passed:
            install_homeserver(_silent if quiet else print)
        start = BackgroundStart(self._places, self._environ)
        start.begin(passed)
        try:
            status = start.wait(
                lambda name, part: None if quiet else print(part_line(name, part), flush=True),
                _FIRST_START_SECONDS if passed else _START_SECONDS,
            )
        except KeyboardInterrupt:
            start.interrupt()
            raise
        if not quiet:
            print(f"The daemon is {status['state']} with pid {status['pid']}.")
            if passed:
                self._print_login()
        return status

    def _print_login(self) -> None:
        """Say how a person logs in; nobody else sees it, since it holds the password."""
        from connectors.matrix.homeserver.accounts import load_accounts
        from connectors.matrix.homeserver.part import ACCOUNTS_FILE, login_lines

        accounts = load_accounts(self._places.homeserver_directory / ACCOUNTS_FILE)
        if accounts is not None:
            print("\nLog in with any Matrix client:")
            for line in login_lines(accounts):
                print(f"  {line}")

    def status(self) -> dict[str, Any]:
        """Return how the daemon is."""
        return self._client.call("GET", "/v1/status", seconds=_STATUS_SECONDS)

    def down(self, *, keep_agents: bool) -> dict[str, Any]:
        """Stop the daemon and wait until pid, socket and lock are gone.

        Raises NotRunning when nothing runs (what a dead one left is removed), UserError that names what remains.
        """
        pid = self._pid()
        if pid is None:
            self._remove_remains()
            raise NotRunning
        try:
            self._client.call(
                "POST", "/v1/stop", {"keep_agents": keep_agents}, seconds=_STATUS_SECONDS
            )
        except (NotRunning, TransientError):
            os.kill(pid, signal.SIGTERM if keep_agents else signal.SIGINT)
        self._wait_until_gone(pid)
        self._remove_remains()
        return {"stopped": pid, "keep_agents": keep_agents}

    def restart(self, *, quiet: bool) -> dict[str, Any]:
        """Stop the daemon if it runs, leave the agents, start it again as it was."""
        flags: set[str] = set()
        with contextlib.suppress(NotRunning, TransientError):
            if "homeserver" in self.status()["parts"]:
                flags.add("--with-homeserver")
        with contextlib.suppress(NotRunning):
            self.down(keep_agents=True)
        return self.up_detached(flags, quiet=quiet)

    def chat(self, flags: set[str], commands: Sequence[tuple[str, str]]) -> int:
        """Open the operator's console, which completes ``commands``; return its exit status."""
        from connectors.tmux.console import FAREWELL, run_console

        self.status()
        ends = "--down-on-exit" in flags
        try:
            return asyncio.run(
                run_console(
                    self._places.api_socket,
                    self._places.console_history_file,
                    commands=commands,
                    farewell="Stopping the daemon and its agents." if ends else FAREWELL,
                )
            )
        finally:
            if ends:
                self.down(keep_agents=False)

    def logs(self, *, follow: bool) -> list[str]:
        """Return the end of the log as lines; with ``follow`` print it and go on until Ctrl-C."""
        lines = log_lines(self._places.log_file)[-_SHOWN_LINES:]
        if follow:
            for line in lines:
                print(line)
            _follow(self._places.log_file)
        return lines

    def log_entries(self) -> list[Any]:
        """Return the end of the log as data; a line that is no JSON object is its text."""
        raw = self._places.log_file.read_text("utf-8", "replace") if self._log_exists() else ""
        return [_entry(line) for line in raw.splitlines()[-_SHOWN_LINES:]]

    def _log_exists(self) -> bool:
        return self._places.log_file.exists()

    def _pid(self) -> int | None:
        held = holder(self._places.lock_file)
        if held is not None:
            return held
        try:
            return int(self.status()["pid"])  # another home's socket, by an agent's file
        except NotRunning:
            return None

    def _remove_remains(self) -> None:
        if not self._places.lock_file.exists() and not self._places.api_socket.exists():
            return
        lock = DaemonLock(self._places.lock_file)
        with contextlib.suppress(UserError):  # the next daemon has it already: nothing remains
            lock.acquire()
            self._places.api_socket.unlink(missing_ok=True)
            lock.release()

    def _wait_until_gone(self, pid: int) -> None:
        deadline = time.monotonic() + _STOP_SECONDS
        while remaining := self._remaining(pid):
            if time.monotonic() > deadline:
                raise UserError(
                    f"{', '.join(remaining)} still there after {_STOP_SECONDS:g} s",
                    hint=f"`mosaic logs` may say why; `kill {pid}` asks once more",
                )
            time.sleep(_POLL_SECONDS)

    def _remaining(self, pid: int) -> list[str]:
        if not is_alive(pid):
            return []
        paths = (self._places.api_socket, self._places.lock_file)
        return [f"pid {pid}", *(str(path) for path in paths if path.exists())]


def _entry(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return line


def _follow(path: Path) -> None:
    """Print what is added to a file until Ctrl-C; a file that was turned over is read from its beginning."""
    while not path.exists():
        time.sleep(0.2)
    position, node = path.stat().st_size, path.stat().st_ino
    while True:
        facts = path.stat() if path.exists() else None
        if facts is not None and (facts.st_ino != node or facts.st_size < position):
            position, node = 0, facts.st_ino
        if facts is None or facts.st_size == position:
            time.sleep(0.2)
            continue
        with path.open("rb") as file:
            file.seek(position)
            added = file.read()
        whole = added[: added.rfind(b"\n") + 1]
        position += len(whole)
        for line in whole.decode("utf-8", "replace").splitlines():
            print(readable(line))
        sys.stdout.flush()


def _silent(_line: str) -> None:
    """Show nothing: the answer is JSON."""
