"""The ports Fleet and Panes: one suite for the fleet on tmux and the one in memory."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

import pytest
import pytest_asyncio

from bot.config.places import Places
from bot.errors import UserError
from bot.model import agent_address
from bot.ports import Fleet, Panes
from fleet.health.readiness import Thresholds
from fleet.host.local import LocalFleet
from tests.fakes.fleet import HOST, MemoryFleet

AGENTS: list[dict[str, Any]] = [
    {"name": "coder0", "class": "code", "runtime": "dogfood"},
    {"name": "lead", "class": "orchestrator", "runtime": "dogfood"},
]


class FleetAndPanes(Fleet, Panes, Protocol):
    """What both implementations are."""


def local_fleet(home: Path) -> LocalFleet:
    socket = f"mosaic-test-{os.getpid()}-{os.urandom(3).hex()}"
    fleet = LocalFleet(
        Places(home),
        host=HOST,
        tenant_id="local",
        environment=dict(os.environ),
        thresholds=Thresholds(),
    )
    fleet.places.prepare()
    lines = "".join(
        f"  - {{name: {one['name']}, class: {one['class']}, runtime: {one['runtime']}}}\n"
        for one in AGENTS
    )
    fleet.places.roster_file.write_text(
        f"version: 1\ntmux: {{socket_name: {socket}}}\nagents:\n{lines}"
    )
    fleet.reload()
    fleet.opening = False
    return fleet


@pytest_asyncio.fixture(params=["memory", "tmux"])
async def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FleetAndPanes]:
    if request.param == "memory":
        yield MemoryFleet(*AGENTS)
        return
    local = local_fleet(tmp_path)
    try:
        yield local
    finally:
        await local.shutdown()


async def test_the_roster_is_told_in_the_files_order(fleet: FleetAndPanes) -> None:
    said = [(one["name"], one["class"], one["runtime"]) for one in fleet.roster()]
    assert said == [("coder0", "code", "dogfood"), ("lead", "orchestrator", "dogfood")]


async def test_people_talk_to_the_agent_of_class_orchestrator(fleet: FleetAndPanes) -> None:
    assert fleet.orchestrator() == agent_address(HOST, "lead")


def test_or_to_the_one_that_the_roster_names_as_lead(tmp_path: Path) -> None:
    fleet = local_fleet(tmp_path)
    path = fleet.places.roster_file
    path.write_text(f"lead: coder0\nfloor: [code]\n{path.read_text()}")
    fleet.reload()
    assert fleet.orchestrator() == agent_address(HOST, "coder0")
    assert list(fleet.floor) == ["code"]


async def test_a_name_that_the_roster_does_not_have_is_refused(fleet: FleetAndPanes) -> None:
    for step in (fleet.start, fleet.stop):
        with pytest.raises(UserError, match=r"no agent is named x on \w+;.*coder0, lead") as caught:
            await step("x")
        assert caught.value.code == "unknown_agent"


async def test_an_agent_that_does_not_run_is_a_dead_row(fleet: FleetAndPanes) -> None:
    records = await fleet.observe()
    assert [(one.name, one.session, one.pid, one.readiness) for one in records] == [
        ("coder0", None, None, "dead"),
        ("lead", None, None, "dead"),
    ]
    assert {(one.host, one.tenant_id) for one in records} == {(HOST, "local")}


async def test_starting_twice_starts_once(fleet: FleetAndPanes) -> None:
    (first,) = await fleet.start("coder0")
    assert (first.name, first.session) == ("coder0", "coder0")
    coder, lead = await fleet.start(None)
    assert coder.pid == first.pid
    assert lead.pid not in {None, first.pid}


async def test_stopping_ends_one_agent_or_all_and_repeats_harmlessly(fleet: FleetAndPanes) -> None:
    _, lead = await fleet.start(None)
    (stopped,) = await fleet.stop("coder0")
    assert (stopped.session, stopped.pid, stopped.readiness) == (None, None, "dead")
    assert [one.pid for one in await fleet.observe()] == [None, lead.pid]
    for _ in range(2):
        assert [one.readiness for one in await fleet.stop(None)] == ["dead", "dead"]


async def test_an_agents_process_is_that_agent_and_no_other_process_is(
    fleet: FleetAndPanes,
) -> None:
    (record,) = await fleet.start("coder0")
    principal = await fleet.agent_of(record.pid or 0)
    assert principal is not None
    assert (principal.id, principal.name) == (f"agent:{HOST}/coder0", "coder0")
    assert await fleet.agent_of(os.getpid()) is None
    assert await fleet.agent_of(0) is None
    await fleet.stop("coder0")
    assert await fleet.agent_of(record.pid or 0) is None
