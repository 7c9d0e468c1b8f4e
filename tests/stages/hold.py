"""A program that is held from outside, as a debugger holds it: every thread of it, and of all that it started.

A plain SIGSTOP proves nothing: tmux continues a stopped pane at once. A tracer stops each thread by itself
(ptrace(2), PTRACE_SEIZE and PTRACE_INTERRUPT), and no SIGCONT lets it go; when the tracer ends, everything goes on.
It is a process of its own, since a tracer is one thread for good.
"""

import asyncio
import contextlib
import ctypes
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fleet.host import processes

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17
_WALL = 0x40000000
_HELD = b"held\n"


@asynccontextmanager
async def held_still(pid: int) -> AsyncIterator[None]:
    """Hold a process and everything below it until the block ends; AssertionError where that is not allowed."""
    tracer = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.stages.hold", str(pid), stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    assert tracer.stdout is not None
    try:
        if await tracer.stdout.readline() != _HELD:
            _, err = await tracer.communicate()
            raise AssertionError(f"{pid} cannot be held: {err.decode()[-400:]}")
        yield
    finally:
        await tracer.communicate(b"")  # the end of its input lets everything go


def _hold(pid: int) -> list[int]:
    """Stop every thread of a family, also those that are born meanwhile; return them with those that ended."""
    known: list[int] = []
    while fresh := [tid for tid in _threads(pid) if tid not in known]:
        for tid in fresh:
            known.append(tid)
            # One that ends just now may not be seized: EPERM. The program itself must be.
            with contextlib.suppress(
                ProcessLookupError, *([] if tid == pid else [PermissionError])
            ):
                _trace(_SEIZE, tid)
                _trace(_INTERRUPT, tid)
                os.waitpid(tid, _WALL)
    return known


def _threads(pid: int) -> list[int]:
    found: list[int] = []
    for process in processes.descendants(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += [int(task.name) for task in Path(f"/proc/{process.pid}/task").iterdir()]
    return found


def _trace(request: int, tid: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    library.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if library.ptrace(request, tid, None, None) != 0:
        number = ctypes.get_errno()
        hint = "a test that holds programs runs as root, or with kernel.yama.ptrace_scope=0"
        raise OSError(number, f"ptrace: {os.strerror(number)} ({hint})")


def main() -> None:
    """Hold a process until standard input ends."""
    held = _hold(int(sys.argv[1]))
    sys.stdout.buffer.write(_HELD)
    sys.stdout.flush()
    sys.stdin.read()
    for tid in held:
        with contextlib.suppress(ProcessLookupError):
            _trace(_DETACH, tid)


if __name__ == "__main__":
    main()
