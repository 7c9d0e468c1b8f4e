"""bench-idle: how soon the daemon is ready, and what it costs while nobody says anything.

The home has a Matrix connector on a real Synapse and the demo fleet. The baseline is a Python process that
only imports the libraries that the daemon stands on.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.stages.installation import Installation
from tests.stages.synapse import town

_LIBRARIES = "aiohttp, apscheduler, asyncpg, nio, pydantic, structlog"
_TICKS = os.sysconf("SC_CLK_TCK")
_READY_SECONDS, _MEGABYTES, _CPU_PERCENT = 3.0, 120.0, 1.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What was measured; times in seconds, memory in MB (10^6 bytes), CPU in percent of one core."""

    ready: float
    memory: float
    cpu: float
    baseline_memory: float


def memory_of(pid: int) -> float:
    """Return a process's resident memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process and its ended children (the tmux calls)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(int(fields[at]) for at in (11, 12, 13, 14)) / _TICKS


def baseline_memory() -> float:
    """Return the memory of a process that only imports the libraries."""
    program = f"import {_LIBRARIES}; import os; print(os.getpid(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        memory = memory_of(pid)
        process.communicate("\n")
    return memory


async def ready_seconds(installation: Installation, starts: int) -> float:
    """Return the median over warm starts, from the command until `up --detach` says that it is ready."""
    await installation.up()
    seconds = []
    for _ in range(starts):
        await installation.down()
        began = time.perf_counter()
        await installation.up()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


async def measure(starts: int, watched: float) -> Cost:
    """Start, let it settle, watch it do nothing."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        async with town(Path(directory) / "synapse") as homeserver:
            person, bot = await homeserver.person(), await homeserver.account("mosaic")
            room_id = await homeserver.room(person.account, bot)
            installation = Installation(
                Path(directory) / "home", {"MATRIX_ACCESS_TOKEN": bot.token}
            )
            block = {"homeserver_url": homeserver.url, "user_id": bot.user_id, "room_id": room_id}
            names = ("orchestrator", "enhancer")
            installation.write_roster(
                {
                    "version": 1,
                    "tmux": {"socket_name": f"bench-idle-{time.time_ns():x}"},
                    "connector": {"kind": "matrix", "matrix": block},
                    "agents": [{"name": n, "class": n, "runtime": "dogfood"} for n in names],
                }
            )
            try:
                ready = await ready_seconds(installation, starts)
                pid = installation.pid
                assert pid is not None
                await asyncio.sleep(3)  # the start's own work is not idleness
                before, began = cpu_of(pid), time.perf_counter()
                await asyncio.sleep(watched)
                cpu = (cpu_of(pid) - before) / (time.perf_counter() - began) * 100
                return Cost(ready, memory_of(pid), cpu, baseline_memory())
            finally:
                await installation.close()
                await homeserver.go_home()


def main() -> int:
    """Measure, report, and fail when a figure is above what is allowed."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--starts", type=int, default=5)
    arguments.add_argument("--seconds", type=float, default=60.0)
    given = arguments.parse_args()
    cost = asyncio.run(measure(given.starts, given.seconds))
    print(f"ready, warm     {cost.ready:>7.2f} s    (allowed {_READY_SECONDS})")
    print(
        f"memory          {cost.memory:>7.1f} MB   (allowed {_MEGABYTES:g};"
        f" {cost.memory / cost.baseline_memory:.2f} x the bare libraries' {cost.baseline_memory:.1f} MB)"
    )
    print(
        f"CPU, idle       {cost.cpu:>7.2f} %    (allowed {_CPU_PERCENT}, over {given.seconds:g} s)"
    )
    fine = cost.ready <= _READY_SECONDS and cost.memory <= _MEGABYTES and cost.cpu < _CPU_PERCENT
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
