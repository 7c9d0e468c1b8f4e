"""Every command's arguments, written as a line, are read back as the same values."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.command.allowed import resolved
from bot.command.catalog import Command, read_topic
from bot.command.grammar import Kind, Parameter
from bot.command.wording import write_line
from bot.command.words import split_line
from bot.errors import UsageError
from bot.mail.router import is_command
from bot.render.markup import storable
from bot.wiring.topics import TOPICS

COMMANDS = {command.name: command for topic in TOPICS for command in read_topic(topic)}
HARD = (
    "--verify",
    "--",
    "—dash",
    '"',
    "'",
    "it's",
    'say "hi"',
    "back\\slash \\\\ \"both\" 'and'",
    " around ",
    "two\nlines",
    "```\ncode\n```",
    "“curly”",
    "a --json",
    "--json",
    "=x",
    "",
)
TEXTS = st.one_of(st.sampled_from(HARD), st.text(max_size=40).map(storable))


def values_for(command: Command, parameter: Parameter) -> st.SearchStrategy[Any]:
    """Return what may be said for a parameter: mostly what is allowed, sometimes what is not."""
    schema = resolved(command.schema["properties"][parameter.name], command.schema.get("$defs", {}))
    if parameter.choices:
        return st.sampled_from(parameter.choices)
    if parameter.kind is Kind.SWITCH:
        return st.booleans()
    if schema.get("type") == "integer":
        return st.integers(schema.get("minimum", -5), schema.get("maximum", 5_000))
    if schema.get("type") == "number":
        return st.floats(schema.get("minimum", 0), schema.get("maximum", 1e6))
    if "pattern" in schema:
        return st.one_of(st.from_regex(schema["pattern"], fullmatch=True), TEXTS)
    return TEXTS


def bound(command: Command, values: dict[str, Any]) -> dict[str, Any] | str:
    try:
        return command.grammar.check(values)
    except UsageError as error:
        return error.message.partition(":")[0]


def read(command: Command, line: str) -> dict[str, Any] | str:
    words = split_line(line)
    length = len(command.name.split())
    assert [word.text for word in words[:length]] == command.name.split()
    try:
        return command.grammar.bind_line(line, words[length:])
    except UsageError as error:
        return error.message.partition(":")[0]


@pytest.mark.parametrize("name", COMMANDS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_written_is_read_as_the_same_values(name: str, data: st.DataObject) -> None:
    command = COMMANDS[name]
    values: dict[str, Any] = {}
    gap = False
    for parameter in command.grammar.parameters:
        is_word = parameter.kind in {Kind.WORD, Kind.REST}
        if gap and is_word:
            continue
        if parameter.required or data.draw(st.booleans()):
            values[parameter.name] = data.draw(values_for(command, parameter))
        elif is_word:
            gap = True
    line = write_line(command, values)
    assert is_command(f"!{line}")
    assert not line.endswith(" --json")
    assert read(command, line) == bound(command, values)


def test_a_word_after_one_that_is_missing_is_refused_with_its_name() -> None:
    with pytest.raises(UsageError, match="PRINCIPAL is missing"):
        write_line(COMMANDS["why"], {"action": "fleet stop"})


def test_a_plain_line_is_written_as_a_person_would() -> None:
    line = write_line(COMMANDS["backlog claim"], {"owner": "me", "ttl": 900, "id": "fix-the-login"})
    assert line == "backlog claim --owner me --ttl 900 --id fix-the-login"


def test_a_quoted_word_is_no_flag() -> None:
    command = COMMANDS["agent send"]
    line = 'agent send coder0 "--verify"'
    assert command.grammar.bind_line(line, split_line(line)[2:])["text"] == "--verify"
