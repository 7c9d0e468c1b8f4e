"""What only the real store can show: counters that drifted, and transactions that last too long."""

from datetime import timedelta

import pytest

from bot.backlog.cards import Drift
from bot.errors import TransientError
from storage.database import Database
from tests.stages.backlog import ANN, BacklogStage, clear, postgres_stage

pytestmark = pytest.mark.parametrize(
    "backlog_tier", ["embedded", "server"], indirect=True, scope="module"
)


@pytest.fixture
async def stage(backlog_database: Database) -> BacklogStage:
    await clear(backlog_database)
    return postgres_stage(backlog_database)


async def test_a_counter_that_drifted_is_set_right_and_told(
    stage: BacklogStage, backlog_database: Database
) -> None:
    await stage.make("A", "FREE")
    await stage.make("B", needs=("A",))
    async with backlog_database.connection() as connection:
        await connection.execute("UPDATE card SET unmet_deps = 0 WHERE id = 'B'")
        await connection.execute("UPDATE card SET unmet_deps = 7 WHERE id = 'FREE'")
    assert await stage.recount.recount(ANN) == [Drift("B", 0, 1), Drift("FREE", 7, 0)]
    assert [(await stage.card(name)).unmet_deps for name in ("A", "B", "FREE")] == [0, 1, 0]
    event = (await stage.shelf.show("B"))[1][-1]
    assert (event.action, event.detail) == ("recount", {"unmet_deps": {"from": 0, "to": 1}})
    assert await stage.recount.recount(ANN) == []


async def test_a_transaction_that_lasts_is_found_and_can_be_ended(
    stage: BacklogStage, backlog_database: Database
) -> None:
    await stage.make("A")
    with pytest.raises(TransientError):
        await outlast(stage, backlog_database)
    assert (await stage.card("A")).id == "A"


async def outlast(stage: BacklogStage, database: Database) -> None:
    async with database.transaction() as holder:
        pid = await holder.fetchval("SELECT pg_backend_pid()")
        found = await stage.housekeeping.old_transactions(timedelta())
        (mine,) = [one for one in found if one.pid == pid]
        assert (mine.ours, mine.state) == (True, "idle in transaction")
        assert await stage.housekeeping.old_transactions(timedelta(hours=1)) == []
        assert await stage.housekeeping.end(mine)
        await holder.execute("SELECT 1")
