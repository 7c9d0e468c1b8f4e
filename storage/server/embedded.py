"""The embedded PostgreSQL server: made, started or adopted, watched and stopped (spec 5-real-parts).

<data>/cluster      the server's data        <data>/run       its socket, or a short place elsewhere
<data>/server.log   what it says             <data>/owner.lock  held by the one process that may touch it
"""

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import asyncpg

from bot.errors import SetupError, TransientError
from storage.database import Target
from storage.server import socket_directory
from storage.server.binaries import OTHERWISE, Binaries, find_binaries
from storage.server.ownership import OwnerLock
from storage.server.postmaster import Postmaster

_SETTINGS = (
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "max_connections=100",
    "shared_buffers=64MB",
    "io_method=sync",  # no idle worker processes
    "jit=off",
    "client_connection_check_interval=1s",  # an orphan's long query must not keep a new server out
    "log_min_messages=warning",
    "timezone=UTC",
    "log_timezone=UTC",
)
_INITDB = (
    "--username=mosaic",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)
_LARGEST_LOG = 5_000_000
_POLL = 0.01  # seconds between two tries to connect


@dataclass(frozen=True, slots=True)
class Started:
    """A server that answers: where, which version, and how it came to run."""

    target: Target
    version: str
    how: str
    seconds: float

    def __str__(self) -> str:
        return f"embedded PostgreSQL {self.version}, {self.how} {self.seconds:.1f} s"


