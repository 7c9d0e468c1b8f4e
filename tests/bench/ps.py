"""bench-ps: what `fleet ps` costs in a running daemon, beside one raw `tmux list-panes -a` of the same fields.

All take turns in one run. Through the daemon's socket, so the request and the question which card each agent
holds are in our figure; beside it libtmux's listing of the same sessions, and one tmux call for each agent.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import libtmux

from fleet.tmux.panes import FORMAT
from tests.bench.claims.questions import answer_body
from tests.stages.installation import Installation
from tests.waiting import until

_ROUNDS = 15
_MOST = 2.0
_START_SECONDS = 180.0
_REQUEST = json.dumps({"words": ["fleet", "ps"], "confirmed": False}).encode()


class Bench:
    """One daemon with so many agents, each a `cat` in a session of its own."""

    def __init__(self, installation: Installation, agents: int) -> None:
        self._installation = installation
        self._agents = agents
        self._socket_name = f"mosaic-bench-{os.getpid()}-{agents}"

    async def open(self) -> None:
        """Start the daemon and wait until every agent is seen to run."""
        names = [f"agent{number}" for number in range(self._agents)]
        lines = [
            {"name": name, "class": "code", "runtime": "bash", "command": "cat"} for name in names
        ]
        self._installation.write_roster(
            {"version": 1, "tmux": {"socket_name": self._socket_name}, "agents": lines}
        )
        await self._installation.up()

        async def all_run() -> bool:
            rows = await asyncio.to_thread(self.ours)
            return sum(row["session"] is not None for row in rows) == self._agents

        await until(all_run, _START_SECONDS, "every agent")

    def ours(self) -> list[dict[str, Any]]:
        """Return the daemon's rows."""
        found: dict[str, Any] = json.loads(self.ask())
        rows: list[dict[str, Any]] = found["data"]
        return rows

    def ask(self) -> bytes:
        """Return the daemon's answer; like tmux's it is read, and not taken apart."""
        return answer_body(self._installation.api_socket, _REQUEST)

    def raw(self) -> None:
        """Ask tmux by a process of its own for all panes at once."""
        self._tmux("list-panes", "-a", "-F", FORMAT)

    def by_libtmux(self) -> None:
        """List the sessions and their panes as libtmux does."""
        server = libtmux.Server(socket_name=self._socket_name)
        for pane in server.panes:
            _ = pane.session_name, pane.pane_pid, pane.pane_current_command

    def by_agent(self) -> None:
        """Ask tmux for each agent by a process of its own."""
        for number in range(self._agents):
            self._tmux("list-panes", "-t", f"=agent{number}", "-F", FORMAT)

    def _tmux(self, *words: str) -> None:
        command = ["tmux", "-u", "-L", self._socket_name, *words]
        subprocess.run(command, check=True, capture_output=True)


def measure(ways: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds of each way, round by round, in turns."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            spent[name].append((time.perf_counter() - began) * 1000)
    return spent


async def run(sizes: list[int]) -> bool:
    """Measure every size, print a line each, and return whether all are within the target."""
    met = True
    print("agents  fleet ps  raw list-panes  ratio  libtmux  a call each   (medians, ms)")
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            installation = Installation(Path(directory) / "home", {})
            try:
                bench = Bench(installation, size)
                await bench.open()
                quick = {"ours": bench.ask, "raw": bench.raw}
                slow = {"libtmux": bench.by_libtmux, "each": bench.by_agent}
                spent = await asyncio.to_thread(measure, quick, _ROUNDS)
                spent |= await asyncio.to_thread(measure, slow, 3)
            finally:
                await installation.close()
        middle = {name: statistics.median(times) for name, times in spent.items()}
        pairs = zip(spent["ours"], spent["raw"], strict=True)
        ratio = statistics.median(ours / raw for ours, raw in pairs)
        met = met and ratio <= _MOST
        print(
            f"{size:6}  {middle['ours']:8.1f}  {middle['raw']:14.1f}  {ratio:5.2f}"
            f"  {middle['libtmux']:7.1f}  {middle['each']:11.1f}",
            flush=True,
        )
    print(f"{'met' if met else 'MISSED'}: at most {_MOST} x one raw list-panes at every size")
    return met


def main() -> int:
    """Run the benchmark; 1 when the target is missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="ten agents only")
    sizes = [10] if arguments.parse_args().quick else [10, 100, 300]
    return 0 if asyncio.run(run(sizes)) else 1


if __name__ == "__main__":
    sys.exit(main())
