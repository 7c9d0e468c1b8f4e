"""What may not be said of a card is refused with the argument, the value and what is allowed."""

from typing import Any

import pytest

from bot.command.catalog import read_topic
from bot.errors import UsageError
from commands.backlog import BacklogCommands

GRAMMARS = {command.name: command.grammar for command in read_topic(BacklogCommands)}
CREATE = GRAMMARS["backlog create"]
CARD = {"id": "A1", "title": "t"}


def refused(name: str, **values: Any) -> str:
    with pytest.raises(UsageError) as caught:
        GRAMMARS[f"backlog {name}"].check(values)
    assert len(caught.value.message) < 600
    return caught.value.message


@pytest.mark.parametrize("id", ["", "-A", ".A", "A b", "A/b", "Ä", "A" * 65, "A\n", "A\0"])
def test_an_id_out_of_form_is_refused(id: str) -> None:
    assert "ID: " in refused("show", id=id)
    assert "--id: " in refused("create", id=id, title="t")
    assert "--depends-on: " in refused("create", **CARD, depends_on=[id])


@pytest.mark.parametrize("id", ["A", "0", "a.b_c-d", "A" * 64])
def test_an_id_in_form_is_taken(id: str) -> None:
    assert GRAMMARS["backlog show"].check({"id": id}) == {"id": id}


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("title", "", "at least 1 character"),
        ("title", "   ", "at least 1 character"),
        ("title", "t" * 301, "at most 300 characters"),
        ("title", "two\nlines", "one line without control characters"),
        ("title", "bell\a", "one line without control characters"),
        ("title", "\x1b[31mred", "one line without control characters"),
        ("title", "\ud800", "unicode"),
        ("title", 5, "string"),
        ("body", "a\0b", "must not hold a NUL byte"),
        ("body", "b" * 100_001, "at most 100000 characters"),
        ("phase", "p\0", "control characters"),
        ("priority", "2147483648", "less than or equal to 2147483647"),
        ("priority", "-2147483649", "greater than or equal to -2147483648"),
        ("priority", "high", "integer"),
        ("priority", "1.5", "integer"),
        ("depends_on", ["A", "B C"], "pattern"),
        ("depends_on", ["A"] * 1001, "at most 1000 items"),
        ("acceptance", "{not json", "must be JSON"),
        ("acceptance", "NaN", "finite numbers"),
        ("acceptance", "[1e999]", "finite numbers"),
        ("acceptance", '["\\u0000"]', "NUL"),
        ("acceptance", '{"\\u0000": 1}', "NUL"),
        ("acceptance", '["\\ud800"]', "surrogates"),
        ("acceptance", '["' + "x" * 65_536 + '"]', "at most 65536 bytes"),
        ("acceptance", "[" * 100_000, "nest deeper than 64"),
        ("acceptance", "[" * 65 + "]" * 65, "nest deeper than 64"),
        ("idempotency_key", "", "at least 1 character"),
        ("idempotency_key", "k" * 201, "at most 200 characters"),
        ("agent_class", "c" * 101, "at most 100 characters"),
        ("agent", "c\n", "control characters"),
        ("host", "h" * 256, "at most 255 characters"),
    ],
)
def test_a_value_out_of_bounds_is_refused(field: str, value: Any, allowed: str) -> None:
    message = refused("create", **{**CARD, field: value})
    assert f"--{field.replace('_', '-')}: " in message
    assert allowed in message


def test_values_that_nest_too_deep_are_refused_too() -> None:
    value: list[Any] = []
    for _ in range(64):
        value = [value]
    assert "nest deeper than 64" in refused("create", **CARD, acceptance=value)
    assert "nest deeper than 64" in refused("create", **CARD, acceptance={"a": value})


@pytest.mark.parametrize("ttl", ["0", "-1", "604801", "1.5", "soon"])
def test_a_claim_out_of_a_second_to_a_week_is_refused(ttl: str) -> None:
    assert "--ttl: " in refused("claim", owner="w", ttl=ttl)
    assert "--ttl: " in refused("renew", id="A", token="t", ttl=ttl)


def test_an_unknown_status_is_refused_with_those_that_there_are() -> None:
    message = refused("list", status="open")
    assert "'open'" in message
    for status in ("ready", "claimed", "blocked", "done"):
        assert status in message


@pytest.mark.parametrize(
    ("name", "values", "missing"),
    [
        ("create", {"id": "A"}, "--title is missing"),
        ("create", {"title": "t"}, "--id is missing"),
        ("claim", {}, "--owner is missing"),
        ("renew", {"id": "A"}, "--token is missing"),
        ("link", {"from": "A"}, "--to is missing"),
        ("link", {"to": "A"}, "--from is missing"),
        ("complete", {}, "--id is missing"),
    ],
)
def test_what_must_be_said_is_named(name: str, values: dict[str, str], missing: str) -> None:
    assert missing in refused(name, **values)


@pytest.mark.parametrize("value", [[], {}, 0, False, "text", [[["deep"]]], {"a": [None, 1.5]}])
def test_any_other_json_is_an_acceptance(value: Any) -> None:
    given = '"text"' if value == "text" else value
    assert CREATE.check({**CARD, "acceptance": given})["acceptance"] == value
