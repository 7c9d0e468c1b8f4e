"""Runs a dogfood agent in the terminal in which it was started."""

import contextlib
import math
import os
import select
import signal
import sys
import termios
import tty
from pathlib import Path

from fleet.dogfood.agent import Dogfood, Pace, number_of
from fleet.dogfood.canvas import Canvas, write
from fleet.dogfood.habit import Habit, habit_of
from fleet.tmux.keys import KeyReader

_ESCAPE_SECONDS = 0.05
_HABIT = "MOSAIC_DOGFOOD_AT_WORK"


def _stop(*_: object) -> None:
    raise SystemExit(0)


def _serve(agent: Dogfood) -> None:
    reader = KeyReader()
    while True:
        agent.pass_time()
        agent.draw()
        patience = min(agent.wait_seconds(), _ESCAPE_SECONDS if reader.waits else math.inf)
        readable, _, _ = select.select([0], [], [], patience)
        if not readable:
            items = reader.settle()
        else:
            content = os.read(0, 65536)
            if not content:
                return
            items = reader.feed(content)
        for item in items:
            agent.take(item)


def _habit() -> Habit:
    try:
        return habit_of(os.environ.get(_HABIT, ""))
    except ValueError as error:
        sys.stderr.write(f"\n{_HABIT}: {error}\n")
        raise SystemExit(2) from error


def _agent(canvas: Canvas) -> Dogfood:
    environment = os.environ
    return Dogfood(
        environment["MOSAIC_AGENT_NAME"],
        Path(environment["MOSAIC_HOME"]) / "fleet" / "run",
        canvas,
        Pace(
            number_of(environment.get("MOSAIC_DOGFOOD_SECONDS", ""), 0.0),
            number_of(environment.get("MOSAIC_DOGFOOD_WORK_SECONDS", ""), 1.0),
        ),
        _habit(),
    )


def main() -> None:
    """Run until told to stop; the terminal is given back as it was found."""
    canvas = Canvas(os.get_terminal_size(1).columns)
    agent = _agent(canvas)

    def resize(*_: object) -> None:
        canvas.columns = os.get_terminal_size(1).columns
        agent.draw()

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    signal.signal(signal.SIGWINCH, resize)
    before = termios.tcgetattr(0)
    try:
        tty.setcbreak(0)
        mode = termios.tcgetattr(0)
        mode[0] &= ~(termios.ICRNL | termios.IXON)
        mode[3] &= ~(termios.ISIG | termios.IEXTEN)
        termios.tcsetattr(0, termios.TCSANOW, mode)
        write("\x1b[?2004h")
        agent.greet()
        agent.misbehave(os.environ.get("MOSAIC_DOGFOOD_MISBEHAVE", ""))
        _serve(agent)
    finally:
        # A terminal that hung up takes nothing back.
        with contextlib.suppress(OSError, termios.error):
            write("\x1b[?2004l\r\n")
            termios.tcsetattr(0, termios.TCSANOW, before)


if __name__ == "__main__":
    main()
