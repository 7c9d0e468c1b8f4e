"""``python -m tests.bench.discord [--quick] [--write]``: measure, report, and fail when a target is missed."""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.discord.bots import echo_bot, mosaic_bot
from tests.bench.discord.growth import Growth, Threads
from tests.bench.discord.server import server
from tests.bench.discord.speed import Speed, Talk, p95

_PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "discord.md"
_BEGIN, _END = "<!-- figures of bench-discord -->\n", "<!-- end of figures -->\n"

_LATENCY = 60
"""Milliseconds that a call of the stand-in's REST takes: on loopback it takes none, over the internet such a while."""

_RATIO, _MEGABYTES = 1.25, 20.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: rounds with and without a latency, threads, and rounds of talk in them."""

    rounds: int
    threads: int
    talks: int


QUICK, FULL = Plan(20, 20, 1), Plan(100, 200, 3)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured; ``speeds`` are first the one that counts."""

    speeds: Sequence[Speed]
    growth: Growth

    @property
    def missed(self) -> list[str]:
        """What is not as it must be."""
        found = []
        if self.speeds[0].ratio > _RATIO:
            found.append(f"ratio {self.speeds[0].ratio:.2f}, allowed {_RATIO}")
        if self.growth.megabytes > _MEGABYTES:
            found.append(f"growth {self.growth.megabytes:.1f} MB, allowed {_MEGABYTES:g}")
        return found


async def measure(plan: Plan) -> Figures:
    """Run both bots on one server: first their speed, then the daemon alone in many threads."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        async with server() as there, mosaic_bot(Path(directory) / "home", there) as ours:
            async with echo_bot(there) as echo:
                talk = Talk(there, there.facts["channel_id"], echo["channel_id"])
                speeds = []
                for latency in (_LATENCY, 0):
                    _progress(f"{plan.rounds} rounds at {latency} ms")
                    speeds.append(await talk.measure(plan.rounds, latency))
            pid = ours.pid
            assert pid is not None
            _progress(f"{plan.threads} threads")
            growth = await Threads(there, pid).measure(plan.threads, plan.talks)
    return Figures(speeds, growth)


def report(figures: Figures) -> list[str]:
    """Return what was measured, as Markdown."""
    seen = datetime.now(UTC).strftime("Seen on %Y-%m-%d")
    rounds = len(figures.speeds[0].answers)
    first = (
        f"{seen} on {os.cpu_count()} cores, {rounds} rounds in turns, from a person's message until she sees the"
        " answer, in ms:"
    )
    lines = [
        first,
        "",
        "| a call of REST takes | bot | p50 | p95 | ratio of p50 |",
        "|---|---|---:|---:|---:|",
    ]
    for speed in figures.speeds:
        takes = f"{speed.latency} ms" if speed.latency else "nothing (loopback)"
        lines.append(_row(takes, "discord.py echo bot", speed.echoes, ""))
        lines.append(_row(takes, "Mosaic Fleet", speed.answers, f"{speed.ratio:.2f}"))
    return [*lines, "", *_report_growth(figures.growth)]


def _row(takes: str, bot: str, seconds: Sequence[float], ratio: str) -> str:
    p50 = statistics.median(seconds) * 1000
    return f"| {takes} | {bot} | {p50:.1f} | {p95(seconds) * 1000:.1f} | {ratio} |"


def _report_growth(growth: Growth) -> list[str]:
    after = ", ".join(f"{one:.1f}" for one in growth.after)
    said = (
        f"The daemon's memory, warm: {growth.before:.1f} MB. After {growth.threads} cards with a thread each, and"
        f" {growth.messages:,} messages in rounds through all of them: {after} MB. It grew by"
        f" {growth.megabytes:.1f} MB at the most."
    )
    return [said]


def write(lines: Sequence[str]) -> None:
    """Put the figures into the page."""
    head, rest = _PAGE.read_text(encoding="utf-8").split(_BEGIN)
    body = "\n".join(lines)
    tail = rest.split(_END, 1)[1]
    _PAGE.write_text(f"{head}{_BEGIN}\n{body}\n\n{_END}{tail}", encoding="utf-8")


def _progress(what: str) -> None:
    if sys.stderr.isatty():
        print(what, file=sys.stderr, flush=True)


def main() -> int:
    """Measure as asked; 1 when a target is missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="fewer rounds and threads")
    arguments.add_argument("--write", action="store_true", help="write the page")
    given = arguments.parse_args()
    figures = asyncio.run(measure(QUICK if given.quick else FULL))
    lines = report(figures)
    print("\n".join(lines))
    verdict = f"MISSED: {'; '.join(figures.missed)}" if figures.missed else "met"
    print(f"{verdict}: ratio at {_LATENCY} ms at most {_RATIO}, growth at most {_MEGABYTES:g} MB")
    if given.write:
        write(lines)
    return 1 if figures.missed else 0


if __name__ == "__main__":
    sys.exit(main())
