"""A person's message until the answer is seen: of the daemon, and of the echo bot, in turns."""

import asyncio
import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.bench.discord.server import Server

_PAUSE_SECONDS = 0.3
_WARM_UP = 5
_COMMAND = "!backlog stats"


@dataclass(frozen=True, slots=True)
class Speed:
    """The seconds of every answer, with a latency of the stand-in's REST in milliseconds."""

    latency: int
    echoes: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """How much longer the daemon takes, by the medians."""
        return statistics.median(self.answers) / statistics.median(self.echoes)


def p95(seconds: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(seconds, n=20)[18]


class Talk:
    """A person asks both bots in turns, so that a drift of the machine hits both, and pauses between."""

    def __init__(self, there: Server, our_channel: str, echo_channel: str) -> None:
        self._there = there
        self._ours = our_channel
        self._echo = echo_channel
        self._numbers = itertools.count(1)

    async def measure(self, rounds: int, latency: int) -> Speed:
        """Return the seconds of so many rounds with one latency."""
        await self._there.control("latency", milliseconds=latency)
        found = Speed(latency)
        for number in range(-_WARM_UP, rounds):
            echo = await self._there.ask(f"say it again: {next(self._numbers)}", self._echo)
            await asyncio.sleep(_PAUSE_SECONDS)
            answer = await self._there.ask(_COMMAND, self._ours)
            await asyncio.sleep(_PAUSE_SECONDS)
            if number >= 0:
                found.echoes.append(echo)
                found.answers.append(answer)
        await self._there.control("latency", milliseconds=0)
        return found
