"""Marks of who was stopped on purpose, and troubles that people were told of: files that outlive a daemon."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.config.places import Places
from fleet.health.episodes import Episodes
from fleet.health.stops import PERSON, UNIT, Stops

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path)
    places.prepare()
    return places


def test_a_mark_says_who_stopped_an_agent(places: Places) -> None:
    stops = Stops(places)
    assert stops.by("a") is None
    stops.note("a", PERSON)
    stops.note("b", UNIT)
    places.stopped_file("c").touch()
    assert [Stops(places).by(name) for name in "abcd"] == [PERSON, UNIT, PERSON, None]


def test_a_unit_lifts_its_own_mark_alone_and_a_person_every_one(places: Places) -> None:
    stops = Stops(places)
    stops.note("a", PERSON)
    stops.note("b", UNIT)
    for name in "abc":
        stops.lift(name, by=UNIT)
    assert [stops.by(name) for name in "ab"] == [PERSON, None]
    stops.lift("a")
    assert stops.by("a") is None


def test_the_marks_of_those_whom_the_roster_does_not_name_go(places: Places) -> None:
    stops = Stops(places)
    stops.note("a", PERSON)
    stops.note("b", PERSON)
    stops.keep({"b", "c"})
    assert [stops.by(name) for name in "ab"] == [None, PERSON]


def test_an_episode_is_begun_and_ended_once_over_restarts_too(places: Places) -> None:
    episodes = Episodes(places.episodes_file)
    assert episodes.begin("lead", NOW)
    assert not episodes.begin("lead", NOW)
    again = Episodes(places.episodes_file)
    assert "lead" in again
    assert not again.begin("lead", NOW)
    assert again.end("lead")
    assert not again.end("lead")
    assert list(Episodes(places.episodes_file)) == []


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_broken_file_of_episodes_is_begun_anew(places: Places, text: str) -> None:
    places.episodes_file.write_text(text)
    assert Episodes(places.episodes_file).begin("lead", NOW)
