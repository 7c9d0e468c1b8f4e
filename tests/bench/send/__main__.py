"""``python -m tests.bench.send [--quick] [--write]``: measure, report, and fail when the target is missed."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.send.figures import OURS, Figures, Round
from tests.bench.send.house import House, names
from tests.bench.send.rivals import Rival, rivals
from tests.bench.send.truth import Sent, new_messages
from tests.waiting import until

_PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "receipts.md"
_BEGIN, _END = "<!-- figures of bench-send -->\n", "<!-- end of figures -->\n"
Arrivals = dict[str, datetime]

_ARRIVAL_SECONDS = 3.0
_ENOUGH_SECONDS = 100.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: agents, and messages at once for ours and for each rival, one by one, rounds."""

    sizes: tuple[int, ...]
    ours: dict[int, int]
    rivals: dict[int, int]
    single: int
    rounds: int


QUICK = Plan((1, 10), {1: 20, 10: 60}, {1: 20, 10: 60}, 10, 1)
FULL = Plan((1, 10, 100), {1: 40, 10: 200, 100: 400}, {1: 40, 10: 60, 100: 60}, 30, 3)


async def measure(plan: Plan) -> Figures:
    """Run all contestants in turn, round after round, on the same agents."""
    figures = Figures()
    deadline = time.monotonic() + _ENOUGH_SECONDS
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        house = House(Path(directory) / "home")
        async with house.open():
            for size in plan.sizes:
                _progress(f"starting {size} agents")
                await house.grow(size)
                agents = names(size)
                others = rivals(house.socket_name)
                await _warm_up(house, others, agents)
                for number in range(plan.rounds):
                    if number and time.monotonic() > deadline:
                        break  # a busy machine: what was measured counts, and the table says how often
                    _progress(f"{size} agents, round {number + 1} of {plan.rounds}")
                    figures.add(OURS, size, await _ours(house, agents, plan))
                    for rival in others:
                        figures.add(rival.name, size, await _rival(house, rival, agents, plan))
    _progress("")
    return figures


async def _until_told(measuring: Coroutine[Any, Any, Figures]) -> Figures:
    """Leave nothing behind when somebody ends the run."""
    task = asyncio.ensure_future(measuring)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


async def _warm_up(house: House, others: Sequence[Rival], agents: Sequence[str]) -> None:
    await house.send(new_messages(agents, len(agents) + 10))
    for rival in others:
        await asyncio.to_thread(rival.send, new_messages(agents, len(agents)))
    await asyncio.sleep(1)  # what was typed blind is not worth waiting for one by one


async def _ours(house: House, agents: Sequence[str], plan: Plan) -> Round:
    share = -(-plan.single // plan.rounds)
    alone = [(await house.send([sent]))[0] for sent in new_messages(agents, share)]
    crowd = await house.send(new_messages(agents, plan.ours[len(agents)]))
    arrived = house.truth.arrivals([*alone, *crowd])
    return Round(alone, crowd, len(arrived))


async def _rival(house: House, rival: Rival, agents: Sequence[str], plan: Plan) -> Round:
    share = -(-plan.single // plan.rounds)
    alone = []
    for sent in new_messages(agents, share):
        begun = await asyncio.to_thread(rival.send, [sent])
        alone += _timed(begun, await _arrivals(house, begun))
    begun = await asyncio.to_thread(rival.send, new_messages(agents, plan.rivals[len(agents)]))
    crowd = _timed(begun, await _arrivals(house, begun))
    arrived = [sent for sent in (*alone, *crowd) if sent.there_at is not None]
    return Round(alone, crowd, len(arrived))


def _timed(messages: Sequence[Sent], arrivals: Arrivals) -> list[Sent]:
    return [sent.timed(sent.begun_at, arrivals.get(sent.id)) for sent in messages]


async def _arrivals(house: House, messages: Sequence[Sent]) -> Arrivals:
    found: Arrivals = {}

    def all_there() -> bool:
        found.update(house.truth.arrivals(messages))
        return len(found) == len(messages)

    # What has not come in time was lost, or torn apart: it is counted as that.
    with contextlib.suppress(AssertionError):
        await until(all_there, _ARRIVAL_SECONDS)
    return found


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)


def write(figures: Figures) -> None:
    """Put the figures into the page."""
    page = _PAGE.read_text(encoding="utf-8")
    head, rest = page.split(_BEGIN)
    tail = rest.split(_END)[1]
    seen = datetime.now(UTC).strftime("Seen on %Y-%m-%d on")
    load = f"load average {os.getloadavg()[1]:.0f}, our own among it"
    head_line = f"{seen} {os.cpu_count()} cores, {load}:"
    lines = "\n".join([head_line, "", *figures.table(), "", *figures.verdicts()])
    _PAGE.write_text(f"{head}{_BEGIN}\n{lines}\n\n{_END}{tail}", encoding="utf-8")


def main() -> int:
    """Measure as asked."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--quick", action="store_true", help="1 and 10 agents, one short round, no verdict"
    )
    arguments.add_argument("--write", action="store_true", help="write the page")
    given = arguments.parse_args()
    figures = asyncio.run(_until_told(measure(QUICK if given.quick else FULL)))
    for line in (*figures.table(), "", *figures.verdicts()):
        print(line)
    if given.write:
        write(figures)
    return 1 if figures.met is False else 0


if __name__ == "__main__":
    sys.exit(main())
