"""The HTTP face on a private unix socket: the same commands and rights as every other face."""

import asyncio
import contextlib
import os
import socket
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web

from bot.command.interpreter import Interpreter
from bot.errors import SetupError
from bot.ports import Consoles, Panes
from web.body import MOST_BYTES
from web.identity import Identity, Tokens
from web.problems import answer_problems
from web.routes import Routes

_LONGEST_PATH = 107  # bytes, unix(7)
_GRACE_SECONDS = 2.0
"""How long a call that is under way may go on when the daemon stops."""


class ApiPart:
    """Serves the API while it runs, in an 0700 directory, on a socket of mode 0600.

    Run it only while the daemon's lock is held: a socket that is there already is then a dead daemon's, and
    it is removed. ``shutdown`` is called with whether the agents are kept.
    """

    name = "api"

    def __init__(
        self,
        path: Path,
        interpreter: Interpreter,
        *,
        panes: Panes | None,
        consoles: Consoles | None,
        status: Callable[[], Mapping[str, Any]],
        shutdown: Callable[[bool], None],
        tokens: Tokens,
    ) -> None:
        self._path = path
        self._routes = Routes(Identity(panes, tokens), interpreter, consoles, status, shutdown)
        self._log = structlog.get_logger(part=self.name)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Serve until cancelled; SetupError when the socket cannot be made."""
        application = web.Application(middlewares=[answer_problems], client_max_size=MOST_BYTES)
        self._routes.add_to(application)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=_GRACE_SECONDS)
        await runner.setup()
        try:
            with _listening(self._path) as listening:
                await web.SockSite(runner, listening).start()
                ready(f"listening on {self._path}")
                self._log.info("listening", path=str(self._path))
                await asyncio.Event().wait()
        finally:
            await runner.cleanup()


@contextlib.contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    """Hold the socket; take its name away first of all, so that nobody new comes while calls finish."""
    bound = bind_private(path)
    try:
        yield bound
    finally:
        path.unlink(missing_ok=True)


def bind_private(path: Path) -> socket.socket:
    """Return a unix socket bound to ``path`` that only this user can reach.

    Raises SetupError for a path that is too long, a directory that others can enter, or a file in the way.
    """
    size = len(os.fsencode(path))
    if size > _LONGEST_PATH:
        raise SetupError(
            f"the socket's path {path} has {size} bytes; at most {_LONGEST_PATH} are possible",
            hint="choose a MOSAIC_HOME with a shorter path",
        )
    _check_directory(path.parent)
    _remove_stale(path)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        bound.bind(os.fspath(path))
    except OSError as error:
        bound.close()
        raise SetupError(f"the socket {path} cannot be made: {error.strerror}") from error
    finally:
        os.umask(before)
    bound.setblocking(False)  # noqa: FBT003
    return bound


def _check_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = directory.stat()
    except OSError as error:
        raise SetupError(f"{directory} cannot be made: {error.strerror}") from error
    if stat.S_IMODE(facts.st_mode) & 0o077 or facts.st_uid != os.geteuid():
        raise SetupError(
            f"{directory} can be entered by others: mode {stat.S_IMODE(facts.st_mode):04o},"
            f" owner {facts.st_uid}",
            hint=f"chmod 700 {directory}",
        )


def _remove_stale(path: Path) -> None:
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(facts.st_mode):
        raise SetupError(f"{path} is in the way: it is not a socket", hint=f"remove {path}")
    path.unlink()
