"""The port Rosters: one suite for the file and for memory."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.agents.rosters import Rosters
from bot.errors import UserError
from fleet.roster.file import load
from fleet.roster.store import RosterStore
from tests.contract.test_fleet import local_fleet
from tests.fakes.rosters import MemoryRosters

AGENTS: list[dict[str, Any]] = [
    {"name": "lead", "class": "orchestrator", "runtime": "dogfood"},
    {"name": "better", "class": "enhancer", "runtime": "dogfood"},
    {"name": "coder0", "class": "code", "runtime": "dogfood", "alias": "Cleo"},
]
TEXT = """# ours
version: 1   # the only one
tmux: {socket_name: s}

agents:
  # who leads
  - {name: lead, class: orchestrator, runtime: dogfood}
  - {name: better, class: enhancer, runtime: dogfood}
  - {name: coder0, class: code, runtime: dogfood, alias: "Cleo"}   # quick
# the end
"""


class Stage:
    """A store of rosters, and what is in it."""

    def __init__(self, kind: str, directory: Path) -> None:
        self._memory = MemoryRosters(*AGENTS) if kind == "memory" else None
        self.path = directory / "fleet" / "roster.yaml"
        self.store: Rosters
        if self._memory is not None:
            self.store = self._memory
        else:
            fleet = local_fleet(directory)
            self.path.write_text(TEXT)
            self.store = RosterStore(fleet.places)

    def agents(self) -> dict[str, dict[str, Any]]:
        if self._memory is not None:
            return self._memory.agents
        dumped = [
            one.model_dump(by_alias=True, exclude_unset=True) for one in load(self.path).agents
        ]
        return {str(agent["name"]): agent for agent in dumped}


@pytest.fixture(params=["memory", "file"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    return Stage(request.param, tmp_path)


async def test_agents_are_added_changed_and_removed(stage: Stage) -> None:
    await stage.store.add({"name": "coder1", "class": "code", "runtime": "pi"})
    await stage.store.edit("coder0", {"model_hint": "opus", "alias": None})
    assert stage.agents()["coder0"] == {
        "name": "coder0",
        "class": "code",
        "runtime": "dogfood",
        "model_hint": "opus",
    }
    await stage.store.remove("coder0")
    assert list(stage.agents()) == ["lead", "better", "coder1"]


async def test_the_sole_orchestrator_and_the_last_enhancer_stay(stage: Stage) -> None:
    for name in ("lead", "better"):
        with pytest.raises(UserError, match=f"{name} .*stays"):
            await stage.store.remove(name)
        with pytest.raises(UserError, match=f"{name} .*stays"):
            await stage.store.edit(name, {"class": "code"})
    assert list(stage.agents()) == ["lead", "better", "coder0"]
    await stage.store.add({"name": "lead2", "class": "orchestrator", "runtime": "dogfood"})
    await stage.store.remove("lead")


async def test_who_reported_to_an_agent_that_goes_reports_to_whom_it_reported(
    stage: Stage,
) -> None:
    await stage.store.edit("coder0", {"reports_to": "lead"})
    await stage.store.add({"name": "x", "class": "code", "runtime": "pi", "reports_to": "coder0"})
    await stage.store.remove("coder0")
    assert stage.agents()["x"]["reports_to"] == "lead"
    with pytest.raises(UserError, match="no agent is named nobody"):
        await stage.store.edit("x", {"reports_to": "nobody"})


async def test_the_lead_and_the_last_of_a_floor_that_is_said_stay(tmp_path: Path) -> None:
    stage = Stage("file", tmp_path)
    stage.path.write_text(f"lead: lead\nfloor: [code]\n{TEXT}")
    for name, said in (("lead", "lead leads the fleet"), ("coder0", "coder0 is the last code")):
        with pytest.raises(UserError, match=said):
            await stage.store.remove(name)
    await stage.store.remove("better")


async def test_unknown_and_taken_names_are_refused(stage: Stage) -> None:
    for asked in (stage.store.edit("nobody", {"class": "x"}), stage.store.remove("nobody")):
        with pytest.raises(
            UserError, match="no agent is named nobody; the roster has: lead, better"
        ):
            await asked
    with pytest.raises(UserError, match="two agents are named coder0"):
        await stage.store.add({"name": "coder0", "class": "code", "runtime": "pi"})


async def test_changes_at_the_same_time_are_all_kept(stage: Stage) -> None:
    added = [{"name": f"a{number}", "class": "code", "runtime": "pi"} for number in range(10)]
    await asyncio.gather(*(stage.store.add(agent) for agent in added))
    assert len(stage.agents()) == 13


async def test_comments_order_and_style_of_the_file_stay(tmp_path: Path) -> None:
    stage = Stage("file", tmp_path)
    stage.path.chmod(0o640)
    await stage.store.add({"name": "coder1", "class": "code", "runtime": "pi"})
    await stage.store.edit("coder0", {"yolo": True})
    await stage.store.remove("coder1")
    assert stage.path.read_text() == TEXT.replace(
        '"Cleo"}   # quick', '"Cleo", yolo: true} # quick'
    )
    assert stage.path.stat().st_mode & 0o777 == 0o640


async def test_a_change_that_makes_no_good_roster_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    stage = Stage("file", tmp_path)
    before = stage.path.read_bytes()
    with pytest.raises(
        UserError, match=r"roster.yaml:11: agents\[3\].runtime: 'ms-dos' is not allowed"
    ):
        await stage.store.add({"name": "x", "class": "code", "runtime": "ms-dos"})
    with pytest.raises(UserError, match=r"roster.yaml:9: agents\[2\].context_tokens: 5"):
        await stage.store.edit("coder0", {"context_tokens": 5})
    assert stage.path.read_bytes() == before
    assert [path.name for path in stage.path.parent.glob(".*")] == []
