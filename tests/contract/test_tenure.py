"""The port Tenure, for every implementation: one holder of a name, over all daemons of a database."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import asyncpg
import pytest

from bot.errors import SetupError
from bot.ports import Tenure
from storage.database import Database, Target
from storage.supervision.tenure import PostgresTenure
from tests.fakes.tenure import MemoryTenure
from tests.stages.postgres import Tier


@dataclass(frozen=True)
class Hall:
    """Two processes that share a database; ``break_off`` ends the connections of both."""

    first: Tenure
    second: Tenure
    break_off: Callable[[], Awaitable[None]]


@pytest.fixture
async def in_memory() -> Hall:
    tenure = MemoryTenure()
    return Hall(tenure, tenure, tenure.break_off)


@pytest.fixture
async def in_postgres(embedded_database: Database) -> Hall:
    async def break_off() -> None:
        async with embedded_database.connection() as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            )

    return Hall(PostgresTenure(embedded_database), PostgresTenure(embedded_database), break_off)


@pytest.fixture(params=["in_memory", "in_postgres"])
def hall(request: pytest.FixtureRequest) -> Hall:
    found: Hall = request.getfixturevalue(request.param)
    return found


async def test_a_name_has_one_holder_and_another_is_told_to_go(hall: Hall) -> None:
    async with hall.first.hold("bot"), hall.second.hold("another bot"):
        with pytest.raises(SetupError, match="another process"):
            async with hall.second.hold("bot"):
                pass


async def test_a_name_is_free_once_its_holder_ended_in_whatever_way(hall: Hall) -> None:
    async with hall.first.hold("bot") as lost:
        assert not lost.is_set()
    with pytest.raises(ValueError, match="it fell"):
        async with hall.second.hold("bot"):
            raise ValueError("it fell")
    async with hall.first.hold("bot"):
        pass


async def test_a_holder_learns_that_it_lost_its_name(hall: Hall) -> None:
    async with hall.first.hold("bot") as lost:
        await hall.break_off()
        async with asyncio.timeout(10):
            await lost.wait()
        async with hall.second.hold("bot"):
            pass


async def test_whoever_is_cut_short_while_taking_a_name_leaves_no_lock(
    embedded_database: Database, embedded: Tier
) -> None:
    tenure = PostgresTenure(embedded_database)

    async def pass_through() -> None:
        async with tenure.hold("bot"):
            pass

    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    async with embedded_database.connection() as another:
        for turns in range(40):
            taking = asyncio.create_task(pass_through())
            for _ in range(turns):
                await asyncio.sleep(0)
            _ask_meanwhile(embedded.target("postgres"))
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)
            async with asyncio.timeout(10):
                while await another.fetchval(held):
                    pass


def _ask_meanwhile(target: Target) -> None:
    """Let the server answer a question of somebody else while this loop stands: what it was asked before has its answer."""

    async def ask() -> None:
        connection = await asyncpg.connect(**target.arguments())
        await connection.close()

    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(asyncio.run, ask()).result()
