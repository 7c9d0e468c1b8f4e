"""What a profile makes of a roster: whom it keeps, whom it adds, where the two differ."""

from pathlib import Path
from typing import get_args

import pytest

from bot.agents.provisioning import Provision, Wishes
from bot.config.places import Places
from bot.config.sections import Models as ModelSettings
from bot.errors import UserError
from fleet.host.provisioning import make_provision
from fleet.personas.tiers import Models
from fleet.roster.document import RuntimeName
from fleet.roster.file import parse

TEAM = """\
# our fleet
version: 1   # the only one

# who is in it
agents:
  # who leads
  - {name: lead, class: orchestrator, runtime: claude, alias: "Lea"}
  - {name: better, class: enhancer, runtime: dogfood}   # quick
  - {name: cleo, class: code, runtime: pi, reports_to: lead, env: {A: '1'}}
# the end
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def provision(places: Places, text: str, profile: str, **wishes: str) -> Provision:
    asked = Wishes(**{"runtime": "dogfood", **wishes})
    return make_provision(
        profile, text, asked, places=places, models=Models({}, path=""), host="east"
    )


def test_an_empty_roster_becomes_the_whole_profile(places: Places) -> None:
    made = provision(places, "version: 1\nagents: []\n", "research")
    roster = parse(made.roster, "r")
    assert (roster.profile, roster.lead, roster.floor) == (
        "research",
        "lead-researcher",
        ("lead-researcher",),
    )
    assert [(one.name, one.agent_class, one.reports_to) for one in roster.agents] == [
        (one.name, one.agent_class, one.reports_to) for one in made.system_type.chart
    ]
    assert roster.budget is not None
    assert roster.budget.plain() == made.system_type.budget
    assert [one.name for one in roster.agents if one.reset_between_tasks] == [
        *("researcher0", "researcher1", "data-analyst", "data-scientist", "market-analyst"),
        *("documentation", "review"),
    ]
    assert made.conflicts == ()


def test_who_is_there_stays_with_all_fields_and_every_comment(places: Places) -> None:
    made = provision(places, TEAM, "software-delivery")
    for line in TEAM.splitlines():
        kept = line.replace("dogfood}   #", "dogfood, reports_to: lead} #")
        assert kept in made.roster.splitlines(), line
    before, after = parse(TEAM, "r"), parse(made.roster, "r")
    known = {one.name: one for one in after.agents}
    for one in before.agents:
        said = {"reports_to": known[one.name].reports_to}
        assert one.model_copy(update=said) == known[one.name]
    assert made.kept == ("lead", "better", "cleo")
    assert made.roster.index("profile: software-delivery") < made.roster.index("# who is in it")


def test_seats_that_are_taken_are_not_filled_again(places: Places) -> None:
    made = provision(places, TEAM, "software-delivery")
    classes = [one.agent_class for one in parse(made.roster, "r").agents]
    assert (classes.count("orchestrator"), classes.count("enhancer")) == (1, 1)
    assert classes.count("code") == 2
    assert "code0" in made.starts


def test_what_is_otherwise_is_said_and_stays(places: Places) -> None:
    said = provision(places, TEAM, "software-delivery").conflicts
    assert said == (
        "lead is a claude agent; a new one would be dogfood",
        "cleo is a pi agent; a new one would be dogfood",
        "cleo reports to lead; in the profile: decomposition",
    )


def test_a_name_that_is_taken_is_not_taken_away(places: Places) -> None:
    text = "version: 1\nagents: [{name: planner, class: code, runtime: dogfood}]\n"
    made = provision(places, text, "software-delivery")
    assert "planner1" in made.starts
    assert made.conflicts[0] == (
        "the name planner belongs to an agent of class code;"
        " the new one of class planner is planner1"
    )
    above = {one.name: one.reports_to for one in parse(made.roster, "r").agents}
    assert above["decomposition"] == "planner1"


def test_a_new_lead_takes_what_people_say_and_that_is_told(places: Places) -> None:
    made = provision(places, TEAM, "research")
    roster = parse(made.roster, "r")
    assert roster.leader is not None
    assert roster.leader.name == "lead-researcher"
    assert "lead stays, but people talk to lead-researcher from now on" in made.conflicts
    assert roster.floor == ("orchestrator", "enhancer", "lead-researcher"), "who was there counts"


def test_a_second_system_type_stands_below_the_first_and_has_its_own_mission(
    places: Places,
) -> None:
    first = provision(places, "version: 1\nagents: []\n", "software-delivery")
    made = provision(places, first.roster, "marketing")
    roster = parse(made.roster, "r")
    found = {one.name: one for one in roster.agents}
    assert (roster.profile, roster.lead) == ("software-delivery", "orchestrator")
    assert found["marketing-lead"].reports_to == "orchestrator"
    assert {one.profile for one in roster.agents if one.name in made.starts} == {"marketing"}
    assert roster.floor == ("orchestrator", "enhancer", "marketing-lead")
    assert "profile is software-delivery; in the profile: marketing" in made.conflicts


def test_a_second_time_changes_no_byte(places: Places) -> None:
    once = provision(places, TEAM, "software-delivery")
    twice = provision(places, once.roster, "software-delivery")
    assert twice.roster == once.roster
    assert (twice.added, twice.starts) == ((), ())


def test_a_result_that_is_no_good_roster_is_refused(places: Places) -> None:
    text = "version: 1\nagents:\n  - {name: o, class: orchestrator, runtime: pi, reports_to: p}\n"
    text += "  - {name: p, class: planner, runtime: pi}\n"
    with pytest.raises(UserError, match="o: reports_to goes in a circle: o → p → o"):
        provision(places, text, "software-delivery")


def test_a_roster_in_one_line_is_changed_too(places: Places) -> None:
    made = provision(places, "{version: 1, agents: []}", "personal-assistant")
    assert parse(made.roster, "r").lead == "personal-assistant"


def test_a_roster_that_names_nobody_at_all_and_one_with_faults(places: Places) -> None:
    made = provision(places, "version: 1   # bare\n", "personal-assistant")
    assert made.roster.startswith("version: 1   # bare\n")
    assert len(parse(made.roster, "r").agents) == 5
    with pytest.raises(UserError, match=r"roster.yaml:2: agents\[0\].runtime is missing"):
        provision(places, "version: 1\nagents: [{name: a, class: b}]\n", "research")


def test_agents_of_other_hosts_are_not_started_here(places: Places) -> None:
    text = "version: 1\nagents: [{name: ceo, class: ceo, runtime: dogfood, host: west}]\n"
    assert "ceo" not in provision(places, text, "business").starts


def test_new_agents_work_where_they_are_told(places: Places) -> None:
    made = provision(places, TEAM, "research", working_directory="~/lab")
    assert {one["working_directory"] for one in made.added} == {"~/lab"}


def test_a_tier_means_the_persons_own_choice_else_the_programs_word_else_its_default(
    tmp_path: Path,
) -> None:
    models = Models({"large": "codex:huge"}, path="")
    assert str(models.choices()["large"]) == "codex huge"
    assert str(models.choices()["small"]) == "dogfood", "nothing is installed"
    assert str(models.choices("claude")["large"]) == "claude opus"
    assert str(models.choices("codex")["large"]) == "codex huge"
    assert str(models.choices("pi")["medium"]) == "pi"
    for name in ("pi", "codex"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    installed = Models({}, path=str(tmp_path))
    assert installed.installed() == ("codex", "pi")
    assert installed.choices()["small"].runtime == "codex"
    with pytest.raises(UserError, match="runtime: 'ms-dos' is not allowed; allowed: claude"):
        models.choices("ms-dos")


@pytest.mark.parametrize("runtime", get_args(RuntimeName))
def test_the_settings_take_every_runtime_of_a_roster(runtime: str) -> None:
    said = ModelSettings(large=f"{runtime}:a b").said
    assert str(Models(said, path="").choices()["large"]) == f"{runtime} a b"
