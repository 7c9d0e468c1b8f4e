"""The dogfood runtime: a small real program in a real terminal that needs no model and no account.

``python -m fleet.dogfood``, told who it is by MOSAIC_HOME and MOSAIC_AGENT_NAME. It shows a prompt, writes
a heartbeat and its events, and answers every message with its first line (spec 3-contracts, The dogfood
runtime). MOSAIC_DOGFOOD_SECONDS lets it take its time; MOSAIC_DOGFOOD_MISBEHAVE, or a line such as
``/dialog`` typed into it, makes it misbehave. Standard library only: it is up in a moment.
"""

import contextlib
import json
import math
import os
import re
import select
import signal
import subprocess
import sys
import termios
import time
import tty
import uuid
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

from fleet.keys import Key, KeyReader, Typed

PROMPT = "dogfood ❯ "  # noqa: RUF001 - a glyph that nobody types
WORKING = "dogfood … "
ASKING = "dogfood ? "

_ESCAPE_SECONDS = 0.05
_BEAT_SECONDS = 15.0
_HEADER = re.compile(
    r"\[from (?P<sender>[^\n]*) → to [^\n]* \| class (?P<tag>[^\n]*) \| id (?P<id>\S+)\]"
)
_AGENT = re.compile(
    r"(?P<host>(?!(?:local|matrix|discord):)[A-Za-z0-9][\w.-]*):(?P<name>[A-Za-z0-9][\w-]*)"
)
_DRILLS = ("hang", "die", "dialog", "draft TEXT", "slow SECONDS", "fail HOW", "talk", "help")
_RESET, _BOLD, _DIM, _CYAN, _GREEN, _YELLOW = (
    f"\x1b[{code}m" for code in ("0", "1", "2", "36", "32", "33")
)


