"""The figures as a table, a plot and a verdict on each target."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.bench.claims.drivers import Measure

Key = tuple[str, int, int]
"""Contender, size, claimers."""

LIBRARIES = ("procrastinate", "pgqueuer")
_COLOURS = {
    "floor": "#9aa0a6",
    "ours": "#1a73e8",
    "ours, by Python": "#63a4ff",
    "reference": "#d93025",
    "procrastinate": "#e8a317",
    "pgqueuer": "#188038",
}


@dataclass(frozen=True, slots=True)
class Target:
    """What was asked for, what was seen, and whether that is enough."""

    asked: str
    seen: str
    met: bool


class Figures:
    """All rounds of a run; a figure is the median of its rounds."""

    def __init__(
        self, rounds: Mapping[Key, Sequence[Measure]], others: Mapping[str, float]
    ) -> None:
        self._rounds = rounds
        self.others = others
        self.names = list(dict.fromkeys(name for name, _, _ in rounds))
        self.sizes = sorted({size for _, size, _ in rounds})
        self.claimers = sorted({claimers for _, _, claimers in rounds})

    def rate(self, name: str, size: int, claimers: int) -> float:
        """Return claims a second."""
        return statistics.median(one.rate for one in self._rounds[name, size, claimers])

    def p99(self, name: str, size: int, claimers: int) -> float:
        """Return milliseconds."""
        return statistics.median(one.p99 for one in self._rounds[name, size, claimers])

    def ratio(self, name: str, base: str, size: int, claimers: int) -> float:
        """Return the median of the rounds' ratios: two rounds that follow each other see the same machine."""
        pairs = zip(
            self._rounds[name, size, claimers], self._rounds[base, size, claimers], strict=True
        )
        return statistics.median(one.rate / other.rate if other.rate else 0 for one, other in pairs)

    def targets(self) -> list[Target]:
        """Return the verdicts."""
        largest, smallest = self.sizes[-1], self.sizes[0]
        found: list[Target] = []
        for claimers in self.claimers:
            least = 0.50 if claimers == 1 else 0.70
            worst = min(self.ratio("ours", "floor", size, claimers) for size in self.sizes)
            asked = f"{claimers} claimers: at least {least:.2f} of the floor at every size"
            found.append(Target(asked, f"{worst:.2f}", worst >= least))
        many = self.claimers[-1] if 8 not in self.claimers else 8
        best = max(self.rate(name, largest, many) for name in LIBRARIES)
        times = self.rate("ours", largest, many) / best
        asked = f"at least 3 x the best library at {_short(largest)}, {many} claimers"
        found.append(Target(asked, f"{times:.1f} x", times >= 3))
        slowest = max(self.p99("ours", size, many) for size in self.sizes)
        found.append(
            Target(f"p99 of {many} claimers at most 10 ms", f"{slowest:.1f} ms", slowest <= 10)
        )
        flat = max(
            self.rate("ours", smallest, claimers) / self.rate("ours", largest, claimers)
            for claimers in self.claimers
        )
        asked = f"{_short(largest)} cards at most 1.5 x slower than {_short(smallest)}"
        found.append(Target(asked, f"{flat:.2f} x", flat <= 1.5))
        page, complete = self.others["first page"], self.others["completion"]
        asked = f"first page of list --ready-only at most 5 ms at {_short(largest)}"
        found.append(Target(asked, f"{page:.1f} ms", page <= 5))
        asked = "a completion with 1,000 dependents at most 30 ms"
        found.append(Target(asked, f"{complete:.1f} ms", complete <= 30))
        share = self.others["socket"] / self.others["direct"]
        asked = "through the daemon's socket at least 0.3 of the direct rate (8 connections)"
        seen = f"{share:.2f} ({self.others['socket']:.0f} of {self.others['direct']:.0f} claims/s)"
        found.append(Target(asked, seen, share >= 0.3))
        return found

    def notes(self) -> list[str]:
        """Return what is no target and belongs to an honest picture."""
        largest, many = self.sizes[-1], 8 if 8 in self.claimers else self.claimers[-1]
        best = max(self.rate(name, largest, many) for name in LIBRARIES)
        times = self.rate("ours, by Python", largest, many) / best
        where = f"{many} claimers, {_short(largest)}"
        return [f"with a Python driver on both sides, {where}: {times:.1f} x the best library"]

    def table(self) -> list[str]:
        """Return lines of Markdown: claims a second, the p99 of it in milliseconds in brackets."""
        heads = [
            f"{_short(size)} x {claimers}" for size in self.sizes for claimers in self.claimers
        ]
        lines = ["| | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
        for name in self.names:
            cells = [
                self._cell(name, size, claimers)
                for size in self.sizes
                for claimers in self.claimers
            ]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        return lines

    def _cell(self, name: str, size: int, claimers: int) -> str:
        rate = self.rate(name, size, claimers)
        return f"{rate:,.0f} ({self.p99(name, size, claimers):.1f})" if rate else "none"

    def plot(self, claimers: int) -> str:
        """Return an SVG: claims a second over the backlog's size, both on logarithmic scales."""
        width, height, left, bottom = 720, 420, 70, 50
        top_rate, low_rate = 5, 0

        def place(index: int, rate: float) -> tuple[float, float]:
            across = left + index * (width - left - 170) / max(1, len(self.sizes) - 1)
            share = (math.log10(max(rate, 1)) - low_rate) / (top_rate - low_rate)
            return across, height - bottom - share * (height - bottom - 30)

        parts: list[str] = []
        parts.append(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif"'
            ' font-size="13"><rect width="100%" height="100%" fill="#ffffff"/>'
            f'<text x="{left}" y="20" font-size="15">Claims a second, {claimers} claimers</text>'
        )
        for power in range(low_rate, top_rate + 1):
            _, y = place(0, 10**power)
            right = width - 170
            parts.append(
                f'<line x1="{left}" x2="{right}" y1="{y:.0f}" y2="{y:.0f}" stroke="#e0e0e0"/>'
                f'<text x="{left - 8}" y="{y + 4:.0f}" text-anchor="end">{10**power:,}</text>'
            )
        for index, size in enumerate(self.sizes):
            x, _ = place(index, 1)
            parts.append(
                f'<text x="{x:.0f}" y="{height - 25}" text-anchor="middle">{_short(size)}</text>'
            )
        parts.append(
            f'<text x="{(width - 170 + left) / 2:.0f}" y="{height - 6}" text-anchor="middle">cards</text>'
        )
        labels: list[tuple[float, str]] = []
        for name in self.names:
            rates = [self.rate(name, size, claimers) for size in self.sizes]
            points = [place(index, rate) for index, rate in enumerate(rates) if rate]
            colour = _COLOURS[name]
            line = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
            parts.append(
                f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
            )
            parts += [
                f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3.5" fill="{colour}"/>' for x, y in points
            ]
            labels.append((points[-1][1], name))
        parts += _labels(labels, width - 160)
        return "".join([*parts, "</svg>\n"])


def _labels(labels: list[tuple[float, str]], x: float) -> list[str]:
    """Return the names beside their lines' ends, pushed apart so that none covers another."""
    parts: list[str] = []
    last = 0.0
    for wanted, name in sorted(labels):
        y = max(wanted, last + 16)
        last = y
        parts.append(f'<text x="{x:.0f}" y="{y + 4:.0f}" fill="{_COLOURS[name]}">{name}</text>')
    return parts


def _short(size: int) -> str:
    return f"{size // 1_000_000}M" if size >= 1_000_000 else f"{size // 1000}k"
