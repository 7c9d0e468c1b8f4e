"""``python -m tests.bench.soak [--quick] [--write] [--seed N]``: soak, report, fail when something is missed."""

import argparse
import asyncio
import logging
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.soak.plan import CALM, FULL, PRIVATE, PRIVATE_QUICK, QUICK, Plan
from tests.bench.soak.run import Outcome, soak
from tests.bench.soak.table import table, verdict

_PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "soak.md"
_END = "<!-- end of figures -->\n"


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


async def _until_told(running: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Leave nothing behind when somebody ends the run."""
    task = asyncio.ensure_future(running)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def report(outcome: Outcome, seed: int) -> list[str]:
    """Return what a run came to, as Markdown."""
    plan, seen = outcome.plan, datetime.now(UTC).strftime("Seen on %Y-%m-%d")
    rooms = "encrypted rooms" if plan.private else "rooms"
    first = (
        f"{seen} on {os.cpu_count()} cores in {outcome.seconds / 60:.0f} minutes: {plan.messages:,} messages"
        f" from {plan.clients} clients in {plan.rooms} {rooms}, the homeserver restarted {plan.restarts} times,"
        f" both bots killed {plan.kills} times (seed {seed}):"
    )
    return [first, "", *table(outcome)]


def write(lines: list[str], *, private: bool) -> None:
    """Put the figures into the page."""
    begin = f"<!-- figures of bench-soak{', encrypted' if private else ''} -->\n"
    head, rest = _PAGE.read_text(encoding="utf-8").split(begin)
    tail = rest.split(_END, 1)[1]
    body = "\n".join(lines)
    _PAGE.write_text(f"{head}{begin}\n{body}\n\n{_END}{tail}", encoding="utf-8")


def plan_for(given: argparse.Namespace) -> Plan:
    """Return what is asked for."""
    if given.private:
        return PRIVATE_QUICK if given.quick else PRIVATE
    return CALM if given.calm else QUICK if given.quick else FULL


def main() -> int:
    """Soak as asked."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="few messages, all the blows")
    arguments.add_argument("--write", action="store_true", help="write the page")
    arguments.add_argument("--seed", type=int, help="the blows of an earlier run again")
    arguments.add_argument("--private", action="store_true", help="encrypted rooms, fewer people")
    arguments.add_argument("--calm", action="store_true", help="few messages, no blows")
    given = arguments.parse_args()
    seed = secrets.randbelow(2**32) if given.seed is None else given.seed
    logging.getLogger("nio").addHandler(
        logging.NullHandler()
    )  # people's clients wait; that is no news
    _tell(f"seed {seed}")
    with tempfile.TemporaryDirectory(prefix="soak-") as directory:
        plan = plan_for(given)
        outcome = asyncio.run(_until_told(soak(plan, Path(directory), seed, _tell)))
    lines = report(outcome, seed)
    missed = verdict(outcome)
    print("\n".join(lines))
    print("\n".join(f"MISSED: {one}" for one in missed) or "nothing missed")
    if given.write:
        write(lines, private=plan.private)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
