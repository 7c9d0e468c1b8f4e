"""Real PostgreSQL servers for tests, one of each tier a session, and a fresh database for every test."""

import asyncio
import os
import secrets
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg

from storage.database import Database, Target
from storage.migrate import migrate
from storage.server.binaries import Binaries, find_binaries
from storage.server.embedded import EmbeddedServer
from storage.server.postmaster import Postmaster
from tests.waiting import until

_TEMPLATE = "mosaic_template"


class Tier:
    """A running server on which tests get databases of their own, cloned from a migrated one."""

    def __init__(self, name: str, maintenance: Target) -> None:
        self.name = name
        self._maintenance = maintenance
        self._admin: Any = None
        self._count = 0
        self._left: list[str] = []

    async def prepare(self) -> None:
        """Make the template; the data outlive no test run, so the disk is not waited for."""
        self._admin = await asyncpg.connect(**self._maintenance.arguments())
        await self._admin.execute("ALTER SYSTEM SET fsync = off")
        await self._admin.execute("SELECT pg_reload_conf()")
        await self._admin.execute(f"CREATE DATABASE {_TEMPLATE}")
        database = Database()
        await database.open(self.target(_TEMPLATE))
        await migrate(database)
        await database.close()

    async def close(self) -> None:
        """Let the server go."""
        await self._admin.close()

    def target(self, name: str) -> Target:
        """Return where a database of this server is."""
        if self._maintenance.url is None:
            return replace(self._maintenance, database=name)
        return Target(url=f"{self._maintenance.url.rpartition('/')[0]}/{name}")

    @asynccontextmanager
    async def empty(self, template: str = "template0") -> AsyncIterator[Target]:
        """Lend a database; without a template it holds nothing at all."""
        # Dropped only now: at a test's end its last connection is still on its way out.
        for name in self._left:
            await self._admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        self._left.clear()
        self._count += 1
        name = f"test_{self._count}"
        await self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield self.target(name)
        finally:
            self._left.append(name)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """Lend an open, migrated, empty database."""
        async with self.empty(_TEMPLATE) as target:
            database = Database()
            await database.open(target)
            try:
                yield database
            finally:
                await database.close()


@asynccontextmanager
async def embedded_tier(directory: Path) -> AsyncIterator[Tier]:
    """Run our own embedded server, reached over its unix socket."""
    server = EmbeddedServer(directory / "postgres")
    try:
        started = await server.start()
        async with _prepared(
            Tier("embedded", replace(started.target, database="postgres"))
        ) as tier:
            yield tier
    finally:
        await server.stop()


@asynccontextmanager
async def server_tier(directory: Path) -> AsyncIterator[Tier]:
    """Run a server as an administrator would: TCP on 127.0.0.1 with passwords, Debian's when it is there."""
    binaries, provider = external_binaries()
    password = secrets.token_hex(16)
    cluster, password_file = directory / "external", directory / "password"
    password_file.write_text(password)
    password_file.chmod(0o600)
    _initialize(binaries, cluster, password_file, provider)
    port = _free_port()
    postmaster = _launch(binaries, cluster, port, directory / "external.log")
    try:
        maintenance = Target(url=f"postgresql://mosaic:{password}@127.0.0.1:{port}/postgres")
        await _answering(maintenance, postmaster)
        async with _prepared(Tier("server", maintenance)) as tier:
            yield tier
    finally:
        await postmaster.stop()
        postmaster.forget()


def external_binaries() -> tuple[Binaries, list[str]]:
    """Return Debian's newest server, ordering text as people do, or the wheel's."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not debian:
        return find_binaries(), ["--locale=C"]
    # A collation other than ours: whoever relies on an order must say which.
    provider = ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en"]
    return Binaries(debian[-1].parent, as_root=os.geteuid() == 0), provider


@asynccontextmanager
async def _prepared(tier: Tier) -> AsyncIterator[Tier]:
    await tier.prepare()
    try:
        yield tier
    finally:
        await tier.close()


def _initialize(
    binaries: Binaries, cluster: Path, password_file: Path, provider: list[str]
) -> None:
    arguments = [
        f"--pgdata={cluster}",
        "--username=mosaic",
        "--auth=scram-sha-256",
        f"--pwfile={password_file}",
        "--encoding=UTF8",
        "--no-sync",
        *provider,
    ]
    subprocess.run(
        binaries.command("initdb", arguments),
        env=binaries.environment(),
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _launch(binaries: Binaries, cluster: Path, port: int, log: Path) -> Postmaster:
    arguments = ["-D", str(cluster), "-p", str(port)]
    for setting in ("listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"):
        arguments += ["-c", setting]
    with log.open("ab") as output:
        command = binaries.command("postgres", arguments)
        return Postmaster.spawn(command, binaries.environment(), output)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _answering(target: Target, postmaster: Postmaster) -> None:
    async with asyncio.timeout(60):
        while postmaster.alive:
            try:
                connection = await asyncpg.connect(**target.arguments())
            except (OSError, asyncpg.CannotConnectNowError):
                await asyncio.sleep(0.02)
            else:
                await connection.close()
                return
    raise AssertionError("the external PostgreSQL did not start")


def is_running(pid: int) -> bool:
    """Whether a process has that number."""
    return Path(f"/proc/{pid}/cmdline").exists()


def names_in(directory: Path) -> list[str]:
    """Return what stands in a directory, sorted."""
    return sorted(path.name for path in directory.iterdir())


@dataclass(frozen=True, slots=True)
class Running:
    """A database part at work: what it said whenever it became ready."""

    database: Database
    data: Path
    said: list[str]
    task: "asyncio.Task[None]"

    @property
    def postmaster(self) -> int:
        """The pid of its server."""
        return int((self.data / "cluster" / "postmaster.pid").read_text().split("\n", 1)[0])

    async def said_again(self, times: int) -> None:
        """Wait until it was ready more than so many times."""
        await until(lambda: len(self.said) > times or self.task.done(), 60, "the database is ready")
        if self.task.done():
            self.task.result()

    async def value(self, question: str) -> Any:
        """Ask the database something."""
        async with self.database.connection() as connection:
            return await connection.fetchval(question)
