"""The port Sessions: one suite for real tmux and for memory."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.agents.sessions import Dialogs, Sessions
from bot.errors import UserError
from bot.ports import Fleet
from fleet.host.local import LocalFleet
from fleet.host.sessions import LocalSessions
from fleet.watch.dialogs import LocalDialogs
from tests.contract.test_fleet import AGENTS, local_fleet
from tests.fakes.fleet import HOST, MemoryFleet
from tests.fakes.pauses import MemoryPauses
from tests.fakes.sessions import MemoryDialogs, MemorySessions
from tests.waiting import until

Both = tuple[Fleet, Sessions]


@pytest_asyncio.fixture(params=["memory", "tmux"])
async def both(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Both]:
    if request.param == "memory":
        memory = MemoryFleet(*AGENTS)
        yield memory, MemorySessions(memory)
        return
    local = local_fleet(tmp_path)
    try:
        yield local, LocalSessions(local)
    finally:
        await local.shutdown()


async def prompt(sessions: Sessions) -> bool:
    return (await sessions.scene("coder0", 40)).state == "prompt"


async def test_a_scene_shows_the_end_of_the_screen_and_how_it_is_read(both: Both) -> None:
    fleet, sessions = both
    (record,) = await fleet.start("coder0")
    await until(lambda: prompt(sessions))
    scene = await sessions.scene("coder0", 1)
    assert (scene.pane_id, scene.session) == (record.pane_id, "coder0")
    assert scene.rows == ("dogfood \N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT}",)
    assert (scene.dialog, scene.draft_tail) == (None, None)


async def test_the_way_names_host_and_session(both: Both) -> None:
    fleet, sessions = both
    await fleet.start("coder0")
    way = await sessions.way("coder0")
    assert (way.name, way.host, way.session) == ("coder0", HOST, "coder0")
    assert way.socket is not None


async def test_who_does_not_run_has_no_screen(both: Both) -> None:
    _, sessions = both
    with pytest.raises(UserError, match="coder0 is not running"):
        await sessions.scene("coder0", 5)
    with pytest.raises(UserError, match="coder0 is not running"):
        await sessions.way("coder0")


async def test_unknown_names_are_refused_with_those_that_there_are(both: Both) -> None:
    _, sessions = both
    for asked in (sessions.scene("nobody", 5), sessions.way("nobody"), sessions.verify("nobody")):
        with pytest.raises(UserError, match="coder0, lead"):
            await asked


async def test_verify_tells_running_agents_from_those_that_are_not(both: Both) -> None:
    fleet, sessions = both
    await fleet.start("coder0")

    async def settled() -> bool:
        return all(check.well for check in await sessions.verify("coder0"))

    await until(settled)
    checks = await sessions.verify(None)
    assert {check.agent for check in checks if check.about == "session" and check.well} == {
        "coder0"
    }
    assert {check.agent for check in checks if not check.well} == {"lead"}


async def test_no_key_is_pressed_where_no_dialog_is_open(both: Both) -> None:
    fleet, sessions = both
    dialogs: Dialogs = (
        MemoryDialogs(fleet)
        if isinstance(fleet, MemoryFleet)
        else LocalDialogs(local_of(fleet), MemoryPauses())
    )
    with pytest.raises(UserError, match="coder0 is not running"):
        await dialogs.answer("coder0", "y")
    with pytest.raises(UserError, match="coder0, lead"):
        await dialogs.answer("nobody", "y")
    await fleet.start("coder0")
    await until(lambda: prompt(sessions))
    with pytest.raises(UserError, match="coder0 shows no dialog") as refused:
        await dialogs.answer("coder0", "y")
    assert refused.value.code == "no_dialog"
    assert (await sessions.scene("coder0", 1)).state == "prompt"


def local_of(fleet: Fleet) -> LocalFleet:
    assert isinstance(fleet, LocalFleet)
    return fleet
