"""Memory that lies free in the process is given back: a daemon that runs for weeks is then as large as what it needs.

What is in use stays the same over thousands of messages, but free pieces between pieces in use stay with the process:
some 2 MB for every thousand messages, seen in ``make bench-soak``.
"""

import asyncio
import ctypes
from datetime import timedelta

from bot.clock.schedule import Job

_EVERY = timedelta(minutes=1)


def memory_job() -> Job:
    """Return the job that gives free memory back once a minute; on a C library without malloc_trim(3) it does nothing."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)

    async def give_back() -> None:
        if trim is not None:
            await asyncio.to_thread(trim, 0)

    return Job("memory", _EVERY, give_back)
