"""The register of agents and the record of ticks, in Postgres."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from bot.supervision.ports import Sighting, TickRecord, Verdict, Worker
from storage.database import Database
from storage.queries import Queries


class PostgresWorkers:
    """The port Workers. A report that changes something notifies the channel ``supervisor``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("supervision")

    async def report(self, host: str, sightings: Sequence[Sighting]) -> None:
        """Say how all agents of a host are."""
        said = [asdict(one) | {"name": one.place.partition("/")[2]} for one in sightings]
        async with self._database.connection() as connection:
            await self._queries.report_workers.execute(connection, host=host, sightings=said)

    async def all(self) -> Sequence[Worker]:
        """Return every agent, by place."""
        async with self._database.connection() as connection:
            rows = await self._queries.list_workers.fetch(connection)
        return [_worker(row) for row in rows]

    async def was_reset(self, place: str) -> None:
        """Note that an agent was begun anew."""
        async with self._database.connection() as connection:
            await self._queries.was_reset.execute(connection, place=place)

    async def limit(self, limits: Mapping[str, int]) -> None:
        """Set the slots; whoever holds one too many goes on without it."""
        async with self._database.transaction() as connection:
            await self._queries.drop_slots.execute(connection, limits=dict(limits))
            await self._queries.add_slots.execute(connection, limits=dict(limits))


class PostgresTicks:
    """The port Ticks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("supervision")

    async def record(self, tick: TickRecord, verdicts: Sequence[Verdict]) -> None:
        """Write a tick down."""
        said = [asdict(one) | {"at": one.at.isoformat()} for one in verdicts]
        async with self._database.connection() as connection:
            await self._queries.record_tick.execute(connection, verdicts=said, **asdict(tick))

    async def recent(self, limit: int) -> Sequence[TickRecord]:
        """Return the newest ticks, newest first."""
        async with self._database.connection() as connection:
            rows = await self._queries.list_ticks.fetch(connection, row_limit=limit)
        return [TickRecord(**dict(row)) for row in rows]

    async def verdicts(self, subject: str, limit: int) -> Sequence[Verdict]:
        """Return the newest verdicts on a subject, newest first."""
        async with self._database.connection() as connection:
            rows = await self._queries.list_verdicts.fetch(
                connection, subject=subject, row_limit=limit
            )
        return [Verdict(**dict(row)) for row in rows]

    async def standing(self) -> Mapping[str, Verdict]:
        """Return the newest verdict on every subject."""
        async with self._database.connection() as connection:
            rows = await self._queries.list_standing.fetch(connection)
        return {row["subject"]: Verdict(**dict(row)) for row in rows}

    async def prune(self, age: timedelta) -> int:
        """Forget old ticks."""
        async with self._database.connection() as connection:
            count = await self._queries.prune_ticks.fetchval(connection, age=age)
        return int(count)


def _worker(row: Any) -> Worker:
    names = Sighting.__dataclass_fields__
    return Worker(
        Sighting(**{name: row[name] for name in names}),
        since=row["since"],
        host_seen_at=row["seen_at"],
        failures=row["failures"],
        rests_until=row["rests_until"],
        needs_reset=row["needs_reset"],
        class_is_full=row["class_is_full"],
    )
