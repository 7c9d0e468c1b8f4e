"""A fleet to begin with, for whoever has no daemon yet: by flags, and by questions in a terminal."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.cli.talk import Talk
from bot.cli.wizard import begin
from bot.config.places import Places
from bot.config.settings import load_settings
from bot.errors import SetupError, UsageError, UserError
from fleet.roster.file import load


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "home")


def asked(places: Places, *lines: str, words: Sequence[str] = ()) -> str:
    """Answer the questions with these lines and return everything that was said."""
    paper = io.StringIO()
    begin(places, words, {"PATH": ""}, Talk(io.StringIO("\n".join(lines) + "\n"), paper))
    return paper.getvalue()


@pytest.mark.parametrize("kind", ["tmux", "matrix", "discord"])
def test_the_roster_that_is_written_is_good_and_names_the_connector(
    places: Places, kind: str
) -> None:
    written, _ = begin(places, ["--connector", kind, "--profile=demo"], {}, None)
    roster = load(places.roster_file)
    assert roster.connector.kind == kind
    assert written["agents"] == ["orchestrator", "enhancer"]


def test_a_roster_that_is_there_stays_unless_it_may_be_replaced(places: Places) -> None:
    places.prepare()
    places.roster_file.write_text("# mine\nversion: 1\n")
    with pytest.raises(UserError, match=r"roster.yaml:1: there is a roster already"):
        begin(places, [], {}, None)
    assert places.roster_file.read_text() == "# mine\nversion: 1\n"
    begin(places, ["--force"], {}, None)
    assert load(places.roster_file).agents


def test_or_it_is_kept_and_what_is_missing_is_added(places: Places) -> None:
    places.prepare()
    places.roster_file.write_text(
        "# mine\nversion: 1\nagents:\n  - {name: boss, class: ceo, runtime: bash}  # me\n"
    )
    begin(places, ["--add", "--profile", "business", "--runtime", "dogfood"], {}, None)
    text = places.roster_file.read_text()
    assert text.startswith("# mine\nversion: 1\nprofile: business\nlead: boss\n")
    assert "- {name: boss, class: ceo, runtime: bash}  # me\n" in text
    assert load(places.roster_file).reports_of("boss")


def test_everything_can_be_said_in_flags(places: Places, tmp_path: Path) -> None:
    words = ["--profile", "research", "--runtime", "claude", "--connector", "matrix"]
    words += ["--homeserver-url", "https://example.org", "--user-id", "@mos:example.org"]
    words += ["--room-id=!ops:example.org", "--working-directory", str(tmp_path)]
    words += ["--operators", "matrix:@ann:example.org, discord:1"]
    begin(places, words, {}, None)
    roster = load(places.roster_file)
    assert roster.connector.matrix is not None
    assert roster.connector.matrix.room_id == "!ops:example.org"
    assert roster.defaults.working_directory == str(tmp_path)
    assert {(one.runtime, one.model_hint) for one in roster.agents} == {
        ("claude", "opus"),
        ("claude", "sonnet"),
    }
    access = load_settings(places, {}).access
    assert access.operators == ("matrix:@ann:example.org", "discord:1")


def test_settings_that_are_there_are_added_to_or_left_alone(places: Places) -> None:
    places.home.mkdir()
    places.settings_file.write_text("[models]\nlarge = 'pi:big'")
    begin(places, ["--operators", "discord:1"], {}, None)
    assert places.settings_file.read_text() == (
        "[models]\nlarge = 'pi:big'\n\n[access]\noperators = [\"discord:1\"]\n"
    )
    written, _ = begin(places, ["--force", "--operators", "discord:2"], {}, None)
    assert written["settings"] is None
    assert 'has [access] already; say there: operators = ["discord:2"]' in written["notes"][0]
    assert load_settings(places, {}).access.operators == ("discord:1",)


def test_what_the_settings_say_of_a_tier_is_taken(places: Places) -> None:
    places.home.mkdir()
    places.settings_file.write_text("[models]\nlarge = 'pi:big'\nsmall = 'codex'\n")
    begin(places, ["--profile", "personal-assistant"], {"PATH": ""}, None)
    found = {one.agent_class: one for one in load(places.roster_file).agents}
    assert (found["personal-assistant"].runtime, found["personal-assistant"].model_hint) == (
        "pi",
        "big",
    )
    assert (found["scheduler"].runtime, found["scheduler"].model_hint) == ("codex", None)
    assert found["researcher"].runtime == "dogfood", "nothing is installed"


def test_a_dry_run_shows_everything_and_writes_nothing(places: Places) -> None:
    written, blocks = begin(places, ["--profile", "marketing", "--dry-run"], {"PATH": ""}, None)
    assert "marketing-lead" in written["agents"]
    assert any("└─ ux-designer" in getattr(block, "text", "") for block in blocks)
    assert not places.home.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--connector", "slack"],
            "--connector: 'slack' is not allowed; allowed: tmux, matrix, discord",
        ),
        (["--connector"], "--connector: '' is not allowed"),
        (["--profile", "x"], "--profile: 'x' is not allowed; allowed: demo, business, marketing"),
        (["--profile"], "--profile needs a value"),
        (["now"], "'now' is not known; usage"),
        (["--room-id", "!a:b"], "--room-id belongs to --connector matrix"),
        (["--add", "--connector", "tmux", "--profile", "research"], "--connector does not go with"),
        (["--add"], "--add needs a --profile"),
        (["--runtime", "pi"], "--runtime needs a --profile: the demo is two dogfood agents"),
        (["--working-directory", "/no/such"], "--working-directory: /no/such is not a directory"),
        (["--operators", "ann"], "--operators: 'ann' is no id such as matrix:@ann:example.org"),
    ],
)
def test_wrong_words_are_refused_with_what_is_allowed(
    places: Places, words: list[str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        begin(places, words, {}, None)
    assert not places.home.exists()


def test_wrong_settings_are_said_before_anything_is_written(places: Places) -> None:
    places.home.mkdir()
    places.settings_file.write_text("[models]\nlarge = 'ms-dos'\n")
    with pytest.raises(SetupError, match=r"mosaic.toml:2: models.large: 'ms-dos'"):
        begin(places, ["--profile", "research"], {}, None)
    assert [path.name for path in places.home.iterdir()] == ["mosaic.toml"]


def test_a_person_is_asked_shown_the_whole_and_asked_for_a_yes(
    places: Places, tmp_path: Path
) -> None:
    said = asked(
        places, "research", "", "2", "", "@me:x", "", "/no", str(tmp_path), "discord:7", ""
    )
    assert "  1  demo " in said
    assert "  1  dogfood " in said
    assert "/no is not a directory" in said
    assert "├─ researcher0" in said
    assert 'operators = ["discord:7"]' in said
    assert "Write it? [y]" in said
    roster = load(places.roster_file)
    assert (roster.profile, roster.lead) == ("research", "lead-researcher")
    assert roster.connector.matrix is not None
    assert roster.connector.matrix.user_id == "@me:x"


def test_what_the_flags_say_is_not_asked(places: Places, tmp_path: Path) -> None:
    words = ["--profile", "business", "--runtime", "dogfood", "--connector", "tmux"]
    words += ["--working-directory", str(tmp_path), "--operators", "discord:1"]
    said = asked(places, "yes", words=words)
    assert said.count("?") == 1
    assert load(places.roster_file).profile == "business"


def test_a_no_and_an_end_of_the_input_write_nothing(places: Places) -> None:
    for lines in (("demo", "", "~", "", "no"), ("demo",)):
        with pytest.raises(UserError, match="nothing was done"):
            asked(places, *lines)
    assert not places.home.exists()


def test_who_wants_discord_is_told_what_leads_there(places: Places) -> None:
    written, _ = begin(places, ["--connector", "discord"], {}, None)
    assert written["notes"] == [
        "`mosaic connector discord` leads the bot into a channel, and tests it"
    ]
