"""One writer per pane, over all processes: a lock on a file (flock(2)); the kernel lets go when we die."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from bot.errors import TransientError

_POLL_SECONDS = 0.02


@asynccontextmanager
async def held(
    path: Path, patience: timedelta, busy: str = "somebody else is typing into this pane"
) -> AsyncIterator[None]:
    """Hold the lock of a file within the block; TransientError ``busy`` when another keeps it too long."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = asyncio.get_running_loop().time() + patience.total_seconds()
        while not _try(descriptor):
            if asyncio.get_running_loop().time() > deadline:
                raise TransientError(busy)
            await asyncio.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