class Dogfood:
    """One agent: its draft, its queue, and what it is doing."""

    def __init__(self, home: Path, name: str, seconds: float, columns: int) -> None:
        self._name = name
        self._run = home / "fleet" / "run"
        self._seconds = seconds
        self.columns = columns
        self._session_id = uuid.uuid4().hex
        self._draft = ""
        self._queue: deque[str] = deque()
        self._working_on: str | None = None
        self._done_at = 0.0
        self._dialog: str | None = None
        self._talks = False
        self._failure = ""
        self._letters: list[subprocess.Popen[bytes]] = []
        self._beat_at = 0.0
        self._beaten = ""

    # -- time ------------------------------------------------------------------------------------------

    def wait_seconds(self) -> float:
        """Return how long nothing has to be done unless somebody types."""
        due = self._beat_at if self._working_on is None else min(self._beat_at, self._done_at)
        return max(0.0, due - time.monotonic())

    def pass_time(self) -> None:
        """Do what has fallen due: end a turn, beat."""
        if self._working_on is not None and time.monotonic() >= self._done_at:
            failure, self._failure = self._failure, ""
            self._end_turn(self._working_on, failure)
        if time.monotonic() >= self._beat_at or self._state()[0] != self._beaten:
            self._beat()

    def _state(self) -> tuple[str, str]:
        if self._dialog is not None:
            return "blocked", f"dialog: {self._dialog}"
        if self._working_on is not None:
            return "busy", f"{len(self._queue)} queued"
        if self._draft:
            return "draft", "text in the prompt"
        return "prompt", "turn ended, prompt empty"

    def _beat(self) -> None:
        state, evidence = self._state()
        beat = {
            "at": _now(),
            "pid": os.getpid(),
            "session_id": self._session_id,
            "state": state,
            "evidence": evidence,
        }
        draft = self._run / f".{self._name}.hb.new"
        draft.write_text(json.dumps(beat), encoding="utf-8")
        draft.replace(self._run / f"{self._name}.hb")
        self._beat_at = time.monotonic() + _BEAT_SECONDS
        self._beaten = state

    # -- what is typed ---------------------------------------------------------------------------------

    def take(self, item: Key | Typed) -> None:
        """Do what a key or a text asks for."""
        if self._dialog is not None:
            self._take_in_dialog(item)
        elif isinstance(item, Typed):
            self._draft += "".join(c for c in item.text if c.isprintable() or c in "\n\t")
        elif item is Key.ENTER:
            self._submit()
        elif item in {Key.ERASE, Key.BACKSPACE}:
            self._draft = self._draft[:-1]
        elif item is Key.ESCAPE and self._working_on is not None:
            self._end_turn(self._working_on, failure="interrupted")
        elif item in {Key.CLEAR, Key.INTERRUPT}:
            self._draft = ""
        elif item is Key.END and not self._draft:
            raise SystemExit(0)

    def _take_in_dialog(self, item: Key | Typed) -> None:
        pressed = item.text[:1] if isinstance(item, Typed) else item.name.lower()
        if pressed in {"y", "enter", "n", "escape", "interrupt"}:
            said = "allowed" if pressed in {"y", "enter"} else "refused"
            self._record({"event": "dialog_answered", "answer": said})
            self._dialog = None
            self._print(f"{_DIM}  {said}{_RESET}\n")

    def _submit(self) -> None:
        text, self._draft = self._draft, ""
        if not text.strip():
            return
        if text.startswith("/"):
            self._drill(text[1:])
            return
        self._record({"event": "submitted", "text": text})
        if self._working_on is None:
            self._begin_turn(text)
        else:
            self._queue.append(text)

    # -- turns -----------------------------------------------------------------------------------------

    def _begin_turn(self, text: str) -> None:
        self._working_on = text
        self._done_at = time.monotonic() + self._seconds
        found = _HEADER.match(text)
        sender = "typed here" if found is None else f"{found['sender']} · {found['tag']}"
        shown = "".join(f"  {line[: self.columns - 4]}\n" for line in _body(text)[:20])
        self._print(f"{_CYAN}●{_RESET} {_BOLD}{sender}{_RESET}\n{shown}")

    def _end_turn(self, text: str, failure: str = "") -> None:
        answer = f"dogfood {self._name}: {failure or _first_line(text)}"
        self._print(f"{_GREEN}◆{_RESET} {answer}\n\n")
        if failure:
            self._record({"event": "turn_failed", "text": text, "code": failure})
        else:
            self._record({"event": "turn_ended", "text": text, "answer": answer})
        self._working_on = None
        if self._talks and not failure:
            self._write_back(text, answer)
        if self._queue:
            self._begin_turn(self._queue.popleft())

    def _write_back(self, text: str, answer: str) -> None:
        """Answer an agent's message with one of our own, as a model would that cannot stop."""
        header = _HEADER.match(text)
        sender = header and _AGENT.fullmatch(header["sender"])
        if not sender:
            return
        self._letters = [letter for letter in self._letters if letter.poll() is None]
        words = ("agent", "send", sender["name"], "--host", sender["host"], answer)
        quiet = subprocess.DEVNULL
        self._letters.append(
            subprocess.Popen(  # a list, so no shell reads what somebody wrote
                [sys.executable, "-P", "-m", "bot", *words], stdin=quiet, stdout=quiet, stderr=quiet
            )
        )

    def _record(self, event: dict[str, str]) -> None:
        line = json.dumps(event | {"session_id": self._session_id, "at": _now()}) + "\n"
        with (self._run / f"{self._name}.events").open("a", encoding="utf-8") as file:
            file.write(line)

    # -- drills ----------------------------------------------------------------------------------------

    def _drill(self, order: str) -> None:
        word, _, rest = order.partition(" ")
        match word:
            case "hang":
                self.hang()
            case "die":
                raise SystemExit(3)
            case "dialog":
                self._ask("Permission")
            case "draft":
                self._draft = rest or "half a thought"
            case "fail":
                self._failure = rest or "error"
            case "talk":
                self._talks = True
            case "slow":
                self._seconds = _number(rest, 3.0)
            case _:
                drills = " · ".join(f"/{drill}" for drill in _DRILLS)
                self._print(f"{_DIM}  for drills: {drills}{_RESET}\n")

    def misbehave(self, how: str) -> None:
        """Begin as told by MOSAIC_DOGFOOD_MISBEHAVE; an empty word is good behaviour."""
        if how:
            self._drill(how)

    def hang(self) -> None:
        """Never read or beat again, with the prompt as it stands."""
        self._print(f"{_DIM}  hanging from now on{_RESET}\n")
        self._beat()
        self.draw()
        while True:
            signal.pause()

    def _ask(self, title: str) -> None:
        self._dialog = title
        rule = "─" * 28
        self._print(
            f"{_YELLOW}┌─ {title} {rule}{_RESET}\n{_YELLOW}│{_RESET} Run the drill's command?\n"
            f"{_YELLOW}│{_RESET}   y yes     n no\n{_YELLOW}└{rule}{_RESET}\n"
        )

    # -- the screen ------------------------------------------------------------------------------------

    def greet(self) -> None:
        """Say who is here."""
        who = f" dogfood · {self._name} "
        width = max(44, len(who) + 2)
        lines = (
            f"╭{'─' * width}╮",
            f"│{who.ljust(width)}│",
            f"│{' A small agent without a model. /help'.ljust(width)}│",
            f"╰{'─' * width}╯",
        )
        self._print("".join(f"{_CYAN}{line}{_RESET}\n" for line in lines) + "\n")

    def draw(self) -> None:
        """Show the line on which the cursor stands: the prompt with the end of the draft, or the state."""
        lead, rest = PROMPT, self._draft
        if self._dialog is not None:
            lead, rest = ASKING, ""
        elif self._working_on is not None:
            queued = f" · {len(self._queue)} queued" if self._queue else ""
            lead, rest = WORKING, f"working{queued}" + (f" · {rest}" if rest else "")
        shown = _tail(rest, self.columns - len(lead) - 1)
        _write(f"\r\x1b[K{_BOLD}{lead}{_RESET}{shown}")

    def _print(self, text: str) -> None:
        _write(f"\r\x1b[K{text}")


