"""The operator's console: what ``mosaic chat`` and the window on the fleet's socket run."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.errors import MosaicError
from connectors.tmux.plain import PlainConsole
from connectors.tmux.prompt import TerminalConsole

FAREWELL = "You left the console; the fleet goes on. `mosaic chat` opens it again."


async def run_console(
    socket_path: Path,
    history_path: Path | None = None,
    *,
    commands: Sequence[tuple[str, str]] = (),
    farewell: str = FAREWELL,
) -> int:
    """Talk with the person at standard input until they leave; return the exit status.

    At a terminal that is a prompt with history and completion of ``commands`` (names with their
    meaning); ``farewell`` is printed at the end. From a pipe each line is said, the answers are printed,
    and the end comes when all are there; status 1 when the daemon refuses or stays silent. The daemon
    may go away and come back meanwhile.
    """
    try:
        if sys.stdin.isatty() and sys.stdout.isatty():
            colour = "NO_COLOR" not in os.environ
            await TerminalConsole(socket_path, history_path, commands, colour=colour).run()
            sys.stdout.write(f"{farewell}\n")
        else:
            await PlainConsole(socket_path, sys.stdin, sys.stdout).run()
    except MosaicError as error:
        sys.stderr.write(f"mosaic: {error.message}\n")
        return 1
    return 0
