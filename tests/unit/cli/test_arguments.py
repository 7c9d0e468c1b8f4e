"""Which words are the daemon's, which flags are the command line's, and what is text whatever it looks like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.arguments import read_arguments
from bot.cli.table import Entry, Table
from bot.errors import UsageError


def parameter(written: str, kind: str, *, required: bool = True) -> dict[str, object]:
    return {
        "name": written.strip("-").lower(),
        "written": written,
        "kind": kind,
        "required": required,
        "default": None,
        "help": "",
        "choices": [],
        "allowed": "",
    }


def entry(name: str, *parameters: dict[str, object]) -> Entry:
    return {"name": name, "also": [], "summary": "", "details": "", "parameters": list(parameters)}


TABLE = Table(
    [
        entry(
            "agent send",
            parameter("NAME", "word"),
            parameter("TEXT", "rest"),
            parameter("--verify", "switch", required=False),
            parameter("--wait", "flag", required=False),
        ),
        entry("backlog list", parameter("--status", "flag", required=False)),
        entry("why", parameter("PRINCIPAL", "word", required=False)),
    ]
)


@pytest.mark.parametrize(
    ("line", "words", "flags"),
    [
        (["backlog", "list", "--json"], ["backlog", "list"], {"json"}),
        (["--json", "backlog", "--yes", "list"], ["backlog", "list"], {"json", "yes"}),
        (["backlog", "list", "-y"], ["backlog", "list"], {"yes"}),
        (["backlog", "list", "--help"], ["backlog", "list"], {"help"}),
        (["-h"], [], {"help"}),
        (["--version"], [], {"version"}),
        (
            ["backlog", "list", "--status", "--json"],
            ["backlog", "list", "--status", "--json"],
            set(),
        ),
    ],
)
def test_our_flags_may_stand_anywhere_but_in_a_flags_value(
    line: list[str], words: list[str], flags: set[str]
) -> None:
    request = read_arguments(line, TABLE)
    assert request.words == words
    assert {name for name in ("json", "yes", "help", "version") if getattr(request, name)} == flags


@pytest.mark.parametrize("line", [["--home", "/x", "status"], ["status", "--home=/x"]])
def test_a_home_is_named_before_or_after(line: list[str]) -> None:
    assert read_arguments(line, TABLE)[:1] == (["status"],)
    assert read_arguments(line, TABLE).home == "/x"


def test_a_home_without_a_directory_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="--home needs a directory"):
        read_arguments(["status", "--home"], TABLE)


@pytest.mark.parametrize(
    ("line", "text", "as_json"),
    [
        (["agent", "send", "coder0", "hi"], "hi", False),
        (["agent", "send", "coder0", "-"], "-", False),
        (["agent", "send", "coder0", "-n is a flag"], "-n is a flag", False),
        (["agent", "send", "coder0", "--unknown"], "--unknown", False),
        (["agent", "send", "coder0", "--json"], "--json", False),
        (["agent", "send", "coder0", "--help"], "--help", False),
        (["agent", "send", "coder0", "--json", "hi"], "hi", True),
        (["agent", "send", "--json", "coder0", "hi"], "hi", True),
        (["agent", "send", "coder0", "hi", "--json"], "hi", True),
        (["agent", "send", "coder0", "--json", "--json"], "--json", True),
        (["agent", "send", "coder0", "--wait", "5", "hi"], "hi", False),
        (["agent", "send", "coder0", "--wait=5", "hi"], "hi", False),
        (["agent", "send", "--wait", "--json", "coder0", "--verify", "hi"], "hi", False),
    ],
)
def test_the_last_text_is_text_whatever_it_looks_like(
    line: list[str], text: str, as_json: bool
) -> None:
    request = read_arguments(line, TABLE)
    assert request.text_at is not None
    assert request.words[request.text_at] == text
    assert request.json is as_json


@given(st.text().filter(lambda text: text not in {"--verify", "--wait", "--home"}))
def test_any_text_reaches_an_agent_as_it_is(text: str) -> None:
    if text.startswith(("--home=", "--wait=", "--verify=")):
        return
    request = read_arguments(["agent", "send", "coder0", text], TABLE)
    assert request.words == ["agent", "send", "coder0", text]
