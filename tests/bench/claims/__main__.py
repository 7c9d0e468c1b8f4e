"""``python -m tests.bench.claims [--quick] [--write]``: measure, report, and fail when a target is missed."""

import argparse
import asyncio
import sys
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from tests.bench.claims.contenders import BY_PGBENCH, BY_PYTHON
from tests.bench.claims.drivers import Field, Measure, field_on
from tests.bench.claims.questions import completion, first_page, socket_and_direct
from tests.bench.claims.report import Figures, Key, Target

_ROOT = Path(__file__).parents[3]
_PAGE = _ROOT / "docs" / "explanation" / "claims.md"
_PLOT = _ROOT / "docs" / "images" / "claims.svg"
_BEGIN, _END = "<!-- figures -->\n", "<!-- end of figures -->\n"


async def measure(sizes: list[int], claimers: list[int], rounds: int, seconds: float) -> Figures:
    """Run every contender in turn, round after round, so that each sees the same machine as its neighbours."""
    found: dict[Key, list[Measure]] = defaultdict(list)
    others: dict[str, float] = {}
    total = len(sizes) * len(claimers) * rounds
    done = 0
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        async with field_on(Path(directory)) as field:
            for size in sizes:
                _progress(f"making {size:,} cards for everybody")
                await field.make(size)
                for number in claimers:
                    for _ in range(rounds):
                        done += 1
                        _progress(f"round {done} of {total}: {size:,} cards, {number} claimers")
                        await _round(field, size, number, seconds, found)
            ours = replace(field.target, database="ours")
            _progress("the first page, a completion with many dependents")
            others |= {"first page": await first_page(ours), "completion": await completion(ours)}
    _progress("the daemon's socket")
    others["socket"], others["direct"] = await socket_and_direct()
    _progress("")
    return Figures(found, others)


async def _round(
    field: Field, size: int, claimers: int, seconds: float, found: dict[Key, list[Measure]]
) -> None:
    back_every = 50 if size < 10_000 else 200
    for contender in BY_PGBENCH:
        one = await field.by_pgbench(contender, claimers, seconds, size)
        found[contender.name, size, claimers].append(one)
    for contender in BY_PYTHON:
        one = await field.by_python(contender, claimers, seconds, back_every)
        found[contender.name, size, claimers].append(one)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)


def show(figures: Figures, targets: list[Target]) -> None:
    """Print the figures and the verdicts."""
    print("claims a second (p99 in ms)\n")
    for line in figures.table():
        print(line)
    print()
    for target in targets:
        print(f"{'met   ' if target.met else 'MISSED'}  {target.asked}: {target.seen}")
    for note in figures.notes():
        print(f"        {note}")


def write(figures: Figures, targets: list[Target]) -> None:
    """Put the figures into the page and the plot beside it."""
    _PLOT.write_text(figures.plot(8), encoding="utf-8")
    page = _PAGE.read_text(encoding="utf-8")
    head, rest = page.split(_BEGIN)
    tail = rest.split(_END)[1]
    verdicts = [f"* {target.asked}: **{target.seen}**" for target in targets]
    verdicts += [f"* {note}" for note in figures.notes()]
    lines = "\n".join([*figures.table(), "", *verdicts])
    _PAGE.write_text(f"{head}{_BEGIN}\n{lines}\n\n{_END}{tail}", encoding="utf-8")


def main() -> int:
    """Measure as asked."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="two sizes, one short round")
    arguments.add_argument("--write", action="store_true", help="write page and plot")
    given = arguments.parse_args()
    if given.quick:
        figures = asyncio.run(measure([1_000, 10_000], [1, 8], 1, 1.0))
    else:
        sizes = [1_000, 10_000, 100_000, 1_000_000]
        figures = asyncio.run(measure(sizes, [1, 8, 32], 3, 1.5))
    targets = figures.targets()
    show(figures, targets)
    if given.write:
        write(figures, targets)
    return 0 if all(target.met for target in targets) else 1


if __name__ == "__main__":
    sys.exit(main())
