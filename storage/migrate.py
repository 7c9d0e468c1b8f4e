"""Migrations: ``sql/migrations/NNNN_name.sql``, forward only, each run once."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from bot.errors import SetupError
from storage.database import Connection, Database

_NAME = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
_LOCK = 0x6D6F73616963  # "mosaic": one number for every installation that shares a database
_TABLE = """
CREATE TABLE IF NOT EXISTS migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema; its checksum is over the file's text."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """Return the migrations that ship with this code, in order."""
    found = []
    for item in resources.files("storage.sql.migrations").iterdir():
        match = _NAME.match(item.name)
        if match is not None:
            found.append(Migration(int(match[1]), match[2], item.read_text("utf-8")))
    found.sort(key=lambda migration: migration.number)
    numbers = [migration.number for migration in found]
    if numbers != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations are not numbered from 1 without holes: {numbers}")
    return found


async def migrate(database: Database, steps: Sequence[Migration] | None = None) -> int:
    """Bring the schema up to this code, all steps or none; return how many ran.

    Others who start at the same time wait under an advisory lock. SetupError when the database is newer
    than this code, or when a step that ran there is not the one that ships here.
    """
    wanted = migrations() if steps is None else list(steps)
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
        applied = await _applied(connection)
        _compare(wanted, applied)
        missing = [step for step in wanted if step.number not in applied]
        for step in missing:
            await connection.execute(step.sql)
            await connection.execute(
                "INSERT INTO migration (number, name, checksum) VALUES ($1, $2, $3)",
                step.number,
                step.name,
                step.checksum,
            )
    return len(missing)


async def _applied(connection: Connection) -> dict[int, tuple[str, str]]:
    # IF NOT EXISTS alone would say a notice at every start and need the right to create.
    if await connection.fetchval("SELECT to_regclass('migration') IS NULL"):
        await connection.execute(_TABLE)
    rows = await connection.fetch("SELECT number, name, checksum FROM migration")
    return {row["number"]: (row["name"], row["checksum"]) for row in rows}


def _compare(wanted: Sequence[Migration], applied: dict[int, tuple[str, str]]) -> None:
    known = {step.number: step for step in wanted}
    for number, (name, checksum) in sorted(applied.items()):
        step = known.get(number)
        if step is None:
            raise SetupError(
                f"the database is newer than this program: it has migration {number:04} ({name})",
                hint="start the newer version, or use another database",
            )
        if step.checksum != checksum:
            raise SetupError(
                f"migration {number:04} ({name}) ran in this database in another form",
                hint="a released migration never changes: use the version that made this database",
            )
