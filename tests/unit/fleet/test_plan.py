"""What a changed roster means, decided without touching anything."""

import pytest

from fleet.roster.document import Roster
from fleet.roster.file import parse
from fleet.roster.plan import Plan, make_plan

HEAD = "version: 1\ntmux: {socket_name: s}\ndefaults: {working_directory: /srv}\nagents:\n"
LEAD = "{name: lead, class: orchestrator, runtime: dogfood}"
CODER = "{name: coder0, class: code, runtime: claude}"


def roster(*agents: str, head: str = HEAD) -> Roster:
    return parse(head + "".join(f"  - {agent}\n" for agent in agents), "r")


def test_who_is_new_starts_who_is_gone_stops_and_the_rest_goes_on() -> None:
    before = roster(LEAD, CODER, "{name: old, class: code, runtime: pi}")
    after = roster(CODER, "{name: new, class: code, runtime: pi}", LEAD)
    plan = make_plan(before, after, "h")
    assert plan == Plan(start=("new",), stop=("old",), restart={}, unchanged=("coder0", "lead"))
    assert plan.sentence() == "start new; stop old; unchanged 2"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ("{name: coder0, class: code, runtime: claude, model_hint: opus}", "model_hint"),
        ("{name: coder0, class: plan, runtime: claude}", "class"),
        ("{name: coder0, class: code, runtime: claude, env: {A: '1'}}", "env"),
        (
            "{name: coder0, class: code, runtime: claude, working_directory: /opt}",
            "working_directory",
        ),
    ],
)
def test_what_a_running_program_cannot_take_up_restarts_it(changed: str, why: str) -> None:
    plan = make_plan(roster(LEAD, CODER), roster(LEAD, changed), "h")
    assert plan.restart == {"coder0": (why,)}
    assert plan.unchanged == ("lead",)
    assert plan.sentence() == f"restart coder0 ({why}); unchanged 1"


@pytest.mark.parametrize(
    "changed",
    [
        "{name: coder0, class: code, runtime: claude, alias: Cleo}",
        "{name: coder0, class: code, runtime: claude, working_directory: /srv}",
        "{name: coder0, class: code, runtime: claude, host: h}",
    ],
)
def test_what_does_not_matter_to_the_program_changes_nothing(changed: str) -> None:
    plan = make_plan(roster(LEAD, CODER), roster(LEAD, changed), "h")
    assert (plan.start, plan.ends, plan.unchanged) == ((), (), ("lead", "coder0"))


def test_an_agent_that_moves_to_another_host_stops_here() -> None:
    away = "{name: coder0, class: code, runtime: claude, host: west}"
    assert make_plan(roster(LEAD, CODER), roster(LEAD, away), "h").stop == ("coder0",)


def test_another_socket_moves_everybody() -> None:
    after = roster(LEAD, CODER, head=HEAD.replace("socket_name: s", "socket_name: t"))
    assert make_plan(roster(LEAD, CODER), after, "h").restart == {
        "lead": ("tmux",),
        "coder0": ("tmux",),
    }
