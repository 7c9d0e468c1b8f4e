"""A roster to begin with, for whoever has no daemon yet."""

from pathlib import Path

import pytest

from bot.beginning import write_roster
from bot.errors import UsageError, UserError
from bot.places import Places
from fleet.roster_file import load


@pytest.mark.parametrize("kind", ["tmux", "matrix", "discord"])
def test_the_roster_that_is_written_is_good_and_names_the_connector(
    tmp_path: Path, kind: str
) -> None:
    places = Places(tmp_path / "home")
    written = write_roster(places, ["--connector", kind, "--profile=demo"], {})
    roster = load(places.roster_file)
    assert roster.connector.kind == kind
    assert written["agents"] == ["orchestrator", "enhancer"]


def test_a_roster_that_is_there_stays_unless_it_may_be_replaced(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.prepare()
    places.roster_file.write_text("# mine\nversion: 1\n")
    with pytest.raises(UserError, match=r"roster.yaml:1: there is a roster already"):
        write_roster(places, [], {})
    assert places.roster_file.read_text() == "# mine\nversion: 1\n"
    write_roster(places, ["--force"], {})
    assert load(places.roster_file).agents


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--connector", "slack"],
            "--connector: 'slack' is not allowed; allowed: tmux, matrix, discord",
        ),
        (["--connector"], "--connector: '' is not allowed"),
        (["--profile", "x"], "--profile: 'x' is not allowed; allowed: demo"),
        (["now"], "'now' is not known; usage"),
    ],
)
def test_wrong_words_are_refused_with_what_is_allowed(
    tmp_path: Path, words: list[str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        write_roster(Places(tmp_path), words, {})
    assert list(tmp_path.iterdir()) == []
