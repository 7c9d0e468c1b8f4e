"""Processes on this host, read from /proc (proc(5)): parents, descendants, and their end."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """One process for good: its number together with the tick at which it started.

    ``stopped`` says that it was held (SIGSTOP, a debugger) when it was looked at.
    """

    pid: int
    parent: int
    started: int
    stopped: bool = False

    def alive(self) -> bool:
        """Whether this very process still runs (a zombie has ended)."""
        now = find(self.pid)
        return now is not None and now.started == self.started


def find(pid: int) -> Process | None:
    """Return a process, None when there is none or only its zombie."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    if fields[0] in {"Z", "X"}:
        return None
    return Process(
        pid, parent=int(fields[1]), started=int(fields[19]), stopped=fields[0] in {"T", "t"}
    )


def running() -> Sequence[Process]:
    """Return every process that runs now."""
    pids = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal())
    return [process for pid in pids if (process := find(pid)) is not None]


def ancestors(pid: int) -> Sequence[int]:
    """Return a process's own number, its parent's and so on up to the first one."""
    chain: list[int] = []
    while pid > 0 and pid not in chain:
        process = find(pid)
        if process is None:
            break
        chain.append(pid)
        pid = process.parent
    return chain


def any_named(pids: Iterable[int], name: str) -> bool:
    """Whether one of the processes bears a name that begins so (comm in proc(5); a server's is ``tmux: server``)."""
    return any(_name(pid).startswith(name) for pid in pids)


def _name(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "comm").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def descendants(pid: int) -> Sequence[Process]:
    """Return a process and everything below it."""
    everything = running()
    family = {pid}
    grown = True
    while grown:
        born = {process.pid for process in everything if process.parent in family} - family
        family |= born
        grown = bool(born)
    return [process for process in everything if process.pid in family]


def bearing(mark: str) -> Sequence[Process]:
    """Return the processes that were started with ``NAME=value`` in their environment, ours excepted.

    It finds what left its terminal's family (a server put into the background).
    """
    spared = set(ancestors(os.getpid()))
    needle = mark.encode()
    return [
        process
        for process in running()
        if process.pid not in spared and needle in _environment(process.pid)
    ]


def _environment(pid: int) -> list[bytes]:
    try:
        return (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def open_files(pid: int) -> Sequence[str]:
    """Return the paths that a process holds open, none of one that has ended or is not ours to ask."""
    try:
        numbers = list((_PROC / str(pid) / "fd").iterdir())
    except OSError:
        return []
    found = []
    for number in numbers:
        with contextlib.suppress(OSError):  # closed since
            found.append(str(number.readlink()))
    return found


def end(processes: Iterable[Process], patience_seconds: float = 2.0) -> None:
    """See to it that processes end: wait, then SIGTERM, then SIGKILL, each by number and start. Blocks."""
    left = [process for process in processes if process.alive()]
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        if number is not None:
            _send(left, number)
        left = _wait(left, patience_seconds)
        if not left:
            return


def _send(processes: Iterable[Process], number: signal.Signals) -> None:
    for process in processes:
        if process.alive():
            try:
                os.kill(process.pid, number)
            except ProcessLookupError:
                continue


def _wait(processes: Sequence[Process], seconds: float) -> list[Process]:
    deadline = time.monotonic() + seconds
    return _poll(lambda: [process for process in processes if process.alive()], deadline)


def _poll(look: Callable[[], list[Process]], deadline: float) -> list[Process]:
    while (left := look()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left
