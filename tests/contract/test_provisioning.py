"""The port Provisioning: one suite for the files and for memory."""

from pathlib import Path

import pytest

from bot.agents.provisioning import Provisioning, Wishes
from bot.errors import UserError
from fleet.host.local import LocalFleet
from fleet.host.provisioning import LocalProvisioning
from tests.contract.test_fleet import local_fleet
from tests.fakes.provisioning import MemoryProvisioning

PAIR = """
title: A pair
purpose: Two of them.
lead: orchestrator
floor: [orchestrator]
budget: {dollars_per_day: 3}
roster: [{class: orchestrator}, {class: enhancer, reports_to: orchestrator}]
"""
WISH = Wishes(runtime="dogfood")


class Stage:
    """Provisioning over a roster of one agent, a bash of class orchestrator named lead."""

    def __init__(self, kind: str, directory: Path) -> None:
        self.fleet: LocalFleet | None = None
        self.port: Provisioning
        if kind == "memory":
            self.port = MemoryProvisioning(
                {"name": "lead", "class": "orchestrator", "runtime": "bash"}
            )
            return
        self.fleet = local_fleet(directory)
        places = self.fleet.places
        places.roster_file.write_text(
            "version: 1\nagents: [{name: lead, class: orchestrator, runtime: bash}]\n"
        )
        places.local_profiles_directory.mkdir()
        (places.local_profiles_directory / "pair.yaml").write_text(PAIR)
        self.port = LocalProvisioning(self.fleet, {})
        self.follow()

    def follow(self) -> None:
        """Take the roster that was written, as the running fleet does."""
        if self.fleet is not None:
            self.fleet.reload()

    def names(self) -> list[str]:
        return [chair.name for chair in self.port.chart()]


@pytest.fixture(params=["memory", "files"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    return Stage(request.param, tmp_path)


def test_a_system_type_says_what_it_is(stage: Stage) -> None:
    found = stage.port.type("pair")
    assert found in stage.port.types()
    assert (found.title, found.lead, found.floor) == ("A pair", "orchestrator", ("orchestrator",))
    assert dict(found.budget) == {"dollars_per_day": 3}
    assert [(one.name, one.reports_to) for one in found.chart] == [
        ("orchestrator", None),
        ("enhancer", "orchestrator"),
    ]
    assert {one.model_tier for one in found.chart} == {"large", "medium"}
    assert list(stage.port.refusals()) == []


def test_an_unknown_one_is_refused_with_those_that_there_are(stage: Stage) -> None:
    for asked in (stage.port.type, lambda name: stage.port.plan(name, WISH)):
        with pytest.raises(UserError, match=r"there is no orchestra; there are: .*pair"):
            asked("orchestra")


async def test_a_plan_changes_nothing_and_what_it_says_is_done_then(stage: Stage) -> None:
    plan = stage.port.plan("pair", WISH)
    stage.follow()
    assert stage.names() == ["lead"]
    done = await stage.port.provision("pair", WISH)
    assert done == plan
    stage.follow()
    assert stage.names() == ["lead", "enhancer"]
    assert [one.name for one in done.chart] == ["lead", "enhancer"]


async def test_who_is_there_is_kept_and_where_it_is_otherwise_is_said(stage: Stage) -> None:
    done = await stage.port.provision("pair", WISH)
    assert (done.kept, done.starts) == (("lead",), ("enhancer",))
    assert [agent["name"] for agent in done.added] == ["enhancer"]
    assert any(one.startswith("lead is a bash agent") for one in done.conflicts)
    stage.follow()
    assert {one.name: one.runtime for one in stage.port.chart()}["lead"] == "bash"


async def test_a_second_time_adds_nobody(stage: Stage) -> None:
    await stage.port.provision("pair", WISH)
    stage.follow()
    again = await stage.port.provision("pair", WISH)
    assert (again.added, again.starts) == ((), ())
    assert again.kept == ("lead", "enhancer")
