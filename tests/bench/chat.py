"""bench-chat: a person's message until the answer is seen, against a bare nio echo bot on the same Synapse.

Both bots run as processes of their own; rounds alternate between them, so a drift of the machine hits both.
A person writes, waits for the answer, pauses, writes again.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from connectors.matrix.homeserver.accounts import Account
from tests.stages.installation import Installation
from tests.stages.synapse import Person, Town, town

_PAUSE_SECONDS = 0.3
_WARM_UP = 5
_ALLOWED_RATIO = 1.25


@asynccontextmanager
async def mosaic_bot(
    home: Path, homeserver: Town, account: Account, person: Person, room_id: str
) -> AsyncIterator[None]:
    """Run the daemon in ``room_id``, with ``person`` as an operator."""
    installation = Installation(home, {"MATRIX_ACCESS_TOKEN": account.token})
    installation.write_settings(f'[access]\noperators = ["matrix:{person.user_id}"]\n')
    block = {"homeserver_url": homeserver.url, "user_id": account.user_id, "room_id": room_id}
    installation.write_roster(
        {
            "version": 1,
            "tmux": {"socket_name": f"bench-chat-{time.time_ns():x}"},
            "connector": {"kind": "matrix", "matrix": block},
            "agents": [],
        }
    )
    await installation.up()
    try:
        yield
    finally:
        await installation.close()


@asynccontextmanager
async def echo_bot(homeserver: Town, account: Account) -> AsyncIterator[None]:
    """Run the baseline."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.echo_bot",
        homeserver.url,
        account.user_id,
        account.device_id,
        account.token,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"listening\n"
    try:
        yield
    finally:
        process.kill()
        await process.wait()


class Watch:
    """Somebody who writes and sees the answer come."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._arrived: dict[str, asyncio.Future[float]] = {}

    async def look(self) -> None:
        """Read what comes in until cancelled."""
        await self._person.client.sync(timeout=0, full_state=True)
        while True:
            answer = await self._person.client.sync(timeout=30_000)
            seen = time.perf_counter()
            for room in answer.rooms.join.values():
                for event in room.timeline.events:
                    relation = event.source["content"].get("m.relates_to", {})
                    of = relation.get("m.in_reply_to", {}).get("event_id")
                    self._waiter(of).set_result(seen) if of and not self._waiter(
                        of
                    ).done() else None

    async def ask(self, room_id: str, text: str) -> float:
        """Say a text and return after how many seconds its answer was seen."""
        began = time.perf_counter()
        event_id = await self._person.say(room_id, text)
        async with asyncio.timeout(30):
            return await self._waiter(event_id) - began

    def _waiter(self, event_id: str) -> "asyncio.Future[float]":
        return self._arrived.setdefault(event_id, asyncio.get_running_loop().create_future())


async def measure(rounds: int, command: str) -> tuple[list[float], list[float]]:
    """Return the seconds of every answer: of the echo bot, and of Mosaic Fleet."""
    echoes: list[float] = []
    answers: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        async with town(Path(directory) / "synapse") as homeserver:
            person = await homeserver.person()
            echo, ours = await homeserver.account("echo"), await homeserver.account("mosaic")
            echo_room = await homeserver.room(person.account, echo)
            our_room = await homeserver.room(person.account, ours)
            async with (
                echo_bot(homeserver, echo),
                mosaic_bot(Path(directory) / "home", homeserver, ours, person, our_room),
            ):
                watch = Watch(person)
                looking = asyncio.create_task(watch.look())
                for number in range(rounds + _WARM_UP):
                    for room_id, seconds in ((echo_room, echoes), (our_room, answers)):
                        seconds.append(await watch.ask(room_id, command))
                        await asyncio.sleep(_PAUSE_SECONDS)
                    _show_progress(number + 1, rounds + _WARM_UP)
                looking.cancel()
            await homeserver.go_home()
    return echoes[_WARM_UP:], answers[_WARM_UP:]


def _show_progress(done: int, all_: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done}/{all_} rounds", end="" if done < all_ else "\n", file=sys.stderr)


def report(echoes: list[float], answers: list[float]) -> float:
    """Print the table and return the ratio of the medians."""
    print(f"{'':<14}{'p50 ms':>9}{'p99 ms':>9}   rounds {len(answers)}")
    for name, seconds in (("nio echo bot", echoes), ("Mosaic Fleet", answers)):
        p50, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
        print(f"{name:<14}{p50 * 1000:>9.1f}{p99 * 1000:>9.1f}")
    ratio = statistics.median(answers) / statistics.median(echoes)
    print(f"ratio p50 {ratio:.2f} (allowed {_ALLOWED_RATIO})")
    return ratio


def main() -> int:
    """Measure, report, and fail when the ratio is above what is allowed."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=100)
    arguments.add_argument("--command", default="!backlog stats")
    given = arguments.parse_args()
    ratio = report(*asyncio.run(measure(given.rounds, given.command)))
    return 0 if ratio <= _ALLOWED_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
