"""A console in a real terminal: a window of a tmux server that belongs to one test."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.waiting import until

_RUN = """
import asyncio, pathlib, sys
from connectors.tmux.console import run_console
commands = [("help", "What there is"), ("backlog list", "List cards"), ("backlog create", "Make a card")]
status = asyncio.run(run_console(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), commands=commands))
print("left with", status, flush=True)
sys.stdin.read()
"""


class Terminal:
    """Types into a console and reads its screen."""

    def __init__(self, socket_path: Path) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="mosaic-tmux-"))
        self._tmux = ["tmux", "-u", "-S", str(self._directory / "s"), "-f", "/dev/null"]
        program = [sys.executable, "-c", _RUN, str(socket_path), str(self._directory / "history")]
        size = ["-x", "80", "-y", "30"]
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run(
            [*self._tmux, "new-session", "-d", *size, "--", *program], check=True, env=environment
        )

    def type(self, text: str) -> None:
        subprocess.run([*self._tmux, "send-keys", "-l", text], check=True)

    def press(self, *keys: str) -> None:
        subprocess.run([*self._tmux, "send-keys", *keys], check=True)

    def say(self, text: str) -> None:
        self.type(text)
        self.press("Enter")

    def screen(self) -> str:
        taken = subprocess.run(
            [*self._tmux, "capture-pane", "-p"], check=True, capture_output=True, text=True
        )
        return taken.stdout

    def row(self, words: str) -> str:
        """Return the last row on the screen that holds these words, empty if there is none."""
        return next((row for row in reversed(self.screen().splitlines()) if words in row), "")

    async def shows(self, words: str) -> str:
        """Wait for words on the screen; return the row."""
        return await until(lambda: self.row(words), what=f"{words!r} on the screen")

    def close(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], check=False)
        shutil.rmtree(self._directory)
