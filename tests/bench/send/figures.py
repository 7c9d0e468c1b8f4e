"""The figures as a table, and the verdict."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.bench.send.truth import Sent

OURS = "ours, with proof"
_LOOKED_UP = "libtmux, pane looked up"
_TIMES = 5
_ASKED_AT = 100


@dataclass(frozen=True, slots=True)
class Round:
    """Messages that were sent one by one, and those that were sent at once; ``arrived`` were really submitted."""

    alone: Sequence[Sent]
    crowd: Sequence[Sent]
    arrived: int

    @property
    def rate(self) -> float:
        """Messages a second, of those that arrived, from the first one's beginning to the last one's arrival."""
        there = [sent for sent in self.crowd if sent.there_at is not None]
        if not there:
            return 0.0
        first = min(sent.begun_at for sent in self.crowd if sent.begun_at is not None)
        last = max(sent.there_at for sent in there if sent.there_at is not None)
        return len(there) / (last - first).total_seconds()


@dataclass(slots=True)
class Figures:
    """All rounds of a run."""

    _rounds: dict[tuple[str, int], list[Round]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, size: int, one: Round) -> None:
        """Note a round."""
        self._rounds[name, size].append(one)

    @property
    def sizes(self) -> list[int]:
        """Numbers of agents."""
        return sorted({size for _, size in self._rounds})

    @property
    def names(self) -> list[str]:
        """Contestants, ours first."""
        return list(dict.fromkeys(name for name, _ in self._rounds))

    def rate(self, name: str, size: int) -> float:
        """Return messages a second, the median of the rounds."""
        return statistics.median(one.rate for one in self._rounds[name, size])

    def latency(self, name: str, size: int) -> tuple[float, float]:
        """Return median and 95th percentile of messages that were sent one by one, in milliseconds."""
        found = [
            sent.milliseconds
            for one in self._rounds[name, size]
            for sent in one.alone
            if sent.milliseconds is not None
        ]
        return statistics.median(found), statistics.quantiles(found, n=20)[18]

    def ratio(self, name: str, size: int) -> float:
        """Return how many times faster ours is, the median of the rounds' ratios."""
        pairs = zip(self._rounds[OURS, size], self._rounds[name, size], strict=True)
        return statistics.median(
            ours.rate / other.rate if other.rate else 0 for ours, other in pairs
        )

    @property
    def met(self) -> bool | None:
        """Whether the target is reached, None when its size was not measured."""
        if self.sizes[-1] != _ASKED_AT:
            return None
        return self.ratio(_LOOKED_UP, _ASKED_AT) >= _TIMES

    def table(self) -> list[str]:
        """Return lines of Markdown."""
        heads = [
            f"{size} agent{'s' * (size > 1)} ({len(self._rounds[OURS, size])} rounds)"
            for size in self.sizes
        ]
        lines = [f"| | {' | '.join(heads)} | arrived |"]
        lines.append("|---|" + "---:|" * (len(heads) + 1))
        for name in self.names:
            cells = [self._cell(name, size) for size in self.sizes]
            rounds = [one for size in self.sizes for one in self._rounds[name, size]]
            sent = sum(len(one.alone) + len(one.crowd) for one in rounds)
            arrived = sum(one.arrived for one in rounds)
            lines.append(f"| {name} | {' | '.join(cells)} | {arrived} of {sent} |")
        return lines

    def _cell(self, name: str, size: int) -> str:
        middle, slow = self.latency(name, size)
        return f"{self.rate(name, size):,.0f}/s, {middle:.0f} / {slow:.0f} ms"

    def verdicts(self) -> list[str]:
        """Return the ratio to each rival at the largest size, and what was asked for."""
        size = self.sizes[-1]
        ratios = [f"* {self.ratio(name, size):.1f} x {name}" for name in self.names if name != OURS]
        lines = [f"Messages a second at {size} agents, ours against each:", "", *ratios]
        if self.met is not None:
            verdict = "met" if self.met else "MISSED"
            lines += ["", f"At least {_TIMES} x {_LOOKED_UP}: **{verdict}**."]
        return lines
