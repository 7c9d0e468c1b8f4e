"""bench-programs: from stored to accepted at the real agent programs, through a whole daemon.

The mailbox in Postgres, the worker and the carrier are the daemon's own, and so are the two times: they stand in
the receipts of each message. A program gets one message at a time, and is idle when it does; a model on loopback
answers at once.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.bench.claims.questions import answer_body
from tests.stages.installation import Installation
from tests.stages.model_stand_in import model_stand_in
from tests.stages.programs import KEY, PROGRAMS, agent_with_home, version_of
from tests.waiting import until

TARGET_MS = 700
_WARM_UP = 2
_START_SECONDS = 90.0
_PAUSE_SECONDS = 1.0
_TURN_SECONDS = 60.0


class Bench:
    """One daemon with one agent of one program."""

    def __init__(self, installation: Installation, name: str) -> None:
        self._installation = installation
        self._name = name

    async def run(self, messages: int) -> tuple[list[float], Counter[str]]:
        """Send so many messages; return the milliseconds of each, and what proved them."""
        await until(self._is_available, _START_SECONDS, f"{self._name} available")
        spent: list[float] = []
        proofs: Counter[str] = Counter()
        for number in range(_WARM_UP + messages):
            story = await self._send(f"message {number}: please say that you are there")
            if number >= _WARM_UP:
                proved = next(one for one in story["receipts"] if one["state"] == "accepted")
                spent.append(_milliseconds(story))
                proofs[proved["by"]] += 1
            await asyncio.sleep(_PAUSE_SECONDS)
        return spent, proofs

    async def _send(self, text: str) -> dict[str, Any]:
        sent = await self._ask("agent", "send", self._name, text)

        async def answered() -> dict[str, Any] | None:
            story = await self._ask("agent", "receipt", sent["message_id"])
            return story if story["answer"] is not None else None

        return await until(answered, _TURN_SECONDS, f"{sent['message_id']} answered") or {}

    async def _is_available(self) -> bool:
        (row,) = [one for one in await self._ask("fleet", "ps") if one["name"] == self._name]
        return bool(row["readiness"] == "available")

    async def _ask(self, *words: str) -> Any:
        await asyncio.sleep(0.05)  # what asks must not be what is measured
        request = json.dumps({"words": words, "confirmed": False}).encode()
        body = await asyncio.to_thread(answer_body, self._installation.api_socket, request)
        return json.loads(body)["data"]


def _milliseconds(story: dict[str, Any]) -> float:
    stored, accepted = (
        datetime.fromisoformat(story[f"{one}_at"]) for one in ("stored", "accepted")
    )
    return (accepted - stored).total_seconds() * 1000


def percentile(times: Sequence[float], share: float) -> float:
    """Return the value below which that share of the times lies (nearest rank)."""
    ordered = sorted(times)
    return ordered[max(0, -(-int(share * len(ordered) * 1000) // 1000) - 1)]


async def measure(runtime: str, messages: int) -> bool:
    """Measure one program, print a line, and return whether it is within the target."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=sys.prefix) as directory:
        place = Path(directory)
        (work := place / "work").mkdir()
        installation = Installation(place / "home", {"ANTHROPIC_API_KEY": KEY})
        async with model_stand_in() as model:
            line = json.loads(agent_with_home(runtime, place / "program", work, model.url))
            socket_name = f"mosaic-bench-{os.getpid()}-{runtime}"
            installation.write_roster(
                {"version": 1, "tmux": {"socket_name": socket_name}, "agents": [line]}
            )
            try:
                await installation.up()
                spent, proofs = await Bench(installation, runtime).run(messages)
            finally:
                await installation.close()
    p95 = percentile(spent, 0.95)
    said = ", ".join(f"{count} {by}" for by, count in proofs.items())
    print(
        f"{runtime:9} {version_of(runtime):9} {len(spent):4}  {statistics.median(spent):6.0f}  {p95:6.0f}"
        f"  {min(spent):6.0f}  {max(spent):6.0f}  {said}",
        flush=True,
    )
    return p95 <= TARGET_MS


async def run(runtimes: Sequence[str], messages: int) -> bool:
    """Measure programs one after the other."""
    print("program   version   sent     p50     p95     min     max  proved by   (ms)")
    met = [await measure(runtime, messages) for runtime in runtimes]
    print(f"{'met' if all(met) else 'MISSED'}: at most {TARGET_MS} ms for 95 of 100 messages")
    return all(met)


def main() -> int:
    """Run the benchmark; 1 when the target is missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--messages", type=int, default=30, help="how many for each program")
    arguments.add_argument("programs", nargs="*", help=f"of {', '.join(sorted(PROGRAMS))}")
    given = arguments.parse_args()
    return 0 if asyncio.run(run(given.programs or sorted(PROGRAMS), given.messages)) else 1


if __name__ == "__main__":
    sys.exit(main())
