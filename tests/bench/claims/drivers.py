"""How a contender is driven: by pgbench for statements, by Python processes for libraries; and how its data are made."""

import asyncio
import contextlib
import json
import os
import statistics
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg

from storage.database import Database, Target
from storage.migrate import migrate
from storage.server.binaries import find_binaries
from storage.server.embedded import EmbeddedServer
from tests.bench.claims.contenders import BY_PGBENCH, BY_PYTHON, Contender

_CLAIMABLE = 0.38
_LARGEST_SHARE = 0.8
_FASTEST = 12_000
_FEWEST = 4_000
"""Claims of a round: as many as the fastest makes in the time, but no more than there are, and then again."""

_WARM_UP = 3
"""The first claims of a client prepare the statement."""

_LONGEST_SECONDS = 6
_LOG_FIELDS = 6
_LONGEST_STATEMENT_MS = 10_000
_PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Measure:
    """Claims a second, and latencies in milliseconds; ``rate`` is 0 when none was made in time."""

    rate: float
    p50: float
    p99: float


def measure_of(claimers: int, latencies: Sequence[float]) -> Measure:
    """Return the numbers of one round.

    Claimers that never pause make ``claimers / mean latency`` claims in a unit of time (Little's law).
    """
    if len(latencies) < 2:
        return Measure(0.0, 0.0, 0.0)
    rate = claimers * 1000 / statistics.fmean(latencies)
    return Measure(rate, statistics.median(latencies), statistics.quantiles(latencies, n=100)[98])


class Field:
    """A server, on which every contender has a database of the size in question."""

    def __init__(self, directory: Path, target: Target) -> None:
        self._directory = directory
        self.target = target

    async def make(self, size: int) -> None:
        """Make everybody's backlog anew."""
        admin = await asyncpg.connect(**self.target.arguments())
        for contender in (*BY_PGBENCH, *BY_PYTHON[1:]):
            await admin.execute(f"DROP DATABASE IF EXISTS {contender.database} WITH (FORCE)")
            await admin.execute(f"CREATE DATABASE {contender.database}")
            await self._fill(contender, size)
        await admin.close()

    async def _fill(self, contender: Contender, size: int) -> None:
        target = replace(self.target, database=contender.database)
        if contender.tables is None:
            await _install(contender, target)
        connection = await asyncpg.connect(**target.arguments())
        if contender.tables is not None:
            await connection.execute(contender.tables)
        # Triggers and foreign keys are not what is measured here, and take minutes over a million rows.
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(contender.fill.replace("{size}", str(size)), timeout=600)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()

    # -- rounds ----------------------------------------------------------------------------------------

    async def by_pgbench(
        self, contender: Contender, claimers: int, seconds: float, size: int
    ) -> Measure:
        """Claim with pgbench's clients, each statement prepared once.

        A small backlog is claimed nearly dry several times; between two times, and not measured, all
        claimed cards come back and the table is cleaned up.
        """
        share = min(int(_CLAIMABLE * size * _LARGEST_SHARE), int(seconds * _FASTEST))
        latencies: list[float] = []
        for _ in range(max(1, _FEWEST // share)):
            latencies += await self._claim(
                contender, claimers, max(_WARM_UP + 2, share // claimers)
            )
            await self._restore(contender)
        return measure_of(claimers, latencies)

    async def _claim(self, contender: Contender, claimers: int, times: int) -> list[float]:
        script, log = self._directory / "claim.sql", self._directory / "claims"
        script.write_text(f"{contender.claim}\n", encoding="utf-8")
        command = [
            str(find_binaries().directory / "pgbench"),
            *("--no-vacuum", "--protocol=prepared", f"--client={claimers}"),
            *(f"--jobs={min(2, claimers)}", f"--transactions={times}"),
            *("--log", f"--log-prefix={log}"),
            *(f"--define={name}={value}" for name, value in contender.variables.items()),
            *(f"--file={script}", "--username=mosaic", f"--host={self.target.socket_directory}"),
            contender.database,
        ]
        options = (
            f"-c plan_cache_mode=force_generic_plan -c statement_timeout={_LONGEST_STATEMENT_MS}"
        )
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**os.environ, "PGOPTIONS": options},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_SECONDS):
                _, error = await process.communicate()
                if process.returncode and b"statement timeout" not in error:
                    raise RuntimeError(f"pgbench: {error.decode()[-500:]}")
        if process.returncode is None:
            process.kill()
            await process.wait()
        return _read_logs(log)

    async def _restore(self, contender: Contender) -> None:
        target = replace(self.target, database=contender.database)
        connection = await asyncpg.connect(**target.arguments())
        while await connection.execute(contender.back, timeout=60) != "UPDATE 0":
            pass
        await connection.execute(f"VACUUM {contender.table}", timeout=60)
        await connection.close()

    async def by_python(
        self, contender: Contender, claimers: int, seconds: float, back_every: int
    ) -> Measure:
        """Claim with Python processes that share the claimers."""
        shares = [claimers] if claimers == 1 else [claimers // _PROCESSES] * _PROCESSES
        workers = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.bench.claims.worker", contender.name, str(share)),
                *(str(seconds), str(back_every), str(self.target.socket_directory)),
                contender.database,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=2**24,
            )
            for share in shares
        ]
        for worker in workers:
            assert worker.stdout is not None
            assert await worker.stdout.readline() == b"ready\n", f"{contender.name} did not start"
        ends = await asyncio.gather(*(worker.communicate(b"go\n") for worker in workers))
        told: list[list[float]] = [json.loads(out) for out, _ in ends]
        return measure_of(claimers, [one for latencies in told for one in latencies])


def _read_logs(prefix: Path) -> list[float]:
    """Return the latencies of claims in milliseconds, each client's first ones left out, and remove the logs."""
    latencies: list[float] = []
    for path in prefix.parent.glob(f"{prefix.name}.*"):
        for line in path.read_text().splitlines():
            fields = line.split()
            # A pgbench that was ended leaves half a line.
            if len(fields) == _LOG_FIELDS and fields[2].isdecimal() and int(fields[1]) > _WARM_UP:
                latencies.append(int(fields[2]) / 1000)
        path.unlink()
    return latencies


async def _install(contender: Contender, target: Target) -> None:
    """Let a contender make its own tables."""
    match contender.name:
        case "ours":
            database = Database()
            await database.open(target)
            await migrate(database)
            await database.close()
        case "procrastinate":
            await _install_procrastinate(target)
        case "pgqueuer":
            from pgqueuer.db import AsyncpgDriver
            from pgqueuer.queries import Queries

            connection = await asyncpg.connect(**target.arguments())
            await Queries(AsyncpgDriver(connection)).install()
            await connection.close()


async def _install_procrastinate(target: Target) -> None:
    import procrastinate

    arguments: dict[str, Any] = target.arguments()
    kwargs = {
        "host": arguments["host"][0],
        "user": arguments["user"],
        "dbname": arguments["database"],
    }
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(kwargs=kwargs))
    async with app.open_async():
        await app.schema_manager.apply_schema_async()


@asynccontextmanager
async def field_on(directory: Path) -> AsyncIterator[Field]:
    """Run a server as the daemon would."""
    server = EmbeddedServer(directory / "postgres")
    try:
        started = await server.start()
        yield Field(directory, replace(started.target, database="postgres"))
    finally:
        with contextlib.suppress(OSError):
            await server.stop()
