"""What a tick costs, and the reference's way to take one: a tmux call for each agent, a claim for each card."""

import os
import resource
import statistics
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg

from storage.database import Target
from tests.bench.claims.contenders import REFERENCE

_PANES = 100
_CLAIMS_TRIED = 10


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds: of this process's thread, by the clock, and of the server's processes for us."""

    cpu: float
    wall: float
    server: float


def median(costs: list[Cost]) -> Cost:
    """Return the middle of each figure."""
    return Cost(
        statistics.median(one.cpu for one in costs),
        statistics.median(one.wall for one in costs),
        statistics.median(one.server for one in costs),
    )


def process_ms(pid: int) -> float:
    """Return the CPU time of a process, by the scheduler's own count in nanoseconds."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e6
    except FileNotFoundError:
        return 0.0


class Panes:
    """A tmux server of our own with a hundred panes, each asked for by a process of its own."""

    def __init__(self) -> None:
        self._socket = f"mosaic-bench-tick-{os.getpid()}"

    def open(self) -> None:
        """Start the panes."""
        for number in range(_PANES):
            self._tmux("new-session", "-d", "-s", f"agent{number}", "cat")

    def close(self) -> None:
        """Stop the server that was started here."""
        self._tmux("kill-server")

    def _tmux(self, *words: str) -> None:
        command = ["tmux", "-u", "-f", "/dev/null", "-L", self._socket, *words]
        subprocess.run(command, check=True, capture_output=True)

    def cost(self, agents: int) -> Cost:
        """Capture a pane for each agent; with more agents than panes each pane several times."""
        before, wall = _used(), time.perf_counter()
        for number in range(agents):
            self._tmux("capture-pane", "-p", "-t", f"=agent{number % _PANES}:")
        return Cost((_used() - before) * 1000, (time.perf_counter() - wall) * 1000, 0.0)


def _used() -> float:
    """Return the CPU seconds of this process and its ended children; the tmux server's are not among them."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(one.ru_utime + one.ru_stime for one in map(resource.getrusage, whose))


async def reference_claims(target: Target, size: int, wanted: int) -> Cost:
    """Return what its claim costs for so many cards: ten are claimed, and the figures multiplied."""
    admin = await asyncpg.connect(**target.arguments())
    await admin.execute("CREATE DATABASE reference")
    await admin.close()
    connection = await asyncpg.connect(**replace(target, database="reference").arguments())
    assert REFERENCE.tables is not None
    assert REFERENCE.claim is not None
    await connection.execute(REFERENCE.tables)
    await connection.execute(REFERENCE.fill.replace("{size}", str(size)), timeout=600)
    await connection.execute("VACUUM ANALYZE")
    pid = await connection.fetchval("SELECT pg_backend_pid()")
    server, cpu, wall = process_ms(pid), time.thread_time(), time.perf_counter()
    for _ in range(_CLAIMS_TRIED):
        await connection.fetch(REFERENCE.claim, timeout=120)
    times = wanted / _CLAIMS_TRIED * 1000
    used = Cost(
        (time.thread_time() - cpu) * times,
        (time.perf_counter() - wall) * times,
        (process_ms(pid) - server) * times / 1000,
    )
    await connection.close()
    return used
