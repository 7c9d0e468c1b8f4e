"""A running postgres as a process: found, watched and signalled by its identity, never by a number alone."""

import asyncio
import contextlib
import itertools
import os
import select
import signal
import subprocess
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import IO

# Fast: open transactions end. Immediate: it recovers at its next start. Then the last resort.
_WAYS_TO_STOP = (
    (signal.SIGINT, timedelta(seconds=15)),
    (signal.SIGQUIT, timedelta(seconds=10)),
    (signal.SIGKILL, timedelta(seconds=10)),
)


class Postmaster:
    """The main process of the server on one data directory.

    It is held by a pidfd (Linux 5.3, pidfd_open(2)), so a number that the kernel gave to somebody else
    meanwhile is never signalled.
    """

    def __init__(self, pid: int, descriptor: int, child: "subprocess.Popen[bytes] | None") -> None:
        self.pid = pid
        self._descriptor = descriptor
        self._child = child

    @classmethod
    def spawn(
        cls, command: Sequence[str], environment: dict[str, str], log: IO[bytes]
    ) -> "Postmaster":
        """Start one in a session of its own: a Ctrl-C at our terminal is not meant for it."""
        child = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )
        return cls(child.pid, os.pidfd_open(child.pid), child)

    @classmethod
    def running(cls, cluster: Path) -> "Postmaster | None":
        """Return the postmaster of this data directory if one lives.

        Its pid file says which; since such a file can be lost, all processes are looked at otherwise.
        """
        for pid in _candidates(cluster):
            if is_postmaster(pid, cluster):
                with contextlib.suppress(ProcessLookupError):
                    descriptor = os.pidfd_open(pid)
                    if is_postmaster(pid, cluster):  # it still is, now that it cannot be replaced
                        return cls(pid, descriptor, None)
                    os.close(descriptor)
        return None

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return not poll.poll(0)

    async def exited(self) -> None:
        """Return once the process has ended, within milliseconds."""
        loop = asyncio.get_running_loop()
        gone = loop.create_future()

        def note() -> None:
            if not gone.done():
                gone.set_result(None)

        # A descriptor of its own: several may wait, and a loop knows each descriptor once.
        watched = os.dup(self._descriptor)
        loop.add_reader(watched, note)
        try:
            await gone
        finally:
            loop.remove_reader(watched)
            os.close(watched)

    async def stop(self) -> None:
        """End it: SIGINT, after 15 s SIGQUIT, after 10 s more SIGKILL; its children end with it."""
        for number, patience in _WAYS_TO_STOP:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience.total_seconds()):
                    await self.exited()
                return

    def forget(self) -> None:
        """Drop our hold on it; if it is our child and has ended, it is reaped."""
        if self._child is not None:
            if self.alive:
                self._child.returncode = 0  # it outlives us on purpose: no warning about it
            else:
                self._child.wait()
        os.close(self._descriptor)


def is_postmaster(pid: int, cluster: Path) -> bool:
    """Whether that process is a postgres server started on this data directory, by its command line."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    if os.path.basename(words[0]) != b"postgres":  # noqa: PTH119 - bytes, as the kernel gives them
        return False
    wanted = os.fsencode(cluster)
    return any(pair == (b"-D", wanted) for pair in itertools.pairwise(words))


def _candidates(cluster: Path) -> Iterator[int]:
    with contextlib.suppress(OSError, ValueError):
        yield int((cluster / "postmaster.pid").read_text("utf-8").split("\n", 1)[0])
    yield from (int(entry) for entry in os.listdir("/proc") if entry.isdigit())  # noqa: PTH208
