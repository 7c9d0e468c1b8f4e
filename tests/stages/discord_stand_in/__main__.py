"""The stand-in as a program: ``python -m tests.stages.discord_stand_in --port 8080`` runs until it is interrupted.

It prints, as JSON, what a bot's settings need; below /stand-in people are made to speak and to touch (see control.py).
"""

import argparse
import asyncio
import contextlib
import json
import signal

from tests.stages.discord_stand_in.control import Control
from tests.stages.discord_stand_in.server import StandIn


async def serve(port: int, token: str | None) -> None:
    """Run until a signal ends it."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    stand_in = StandIn()
    control = Control(stand_in, token)
    await stand_in.open(port, control.add_to)
    print(json.dumps(control.facts()), flush=True)  # noqa: T201 - it is a program
    await ended.wait()
    await stand_in.close()


def main() -> None:
    """Read the words of the command line, and serve."""
    parser = argparse.ArgumentParser(description="A Discord of our own on loopback, for tests.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--token", help="the bot's token; one is made up unless it is given")
    words = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(words.port, words.token))


if __name__ == "__main__":
    main()