def _body(text: str) -> list[str]:
    lines = text.split("\n")
    found = _HEADER.match(text)
    if found is not None:
        lines = lines[1:]
        if lines and lines[-1] == f"[end {found['id']}]":
            lines.pop()
    return lines


def _first_line(text: str) -> str:
    """Return the body's first line that says something, at most 80 characters of it."""
    line = next((line.strip() for line in _body(text) if line.strip()), "")
    return "".join(c for c in line if c.isprintable())[:80]


def _tail(text: str, columns: int) -> str:
    """Return as much of a text's end as fits, on one line."""
    import unicodedata  # noqa: PLC0415 - a megabyte that a start need not wait for

    flat = text[-2 * columns :].replace("\n", "⏎").replace("\t", " ")
    room = columns - 1
    for at in range(len(flat) - 1, -1, -1):
        wide = unicodedata.east_asian_width(flat[at]) in {"W", "F"}
        room -= 0 if unicodedata.combining(flat[at]) else 1 + wide
        if room < 0:
            return f"…{flat[at + 1 :]}"
    return flat if len(text) == len(flat) else f"…{flat}"


def _number(text: str, default: float) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        return default


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _write(text: str) -> None:
    content = text.encode(errors="replace")
    while content:
        content = content[os.write(1, content) :]


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


def main() -> None:
    """Run until told to stop; the terminal is given back as it was found."""
    environment = os.environ
    agent = Dogfood(
        Path(environment["MOSAIC_HOME"]),
        environment["MOSAIC_AGENT_NAME"],
        _number(environment.get("MOSAIC_DOGFOOD_SECONDS", ""), 0.0),
        os.get_terminal_size(1).columns,
    )

    def resize(*_: object) -> None:
        agent.columns = os.get_terminal_size(1).columns
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
        _write("\x1b[?2004h")
        agent.greet()
        agent.misbehave(environment.get("MOSAIC_DOGFOOD_MISBEHAVE", ""))
        _serve(agent)
    finally:
        # A terminal that hung up takes nothing back.
        with contextlib.suppress(OSError, termios.error):
            _write("\x1b[?2004l\r\n")
            termios.tcsetattr(0, termios.TCSANOW, before)


if __name__ == "__main__":
    main()
