"""The commands that a dogfood agent runs beside its keyboard. Lists of words: no shell reads what somebody wrote."""

import json
import subprocess
import sys
import time
from pathlib import Path

from fleet.dogfood.message import Errand

_MOSAIC = (sys.executable, "-P", "-m", "bot")
_NOT_RUNNING = 3
_AGAIN_SECONDS = 1.0
_PATIENCE_SECONDS = 60.0


class Letters:
    """Mail to peers, and files to whoever asked, sent without waiting for it."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[bytes]] = []

    def send(self, host: str, name: str, text: str) -> None:
        """Send a message to an agent."""
        self._begin("agent", "send", name, "--host", host, text)

    def enclose(self, path: str, message_id: str) -> None:
        """Send a file to where a message came from."""
        caption = f"as you sent it: {path.rpartition('/')[2]}"
        self._begin("agent", "enclose", path, "--to", message_id, "--caption", caption)

    def _begin(self, *words: str) -> None:
        self._running = [letter for letter in self._running if letter.poll() is None]
        quiet = subprocess.DEVNULL
        told = (*_MOSAIC, *words)
        self._running.append(subprocess.Popen(told, stdin=quiet, stdout=quiet, stderr=quiet))


class Completion:
    """One ``mosaic backlog complete``, begun at once; a daemon that is away is waited for, a minute long.

    ``folder`` holds what the command says while it runs, in a file without a name.
    """

    def __init__(self, errand: Errand, folder: Path) -> None:
        self._errand = errand
        self._folder = folder
        self._give_up_at = time.monotonic() + _PATIENCE_SECONDS
        self._again_at = 0.0
        self._begin()

    def _begin(self) -> None:
        path = self._folder / f".{self._errand.card}.completion"
        self._said = path.open("w+b")
        path.unlink()
        words = ("backlog", "complete", "--id", self._errand.card, "--token", self._errand.token)
        self._process: subprocess.Popen[bytes] | None = subprocess.Popen(
            [*_MOSAIC, *words, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=subprocess.DEVNULL,
        )

    def ended(self) -> str | None:
        """Return None while it runs, then an empty text when the card is done, else why it is not."""
        now = time.monotonic()
        if self._process is None:
            if now >= self._again_at:
                self._begin()
            return None
        status = self._process.poll()
        if status is None:
            return None
        if status == _NOT_RUNNING and now < self._give_up_at:
            self._process, self._again_at = None, now + _AGAIN_SECONDS
            self._said.close()
            return None
        return "" if status == 0 else self._why(status)

    def stop(self) -> None:
        """End it; whether the card is done is then not known here."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def _why(self, status: int) -> str:
        self._said.seek(0)
        try:
            return str(json.loads(self._said.read())["error"]["code"])
        except (ValueError, KeyError, TypeError):
            return f"exit status {status}"
