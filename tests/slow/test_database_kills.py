"""kill -9 of whoever holds the database, in a row, at any moment: the next start works and nothing is lost."""

import asyncio
import random
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path

import asyncpg
import pytest

from storage.database import Target
from storage.server.postmaster import Postmaster
from tests.stages.postgres import names_in

ROUNDS = 30
pytestmark = pytest.mark.slow


async def hold(data: Path) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.stages.database_holder",
        str(data),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
    )


async def ready(holder: Process) -> str:
    assert holder.stdout is not None
    async with asyncio.timeout(60):
        return (await holder.stdout.readline()).decode()


async def kill(holder: Process) -> None:
    if holder.returncode is None:
        holder.kill()
    await holder.wait()


async def write(data: Path, number: int) -> None:
    connection = await asyncpg.connect(**Target(socket_directory=data / "run").arguments())
    await connection.execute("CREATE TABLE IF NOT EXISTS written (number integer)")
    await connection.execute("INSERT INTO written VALUES ($1)", number)
    await connection.close()


async def numbers(data: Path) -> list[int]:
    connection = await asyncpg.connect(**Target(socket_directory=data / "run").arguments())
    rows = await connection.fetch("SELECT number FROM written ORDER BY number")
    await connection.close()
    return [row["number"] for row in rows]


async def test_thirty_kills_of_the_holder_in_a_row(short_directory: Path) -> None:
    data, chance = short_directory / "kills" / "postgres", random.Random(2)
    for number in range(ROUNDS):
        early = await hold(data)
        await asyncio.sleep(chance.uniform(0, 1.2))
        await kill(early)
        if number % 3 == 2:
            left = Postmaster.running(data / "cluster")
            if left is not None:
                signal.pidfd_send_signal(left._descriptor, signal.SIGKILL)
                left.forget()
        holder = await hold(data)
        assert (await ready(holder)).startswith("ready embedded PostgreSQL")
        await write(data, number)
        await kill(holder)
    holder = await hold(data)
    assert "embedded PostgreSQL" in await ready(holder)
    assert await numbers(data) == list(range(ROUNDS))
    holder.send_signal(signal.SIGINT)
    await holder.wait()
    assert Postmaster.running(data / "cluster") is None
    assert set(names_in(data)) <= {"cluster", "server.log", "server.log.1"}
