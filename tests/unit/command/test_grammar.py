"""A signature as a grammar."""

from enum import StrEnum
from typing import Annotated, Any

import pytest
from pydantic import Field

from bot.command.catalog import Catalog
from bot.command.declare import (
    EVERYONE,
    OPERATORS,
    Call,
    CommaList,
    Effect,
    Help,
    JsonText,
    Rest,
    command,
    topic,
)
from bot.command.words import split_line
from bot.errors import UsageError
from bot.reply import Reply, say


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@topic("paint", also=("shop paint",))
class PaintCommands:
    @command("mix", roles=EVERYONE, effect=Effect.WRITE)
    async def mix(
        self,
        call: Call,
        name: Annotated[str, Help("what to call it"), Field(min_length=2)],
        *,
        colour: Colour = Colour.RED,
        litres: Annotated[int, Field(ge=1, le=9)] = 1,
        with_: Annotated[tuple[str, ...], CommaList] = (),
        recipe: Annotated[Any, JsonText] = None,
        gloss: bool = False,
    ) -> Reply:
        """Mix a colour.

        It dries in an hour.
        """
        return say(name)

    @command("say", roles=OPERATORS)
    async def say(
        self, call: Call, to: str, text: Annotated[str, Rest()], *, loud: bool = False
    ) -> Reply:
        """Say something."""
        return say(text)


CATALOG = Catalog([PaintCommands()])


def bind(line: str) -> dict[str, Any]:
    return CATALOG.find_line(line, split_line(line))[1]


def test_words_and_flags_become_typed_arguments() -> None:
    arguments = bind(
        "paint mix sky --colour blue --litres=3 --with a,b --recipe '{\"x\": 1}' --gloss"
    )
    assert arguments == {
        "name": "sky",
        "colour": Colour.BLUE,
        "litres": 3,
        "with_": ("a", "b"),
        "recipe": {"x": 1},
        "gloss": True,
    }


def test_an_alias_names_the_same_command() -> None:
    assert CATALOG.find(["shop", "paint", "mix"])[0] is CATALOG.commands["paint mix"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("paint mix", "NAME is missing"),
        ("paint mix x", "NAME: 'x' is not allowed: string should have at least 2 characters"),
        (
            "paint mix sky --litres ten",
            "--litres: 'ten' is not allowed: input should be a valid integer",
        ),
        (
            "paint mix sky --litres 12",
            "--litres: '12' is not allowed: input should be less than or equal to 9",
        ),
        (
            "paint mix sky --colour green",
            "--colour: 'green' is not allowed: input should be 'red' or 'blue'",
        ),
        ("paint mix sky --color blue", "no flag --color; did you mean --colour?"),
        ("paint mix sky blue", "'blue' is one word too many for paint mix"),
        ("paint mix sky --litres", "--litres needs a value"),
        ("paint mix sky --litres 1 --litres 2", "--litres is given twice"),
        ("paint mix sky --recipe {", "--recipe: '{' is not allowed: must be JSON"),
        ("paint mux", "did you mean `paint mix`?"),
        ("pain mix sky", "did you mean `paint mix`?"),
        ("paint", "paint alone is no command; it has: paint mix, paint say"),
        ("zebra", "there is no command 'zebra'"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(line: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        bind(line)
    assert message in caught.value.message


def test_a_rest_takes_the_line_as_it_stands() -> None:
    assert bind('paint say bob  --don\'t "quote"  me') == {
        "to": "bob",
        "text": '--don\'t "quote"  me',
        "loud": False,
    }


def test_flags_may_stand_before_a_rest() -> None:
    assert bind("paint say --loud bob hi")["loud"] is True


def test_a_shell_has_split_the_words_already() -> None:
    grammar = CATALOG.commands["paint say"].grammar
    assert grammar.bind_words(["bob", "--x y", "--loud"]) == {
        "to": "bob",
        "text": "--x y",
        "loud": True,
    }


def test_http_gives_names_and_unknown_ones_are_refused() -> None:
    grammar = CATALOG.commands["paint mix"].grammar
    assert grammar.check({"name": "sky", "with": ["a"], "recipe": [1]})["recipe"] == [1]
    with pytest.raises(UsageError, match="paint mix has no argument nam; did you mean name"):
        grammar.check({"name": "sky", "nam": "x"})


def test_help_and_schema_come_from_the_declaration() -> None:
    mix = CATALOG.commands["paint mix"]
    assert (mix.summary, mix.details) == ("Mix a colour.", "It dries in an hour.")
    assert mix.grammar.usage.startswith("paint mix NAME [--colour red|blue] [--litres LITRES]")
    assert mix.schema["properties"]["name"]["description"] == "what to call it"


def test_two_commands_of_one_name_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="two commands are called 'paint mix'"):
        Catalog([PaintCommands(), PaintCommands()])
