"""A process that holds a database as the daemon does: ``python -m tests.stages.database_holder DATA``.

It writes ``ready`` and what the part said for every time that the database works.
"""

import asyncio
import signal
import sys
from pathlib import Path

from storage.database import Database
from storage.part import DatabasePart


async def _hold(data: Path) -> None:
    await DatabasePart(Database(), data).run(lambda detail: print("ready", detail, flush=True))  # noqa: T201


if __name__ == "__main__":
    # A shell's background job, and so a test run in one, inherits it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    asyncio.run(_hold(Path(sys.argv[1])))