class EmbeddedServer:
    """One PostgreSQL server for one data directory, reached over a unix socket only.

    ``short_directory`` is where the socket goes when the data directory's path is too long for one.
    ``binaries`` are those of the wheel unless given. All methods belong to one task.
    """

    def __init__(
        self,
        data: Path,
        *,
        binaries: Binaries | None = None,
        start_timeout: timedelta = timedelta(minutes=5),
        short_directory: Path = Path("/tmp"),  # noqa: S108 - made private and checked below
    ) -> None:
        self._data = data.absolute()
        self._cluster = self._data / "cluster"
        self._log = self._data / "server.log"
        self._binaries = binaries
        self._start_timeout = start_timeout
        self._short = short_directory
        self._lock = OwnerLock(self._data / "owner.lock")
        self._postmaster: Postmaster | None = None

    @property
    def pid(self) -> int | None:
        """The server's process, None while there is none."""
        return self._postmaster.pid if self._postmaster is not None else None

    async def start(self) -> Started:
        """Make the server run and answer; a second call repairs what a crash left.

        TransientError when another process owns the data or the server did not answer in time;
        SetupError when it cannot run here.
        """
        begun = time.monotonic()
        directory = self._own()
        binaries = self._binaries or find_binaries()
        how = "warm start"
        if not (self._cluster / "PG_VERSION").exists():
            await self._initialize(binaries)
            how = "first start"
        ours = self._postmaster
        if await self._adopt(directory):
            how = "reconnected" if self._postmaster is ours else "adopted"
        else:
            await self._spawn(binaries, directory)
        target = Target(socket_directory=directory)
        version = await _prepare_database(target)
        if directory.parent != self._data:
            how = f"socket in {directory}, {how}"
        return Started(target, version, how, time.monotonic() - begun)

    async def died(self) -> None:
        """Return when the server's main process has ended; ``start`` then starts it anew."""
        if self._postmaster is not None:
            await self._postmaster.exited()

    async def stop(self) -> None:
        """Stop the server and leave no process, socket or lock."""
        if not self._lock.held:
            return
        try:
            if self._postmaster is not None:
                await self._postmaster.stop()
                self._drop()
            socket_directory.remove(self._socket_directory())
        finally:
            self._lock.release()

    def abandon(self) -> None:
        """Let go of the server but leave it running, as a crash of ours would."""
        self._drop()
        self._lock.release()

    def _drop(self) -> None:
        if self._postmaster is not None:
            self._postmaster.forget()
            self._postmaster = None

    def _socket_directory(self) -> Path:
        return socket_directory.choose(self._data, self._short)

    def _own(self) -> Path:
        directory = self._socket_directory()
        try:
            self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.take()
            socket_directory.make(directory)
        except OSError as error:
            raise SetupError(f"no place for the database: {error}") from error
        return directory

    async def _initialize(self, binaries: Binaries) -> None:
        for leftover in self._data.glob("new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        # Made aside and renamed: a crash half-way leaves nothing that looks like a cluster.
        fresh = Path(tempfile.mkdtemp(prefix="new-", dir=self._data))
        with _programs():
            process = await asyncio.create_subprocess_exec(
                *binaries.command("initdb", [*_INITDB, f"--pgdata={fresh}"]),
                env=binaries.environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise _unusable("initdb", output.decode("utf-8", "replace"))
        os.rename(fresh, self._cluster)  # noqa: PTH104 - one call, and nobody else is here

    async def _adopt(self, directory: Path) -> bool:
        """Take over a server that outlived its owner, or see it off; false when there is none to use."""
        if self._postmaster is not None and not self._postmaster.alive:
            self._drop()
        postmaster = self._postmaster or Postmaster.running(self._cluster)
        if postmaster is None:
            return False
        self._postmaster = postmaster
        deadline = time.monotonic() + min(60, self._start_timeout.total_seconds())
        while postmaster.alive and time.monotonic() < deadline:
            if await _answers(Target(socket_directory=directory, database="postgres")):
                return True
            await asyncio.sleep(_POLL)
        await postmaster.stop()
        self._drop()
        return False

    async def _spawn(self, binaries: Binaries, directory: Path) -> None:
        deadline = time.monotonic() + self._start_timeout.total_seconds()
        pause = _POLL
        while True:
            said_before = self._sweep(directory)
            self._postmaster = self._launch(binaries, directory)
            if await self._wait_until_it_answers(self._postmaster, directory, deadline):
                return
            self._drop()
            said = self._said(said_before)
            if time.monotonic() > deadline:
                raise TransientError(f"PostgreSQL did not start in time: {_last_line(said)}")
            if not _may_pass(said):
                raise _unusable("postgres", said)
            if await self._adopt(directory):
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, 1.0)

    def _sweep(self, directory: Path) -> int:
        """Remove what a dead server left; return how long the log is.

        Under our lock only, and only when no server of ours lives.
        """
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        socket_directory.clear(directory)
        size = self._log.stat().st_size if self._log.exists() else 0
        if size > _LARGEST_LOG:
            self._log.replace(self._log.with_suffix(".log.1"))
            return 0
        return size

    def _launch(self, binaries: Binaries, directory: Path) -> Postmaster:
        arguments = ["-D", str(self._cluster), "-k", str(directory)]
        for setting in _SETTINGS:
            arguments += ["-c", setting]
        descriptor = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as log, _programs():
            command = binaries.command("postgres", arguments)
            return Postmaster.spawn(command, binaries.environment(), log)

    async def _wait_until_it_answers(
        self, postmaster: Postmaster, directory: Path, deadline: float
    ) -> bool:
        target = Target(socket_directory=directory, database="postgres")
        while time.monotonic() < deadline:
            if await _answers(target):
                return True
            if not postmaster.alive:
                return False
            await asyncio.sleep(_POLL)
        await postmaster.stop()
        return False

    def _said(self, offset: int) -> str:
        with self._log.open("rb") as log:
            log.seek(offset)
            return log.read(20_000).decode("utf-8", "replace")


@contextlib.contextmanager
def _programs() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SetupError(f"PostgreSQL cannot be run: {error}", hint=OTHERWISE) from error


async def _answers(target: Target) -> bool:
    try:
        connection = await asyncpg.connect(**target.arguments(), timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    connection.terminate()
    return True


async def _prepare_database(target: Target) -> str:
    """Make our database if it is not there, and return the server's version."""
    place = {**target.arguments(), "database": "postgres"}
    connection = await asyncpg.connect(**place, timeout=60)
    try:
        known = await connection.fetchval(
            "SELECT true FROM pg_database WHERE datname = $1", target.database
        )
        if not known:
            with contextlib.suppress(asyncpg.DuplicateDatabaseError):
                await connection.execute(f'CREATE DATABASE "{target.database}"')
        return str(connection.get_settings().server_version).split()[0]
    finally:
        connection.terminate()


def _may_pass(said: str) -> bool:
    """Whether a start failed only because the last server, or its orphans, still hold on."""
    return any(
        words in said for words in ("still in use", "already exists", "Is another postmaster")
    )


def _unusable(program: str, said: str) -> SetupError:
    if "unshare:" in said:
        return SetupError(
            "PostgreSQL does not run as root, and this machine refuses user namespaces",
            hint=f"run as an ordinary user, or {OTHERWISE}",
        )
    return SetupError(f"{program} cannot run here: {_last_line(said)}", hint=OTHERWISE)


def _last_line(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "error" in line]
    return (telling or lines or ["it said nothing"])[-1]
