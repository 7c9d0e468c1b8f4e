"""Profiles: those that ship, a person's own, and everything that can be wrong with one."""

from pathlib import Path

import pytest

from bot.config.places import Places
from bot.errors import UserError
from fleet.personas.persona import known_classes
from fleet.profiles.library import find_profile, profiles, refusals
from fleet.profiles.profile import Profile, wanted_by
from tests.unit.fleet.shelves import SHELVES

LEADS = {
    "business": "ceo",
    "marketing": "marketing-lead",
    "operations": "operations-manager",
    "personal-assistant": "personal-assistant",
    "research": "lead-researcher",
    "software-delivery": "orchestrator",
}
BAKERY = """\
id: bakery
title: Bakery
purpose: Bakes bread.
lead: ceo
floor: [ceo]
budget: {dollars_per_day: 10}
roster:
  - {class: ceo}
  - {class: coo, reports_to: ceo}
  - {class: code, reports_to: coo, multiplicity: 2, budget: {dollars_per_day: 2.5}}
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path)
    places.local_profiles_directory.mkdir(parents=True)
    return places


def write(places: Places, name: str, text: str) -> Path:
    path = places.local_profiles_directory / name
    path.write_text(text)
    return path


def test_six_system_types_ship_with_their_leads(places: Places) -> None:
    assert {one.id: one.lead for one in profiles(places)} == LEADS
    assert list(refusals(places)) == []


@pytest.mark.parametrize("profile_id", LEADS)
def test_a_shipped_one_is_a_tree_of_classes_of_the_library_with_budgets_that_fit(
    places: Places, profile_id: str
) -> None:
    profile = find_profile(profile_id, places)
    library = {name for shelf in SHELVES.values() for name in shelf}
    assert {seat.agent_class for seat in profile.roster} <= library
    assert set(profile.floor) <= {seat.agent_class for seat in profile.roster}
    assert profile.lead in profile.floor
    above = {one.name: one.reports_to for one in wanted_by(profile)}
    assert [name for name, superior in above.items() if superior is None] == [profile.lead]
    assert all(reaches(name, profile, above) for name in above)
    assert profile.budget is not None
    assert profile.source == f"fleet/profiles/{profile_id}.yaml"


def reaches(name: str, profile: Profile, above: dict[str, str | None]) -> bool:
    steps = 0
    while above[name] is not None and steps <= len(above):
        name, steps = str(above[name]), steps + 1
    return name == profile.lead


def test_a_file_that_is_dropped_is_a_system_type(places: Places) -> None:
    path = write(places, "bakery.yaml", BAKERY)
    found = find_profile("bakery", places)
    assert found.source == str(path)
    assert [one.name for one in wanted_by(found)] == ["ceo", "coo", "code0", "code1"]
    assert "bakery" in [one.id for one in profiles(places)]


def test_a_persons_own_class_may_have_a_seat(places: Places) -> None:
    write(places, "bakery.yaml", BAKERY.replace("coo", "baker"))
    with pytest.raises(UserError, match="the library has no class baker"):
        find_profile("bakery", places)
    places.local_roles_directory.mkdir()
    (places.local_roles_directory / "baker.md").write_text("# Baker\n")
    assert find_profile("bakery", places).roster[1].agent_class == "baker"
    (places.local_roles_directory / "baker.md").write_text("---\nclass: butcher\n---\n")
    assert "baker" not in known_classes(places), "a contract that is refused is none"


def test_a_persons_own_file_wins_key_by_key(places: Places) -> None:
    shipped = find_profile("research", places)
    path = write(places, "research.yaml", "purpose: Ours alone.\nbudget: {dollars_per_day: 99}\n")
    found = find_profile("research", places)
    assert (found.purpose, found.source) == ("Ours alone.", str(path))
    assert found.budget is not None
    assert found.budget.plain() == {"dollars_per_day": 99}
    assert (found.roster, found.lead, found.floor) == (shipped.roster, shipped.lead, shipped.floor)


def test_a_floor_that_nobody_names_is_the_lead(places: Places) -> None:
    write(places, "bakery.yaml", BAKERY.replace("floor: [ceo]\n", ""))
    assert find_profile("bakery", places).floor == ("ceo",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("{class: coo,", "{class: baker,"), ":9: roster[1].class: the library has no class baker"),
        (("lead: ceo", "lead: cfo"), ":4: lead: no seat has class cfo; the roster has: ceo, coo"),
        (("lead: ceo", "lead: code"), ":4: lead: one agent leads, and code has multiplicity 2"),
        (("{class: ceo}", "{class: ceo, reports_to: coo}"), ":8: roster[0].reports_to: ceo leads"),
        (("coo, reports_to: ceo", "coo"), ":9: roster[1].reports_to: coo must report to a class"),
        (("to: coo", "to: cfo"), ":10: roster[2].reports_to: no seat has class cfo"),
        (("to: ceo", "to: code"), ":9: roster[1].reports_to: code are 2; whom others report to"),
        (("to: ceo", "to: coo"), ":9: roster[1].reports_to: goes in a circle: coo → coo"),
        (("class: coo", "class: ceo"), ":9: roster[1].class: ceo has a seat already"),
        (("floor: [ceo]", "floor: [ceo, cto]"), ":5: floor[1]: no seat has class cto"),
        (("day: 10}", "day: 4}"), ":6: budget.dollars_per_day: 4 is less than the 5 of the seats"),
        (("day: 10}", "day: -1}"), ":6: budget.dollars_per_day: -1: "),
        (("{dollars_per_day: 10}", "{}"), ":6: budget: says nothing; give dollars_per_day"),
        (("per_day: 10", "per_year: 10"), ":6: budget.dollars_per_year: there is no such key"),
        (("city: 2", "city: 0"), ":10: roster[2].multiplicity: 0: "),
        (("{class: ceo}", "{class: ceo, model_tier: huge}"), ":8: roster[0].model_tier: 'huge'"),
        (("id: bakery", "id: butchery"), ":1: id: must be bakery, as the file is named"),
        (("title: Bakery\n", ""), ":1: title is missing"),
        (("lead:", "boss:"), ":4: boss: there is no such key; allowed: id, title, purpose, lead"),
        (("roster:", "roster: ["), ": not YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    places: Places, change: tuple[str, str], said: str
) -> None:
    path = write(places, "bakery.yaml", BAKERY.replace(*change))
    with pytest.raises(UserError) as caught:
        find_profile("bakery", places)
    assert f"{path}{said}" in caught.value.message or said in caught.value.message
    assert caught.value.message.startswith(str(path))
    assert f"{path}:" in refusals(places)[0]
    assert "bakery" not in [one.id for one in profiles(places)]


def test_a_broken_one_is_refused_and_the_shipped_one_used(places: Places) -> None:
    path = write(places, "business.yaml", "lead: cto\n")
    found = find_profile("business", places)
    assert (found.lead, found.source) == ("ceo", "fleet/profiles/business.yaml")
    assert found.refused is not None
    assert f"{path}:1: lead: no seat has class cto" in found.refused
    assert [one.lead for one in profiles(places) if one.id == "business"] == ["ceo"]
    assert refusals(places)[0].startswith(f"{path}:1: ")


def test_a_fault_between_two_files_is_blamed_on_the_persons_own(places: Places) -> None:
    path = write(places, "business.yaml", "# fewer\nroster: [{class: coo}]\n")
    (first, *_) = refusals(places)
    assert first.startswith(
        f"{path}:1: floor[0] of fleet/profiles/business.yaml: no seat has class"
    )
    assert any(one.startswith(f"{path}:2: roster[0].reports_to: ") for one in refusals(places))


@pytest.mark.parametrize("name", ["Bakery.yaml", "two words.yaml"])
def test_a_file_with_no_id_for_a_name_is_refused(places: Places, name: str) -> None:
    path = write(places, name, BAKERY)
    assert refusals(places)[0].startswith(f"{path}:1: a profile's file is named ID.yaml")


def test_a_file_that_nobody_reads_is_named(places: Places) -> None:
    path = write(places, "bakery.yml", BAKERY)
    assert list(refusals(places)) == [f"{path}:1: is not read; a profile is a file ID.yaml"]


def test_bytes_that_are_no_text_are_refused_with_their_line(places: Places) -> None:
    path = write(places, "bakery.yaml", "")
    path.write_bytes(b"id: bakery\ntitle: \xff\n")
    assert list(refusals(places)) == [f"{path}:2: not UTF-8"]
