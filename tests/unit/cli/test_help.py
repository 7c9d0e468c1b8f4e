"""Help without a daemon, from the table that ships."""

import json

import pytest

from bot.cli.main import main
from bot.cli.table import OWN, read_table

Said = pytest.CaptureFixture[str]


def test_the_overview_names_every_command(capsys: Said) -> None:
    assert main(["--help"]) == 0
    page = capsys.readouterr().out
    names = [entry["name"] for entry in read_table().entries] + [own.name for own in OWN]
    assert [name for name in names if f"  {name}" not in page] == []


def test_no_words_at_all_show_the_overview(capsys: Said) -> None:
    assert main([]) == 0
    assert "usage: mosaic COMMAND" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [["backlog", "create", "--help"], ["help", "fleet", "backlog", "create"]]
)
def test_a_command_is_explained_with_what_is_allowed(capsys: Said, words: list[str]) -> None:
    assert main(words) == 0
    page = capsys.readouterr().out
    assert "usage: mosaic backlog create" in page
    assert "--depends-on" in page
    assert "For agents" in page or "operators" in page


def test_a_topic_lists_its_commands(capsys: Said) -> None:
    assert main(["backlog", "--help"]) == 0
    page = capsys.readouterr().out
    assert "backlog claim" in page
    assert "fleet ps" not in page


@pytest.mark.parametrize("own", [own.name for own in OWN])
def test_the_command_lines_own_commands_are_explained(capsys: Said, own: str) -> None:
    assert main([*own.split(), "--help"]) == 0
    assert "usage: mosaic" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [["--help"], ["help", "backlog"], ["up", "--help"], ["--version"]]
)
def test_help_has_a_json_form(capsys: Said, words: list[str]) -> None:
    assert main([*words, "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), dict)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["backlgo", "create"], "did you mean `mosaic backlog"),
        (["statsu"], "did you mean `mosaic status`"),
        (["backlog"], "is not a whole command; there are: backlog "),
        (["qqqqq"], "there is no command 'qqqqq'"),
        (["x" * 100_000], "there is no command"),
        (["up", "--detatch"], "--detach"),
        (["status", "now"], "one word too many"),
        (["completion", "tcsh"], "bash|zsh|fish"),
        (["completion"], "bash|zsh|fish"),
        (["up", "--json"], "--detach"),
        (["chat", "--json"], "--json"),
        (["logs", "--follow", "--json"], "--json"),
        (["help", "nothing"], "there is no command"),
        (["--home"], "--home needs a directory"),
    ],
)
def test_a_usage_error_exits_with_2_and_says_what_is_meant(
    capsys: Said, words: list[str], said: str
) -> None:
    assert main(words) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert len(told.err) < 1000
    assert "Traceback" not in told.err


@pytest.mark.parametrize(
    "words", [["--json", "backlgo"], ["--json", "up", "--x"], ["--json", "--home"]]
)
def test_a_usage_error_is_one_json_document_too(capsys: Said, words: list[str]) -> None:
    assert main(words) == 2
    told = capsys.readouterr()
    error = json.loads(told.out)["error"]
    assert set(error) == {"code", "message", "hint"}
    assert error["message"] in told.err


def test_control_characters_never_reach_the_terminal(capsys: Said) -> None:
    assert main(["\x1b]0;owned\x07\x1b[2J"]) == 2
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err
    assert "\x07" not in told.out + told.err
