"""A pause in the middle of work, over the real store."""

import asyncio
from datetime import timedelta

from bot.model import Caller, Principal, Via
from storage.database import Database
from storage.pauses import PostgresPauses
from tests.stages.backlog import ANN, postgres_stage
from tests.waiting import until

CARDS = 400
CLAIMERS = 6


async def test_no_claim_that_begins_after_a_pause_takes_a_card(database: Database) -> None:
    stage, pauses = postgres_stage(database), PostgresPauses(database)
    await stage.make(*(f"C{number}" for number in range(CARDS)))
    clock = asyncio.get_running_loop().time
    taken: list[tuple[float, float]] = []
    refused = 0

    async def claimer(number: int) -> None:
        nonlocal refused
        by = Caller(Principal(f"agent:east/coder{number}", "coder"), Via.CLI)
        while len(taken) < CARDS:
            started = clock()
            card = await stage.claims.claim("w", timedelta(minutes=5), None, by)
            if card is None:
                refused += 1
            else:
                taken.append((started, clock()))

    async with asyncio.TaskGroup() as group:
        for number in range(CLAIMERS):
            group.create_task(claimer(number))
        await until(lambda: len(taken) > 50)
        await pauses.pause(ANN.principal, "deploy", freeze=False)
        paused_at, before = clock(), refused
        await until(lambda: refused > before + 10 * CLAIMERS)
        resumed_at = clock()
        await pauses.resume(ANN.principal)
    assert len(taken) == CARDS, "the resume went on"
    # One that began before the resume and was still under way then may have been let through by it.
    assert [one for one in taken if paused_at < one[0] and one[1] < resumed_at] == []


async def test_whoever_listens_hears_of_a_pause_and_of_its_end(database: Database) -> None:
    pauses = PostgresPauses(database)
    heard: list[str] = []
    async with database.listen("supervisor", heard.append):
        await pauses.pause(ANN.principal, None, freeze=False)
        await until(lambda: heard == ["pause"])
        await pauses.pause(ANN.principal, None, freeze=False)
        await pauses.mirror("east", "1", None)
        await until(lambda: heard == ["pause"] * 2)
        await pauses.mirror("east", "2", "the same file")
        await pauses.resume(ANN.principal)
        await until(lambda: heard == ["pause"] * 3)


async def test_two_daemons_of_one_host_mirror_one_file_once(database: Database) -> None:
    pauses = PostgresPauses(database)
    await asyncio.gather(*(pauses.mirror("east", "1", None) for _ in range(8)))
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM pause") == 1
