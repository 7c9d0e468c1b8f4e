"""Slash commands are made from the catalog, within Discord's limits."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

import pytest

from bot.command.catalog import Command, read_topic
from bot.command.declare import EVERYONE, Call, Help, command, topic
from bot.command.wording import write_line
from bot.model import Role
from bot.reply import Reply, say
from bot.wiring.topics import TOPICS
from connectors.discord.touches.options import BOOLEAN, INTEGER, NUMBER, STRING, Payload, values_of
from connectors.discord.touches.slash import (
    LONGEST_COMMAND,
    MOST_CHILDREN,
    Slashes,
    digest_of,
    length_of,
)

COMMANDS = [command for one in TOPICS for command in read_topic(one)]
SLASHES = Slashes(COMMANDS)


def every(payloads: list[Payload]) -> Iterator[Payload]:
    for payload in payloads:
        yield payload
        yield from every(payload.get("options", []))


def option(path: str, name: str) -> Payload:
    words = path.split()
    found = next(one for one in SLASHES.payloads if one["name"] == words[0])
    for word in [*words[1:], name]:
        found = next(one for one in found["options"] if one["name"] == word)
    return found


def many(count: int, words: str = "much") -> tuple[Command, ...]:
    """Return a topic's commands, as many as asked for."""

    made: dict[str, Any] = {}
    for number in range(count):

        async def one(
            self: Any, call: Call, *, text: Annotated[str, Help("words " * 30)] = ""
        ) -> Reply:
            """Do one of many things."""
            return say("done")

        made[f"one_{number}"] = command(f"one-{number}", roles=EVERYONE)(one)
    return read_topic(topic(words)(type("Many", (), made)))


def test_every_command_that_people_may_run_has_a_slash_command_and_no_other() -> None:
    found = {one.command.name for one in SLASHES.paths.values()}
    assert found == {one.name for one in COMMANDS if one.roles != {Role.AGENT}}


def test_all_of_it_is_within_discords_limits() -> None:
    assert len(SLASHES.payloads) <= 100
    for top in SLASHES.payloads:
        assert length_of(top) <= LONGEST_COMMAND
    for one in every(SLASHES.payloads):
        assert re.fullmatch(r"[-_a-z0-9]{1,32}", one["name"])
        assert 1 <= len(one["description"]) <= 100
        below = one.get("options", [])
        assert len(below) <= MOST_CHILDREN
        assert len({each["name"] for each in below}) == len(below)
        assert len(one.get("choices", [])) <= 25
        needed = [each.get("required", False) for each in below]
        assert needed == sorted(needed, reverse=True)
        assert not ("choices" in one and one.get("autocomplete"))


def test_a_group_that_is_a_command_itself_is_shown_below_its_name() -> None:
    asked = SLASHES.find(["fleet", "personas", "show"])
    assert asked is not None
    assert asked.command.name == "fleet personas"


def test_what_is_too_much_for_a_group_is_below_more() -> None:
    slashes = Slashes(many(40))
    (top,) = slashes.payloads
    assert [one["name"] for one in top["options"]][-1] == "more"
    assert len(slashes.paths) == 40
    assert slashes.find(["much", "one-0"]) is not None
    assert slashes.find(["much", "more", "one-39"]) is not None


def test_a_command_that_is_too_long_gets_shorter_descriptions() -> None:
    (top,) = Slashes(many(49)).payloads
    assert length_of(top) <= LONGEST_COMMAND


def test_what_cannot_be_shown_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="more words"):
        Slashes(many(1, "one two three"))
    with pytest.raises(ValueError, match="101 slash commands"):
        Slashes([found for number in range(101) for found in many(1, f"word{number}")])


def test_options_have_the_types_and_bounds_of_their_arguments() -> None:
    assert option("backlog claim", "ttl")["type"] == INTEGER
    assert (
        option("backlog claim", "ttl")["min_value"],
        option("backlog claim", "ttl")["max_value"],
    ) == (1, 604_800)
    assert option("backlog create", "title")["max_length"] == 300
    assert option("backlog list", "ready-only")["type"] == BOOLEAN
    assert option("agent send", "wait")["type"] == NUMBER
    assert option("remind cancel", "id")["max_value"] == 2**53 - 1
    status = option("backlog list", "status")
    assert status["type"] == STRING
    assert [one["value"] for one in status["choices"]] == ["ready", "claimed", "blocked", "done"]


def test_what_names_something_is_completed() -> None:
    for path, name in (
        ("backlog show", "id"),
        ("backlog create", "depends-on"),
        ("agent tail", "name"),
        ("fleet personas show", "name"),
        ("fleet provision", "profile"),
    ):
        assert option(path, name)["autocomplete"] is True
    assert "autocomplete" not in option("backlog create", "id")


def test_a_file_of_the_callers_is_no_option_and_an_import_takes_its_text() -> None:
    asked = SLASHES.find(["backlog", "import"])
    assert asked is not None
    values = values_of(asked.command, [{"name": "text", "value": "cards: []"}])
    assert write_line(asked.command, values) == 'backlog import "-" "cards: []"'


def test_the_hash_is_that_of_what_discord_tells_of_them() -> None:
    told = [
        {**payload, "id": "1", "version": "2", "nsfw": False, "default_permission": True}
        for payload in reversed(SLASHES.payloads)
    ]
    assert digest_of(told) == SLASHES.digest
    assert digest_of(told[1:]) != SLASHES.digest


def test_the_same_commands_have_the_same_hash_and_others_another() -> None:
    assert Slashes(COMMANDS).digest == SLASHES.digest
    assert Slashes(COMMANDS[:-1]).digest != SLASHES.digest
