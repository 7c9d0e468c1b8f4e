"""What a daemon's memory does while people speak in many threads at once, each the thread of a card."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tests.bench.discord.server import Server
from tests.bench.soak.memory import Life

_AT_ONCE = 10
_WARM_THREADS = 20
_LOOKS = 10


@dataclass(frozen=True, slots=True)
class Growth:
    """Resident memory in MB (10^6 bytes): warm with a few threads, and with all of them after every round of talk."""

    threads: int
    messages: int
    before: float
    after: tuple[float, ...]

    @property
    def megabytes(self) -> float:
        """How much it has grown, at the most."""
        return max(self.after) - self.before


class Threads:
    """Cards, each with a thread in which it is talked about."""

    def __init__(self, there: Server, pid: int) -> None:
        self._there = there
        self._pid = pid
        self._names: list[str] = []
        self.said = 0

    async def measure(self, threads: int, rounds: int) -> Growth:
        """Warm up with a few threads, then talk so many rounds in so many new ones."""
        await self._talk(await self._grow(_WARM_THREADS), rounds)
        before, warm = await self._memory(), self.said
        names = await self._grow(threads)
        after = []
        for number in range(rounds):
            await self._talk(names, 1, number)
            after.append(await self._memory())
        return Growth(threads, self.said - warm, before, tuple(after))

    async def _grow(self, more: int) -> list[str]:
        """Make so many cards, and wait for the thread of each; return the threads' names."""
        first = len(self._names)
        names = [f"C{number}: card {number}" for number in range(first, first + more)]
        self._names += names
        await self._each(names, self._create)
        return names

    async def _create(self, name: str) -> None:
        card, _, title = name.partition(": ")
        command = f"!backlog create --id {card} --title '{title}'"
        await self._there.ask(command, self._there.facts["channel_id"])
        await self._there.sees(lambda: name in self._there.threads, f"the thread of {card}")
        self.said += 1

    async def _talk(self, names: list[str], rounds: int, first: int = 0) -> None:
        """Ask for the card in each thread, and speak to the agent there; every answer is waited for."""
        for number in range(first, first + rounds):
            await self._each(names, partial(self._speak, number))

    async def _speak(self, number: int, name: str) -> None:
        thread, words = self._there.threads[name], f"how is {name}, {number}?"
        await self._there.ask("!backlog show", thread)
        await self._there.say(words, thread)
        await self._there.sees(
            lambda: any(words in one for one in self._there.heard[thread]), f"answer to {words}"
        )
        self.said += 2

    async def _each(self, names: Sequence[str], step: Callable[[str], Awaitable[None]]) -> None:
        slots = asyncio.Semaphore(_AT_ONCE)

        async def one(name: str) -> None:
            async with slots:
                await step(name)

        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(one(name))

    async def _memory(self) -> float:
        """Return the memory of the daemon, the least of some looks: what is only in passing is no growth."""
        life = Life(self._pid)
        for _ in range(_LOOKS):
            await asyncio.sleep(0.2)
            life.look(self.said)
        return min(sample.megabytes for sample in life.samples)
