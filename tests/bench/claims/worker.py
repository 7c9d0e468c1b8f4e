"""A process that claims through Python: ``python -m tests.bench.claims.worker NAME CLAIMERS SECONDS BACK_EVERY SOCKET DB``.

It waits for a line on standard input, claims for so long, and prints the latencies in
milliseconds. What brings claimed cards back is not among them.
"""

import asyncio
import json
import logging
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from bot.model import Caller, Principal, Via
from storage.backlog.claims import PostgresClaims
from storage.database import Database, Target
from tests.bench.claims.contenders import BY_PYTHON

Claim = Callable[[], Awaitable[bool]]
Way = tuple[Claim, Callable[[str], Awaitable[object]]]
_SHOWN = 20_000


@asynccontextmanager
async def _ours(target: Target, claimers: int) -> AsyncIterator[Way]:
    database = Database(size=claimers)
    await database.open(target)
    claims = PostgresClaims(database)
    caller = Caller(Principal("agent:east/worker-1", "worker-1"), Via.CLI)

    async def claim() -> bool:
        card = await claims.claim("worker-1", timedelta(minutes=15), None, caller)
        return card is not None

    async def execute(statement: str) -> None:
        async with database.connection() as connection:
            await connection.execute(statement)

    yield claim, execute
    await database.close()


@asynccontextmanager
async def _procrastinate(target: Target, claimers: int) -> AsyncIterator[Way]:
    import procrastinate

    arguments = target.arguments()
    connector = procrastinate.PsycopgConnector(
        kwargs={
            "host": arguments["host"][0],
            "user": arguments["user"],
            "dbname": arguments["database"],
        },
        min_size=claimers,
        max_size=claimers,
    )
    app = procrastinate.App(connector=connector)
    async with app.open_async():
        worker = await app.job_manager.register_worker()

        async def claim() -> bool:
            return await app.job_manager.fetch_job(queues=None, worker_id=worker) is not None

        yield claim, connector.execute_query_async


@asynccontextmanager
async def _pgqueuer(target: Target, claimers: int) -> AsyncIterator[Way]:
    import asyncpg
    from pgqueuer.db import AsyncpgPoolDriver
    from pgqueuer.ports.repository import EntrypointExecutionParameter
    from pgqueuer.queries import Queries
    from pgqueuer.types import QueueEntrypoint, QueueManagerId

    async with asyncpg.create_pool(
        **target.arguments(), min_size=claimers, max_size=claimers
    ) as pool:
        queries = Queries(AsyncpgPoolDriver(pool))
        parameters = EntrypointExecutionParameter(0)
        manager = QueueManagerId(uuid.uuid4())

        async def claim() -> bool:
            jobs = await queries.dequeue(
                1, {QueueEntrypoint("task"): parameters}, manager, None, timedelta(seconds=600)
            )
            return bool(jobs)

        yield claim, pool.execute


_WAYS = {"ours, by Python": _ours, "procrastinate": _procrastinate, "pgqueuer": _pgqueuer}


async def _measure(
    name: str, claimers: int, seconds: float, back_every: int, target: Target
) -> None:
    back = next(one.back for one in BY_PYTHON if one.name == name)
    async with _WAYS[name](target, claimers) as (claim, execute):
        await claim()  # prepares
        print("ready", flush=True)
        sys.stdin.readline()
        began = time.perf_counter()
        latencies: list[float] = []

        async def work() -> None:
            since = 0
            while time.perf_counter() - began < seconds:
                asked = time.perf_counter()
                if await claim():
                    latencies.append((time.perf_counter() - asked) * 1000)
                since += 1
                if since >= back_every:
                    await execute(back)
                    since = 0

        await asyncio.gather(*(work() for _ in range(claimers)))
        print(json.dumps(latencies[:_SHOWN]), flush=True)


def main() -> None:
    """Read the arguments and measure."""
    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    name, claimers, seconds, back_every, socket_directory, database = sys.argv[1:]
    target = Target(socket_directory=Path(socket_directory), database=database)
    asyncio.run(_measure(name, int(claimers), float(seconds), int(back_every), target))


if __name__ == "__main__":
    main()
