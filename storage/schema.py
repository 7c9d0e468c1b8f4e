"""The whole schema in one file to read: ``python -m storage.schema`` writes ``storage/schema.sql``.

It is made by running the migrations on an empty server and dumping what stands there then; a test says
when it is out of date.
"""

import asyncio
import subprocess
import tempfile
from pathlib import Path

from bot.errors import SetupError
from storage.database import Database, Target
from storage.migrate import migrate
from storage.server.binaries import Binaries, find_binaries
from storage.server.embedded import EmbeddedServer

SCHEMA = Path(__file__).with_name("schema.sql")
_HEAD = "-- Generated from the migrations by `python -m storage.schema`; read it, do not edit it.\n"
_NOISE = ("--", "\\", "SET ", "SELECT pg_catalog.set_config")


def dump(target: Target, binaries: Binaries) -> str:
    """Return the schema of an embedded server's database as SQL, the same text for the same schema."""
    command = [
        str(binaries.directory / "pg_dump"),
        "--schema-only",
        "--no-owner",
        "--no-privileges",
        f"--host={target.socket_directory}",
        f"--username={target.user}",
        target.database,
    ]
    done = subprocess.run(
        command, env=binaries.environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SetupError(f"pg_dump failed: {done.stderr.strip()}")
    return _HEAD + _normalized(done.stdout)


def _normalized(dumped: str) -> str:
    """Drop what differs between runs and versions: comments, session settings, blank lines in heaps."""
    lines = [line.rstrip() for line in dumped.splitlines() if not line.startswith(_NOISE)]
    text = "\n".join(lines)
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return "\n" + text.strip() + "\n"


async def generate() -> str:
    """Return what ``schema.sql`` should hold, from a server of its own."""
    with tempfile.TemporaryDirectory(prefix="mosaic-") as directory:
        server, database = EmbeddedServer(Path(directory) / "postgres"), Database()
        try:
            started = await server.start()
            await database.open(started.target)
            await migrate(database)
            return await asyncio.to_thread(dump, started.target, find_binaries())
        finally:
            await database.close()
            await server.stop()


if __name__ == "__main__":
    SCHEMA.write_text(asyncio.run(generate()), "utf-8")
