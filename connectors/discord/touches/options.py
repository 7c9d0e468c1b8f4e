"""A command's arguments as options of a slash command, and what people chose as a line again.

Source: Discord's documentation, "Application Commands" (option types, limits).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bot.command.allowed import resolved
from bot.command.catalog import Command
from bot.command.declare import FileUse
from bot.command.grammar import Parameter
from bot.command.wording import Value
from bot.render.markup import storable

Payload = dict[str, Any]

SUB_COMMAND: Final = 1
GROUP: Final = 2
STRING: Final = 3
INTEGER: Final = 4
BOOLEAN: Final = 5
NUMBER: Final = 10

LONGEST_DESCRIPTION: Final = 100
MOST_OPTIONS: Final = 25
MOST_CHOICES: Final = 25
LONGEST_STRING: Final = 6000
_LARGEST = 2**53 - 1
_TYPES = {"integer": INTEGER, "number": NUMBER, "boolean": BOOLEAN}


def options_of(command: Command) -> list[Payload]:
    """Return a command's options, required ones first; a file of the caller's is none, since nobody here reaches it."""
    schema = command.schema
    definitions = schema.get("$defs", {})
    made = [
        _option(one, resolved(schema["properties"][one.name], definitions))
        for one in command.grammar.parameters
        if one.file is None
    ]
    return sorted(made, key=lambda option: not option["required"])[:MOST_OPTIONS]


def _option(parameter: Parameter, schema: Mapping[str, Any]) -> Payload:
    kind = _TYPES.get(schema.get("type", ""), STRING)
    option: Payload = {
        "type": kind,
        "name": option_name(parameter),
        "description": clipped(parameter.help or parameter.written),
        "required": parameter.required,
    }
    if 0 < len(parameter.choices) <= MOST_CHOICES:
        option["choices"] = [{"name": one, "value": one} for one in parameter.choices]
    elif parameter.names is not None:
        option["autocomplete"] = True
    option |= _bounds(kind, schema)
    return option


def _bounds(kind: int, schema: Mapping[str, Any]) -> Payload:
    """Return what Discord checks before we are asked."""
    if kind == STRING and schema.get("type") == "string":
        found = {
            "min_length": schema.get("minLength"),
            "max_length": min(schema.get("maxLength", LONGEST_STRING), LONGEST_STRING),
        }
    elif kind in {INTEGER, NUMBER}:
        found = {"min_value": _least(kind, schema), "max_value": _most(kind, schema)}
    else:
        found = {}
    return {name: value for name, value in found.items() if value is not None}


def _least(kind: int, schema: Mapping[str, Any]) -> float | None:
    least = schema.get("minimum")
    if least is None and "exclusiveMinimum" in schema:
        least = schema["exclusiveMinimum"] + (kind == INTEGER)
    return None if least is None else max(least, -_LARGEST)


def _most(kind: int, schema: Mapping[str, Any]) -> float | None:
    most = schema.get("maximum")
    if most is None and "exclusiveMaximum" in schema:
        most = schema["exclusiveMaximum"] - (kind == INTEGER)
    return None if most is None else min(most, _LARGEST)


def option_name(parameter: Parameter) -> str:
    """Return how an option is called: as the flag, without its dashes."""
    return parameter.name.replace("_", "-").lower()


def values_of(command: Command, given: Sequence[Mapping[str, Any]]) -> dict[str, Value]:
    """Return what people chose, by the parameters' names.

    An import takes its text from an option: its file's name is then only what errors call it.
    """
    names = {option_name(one): one.name for one in command.grammar.parameters}
    values = {names[one["name"]]: _said(one["value"]) for one in given if one["name"] in names}
    return {**dict(_unreachable(command)), **values}


def _unreachable(command: Command) -> Iterator[tuple[str, str]]:
    for parameter in command.grammar.parameters:
        if parameter.file == FileUse.READ and parameter.required:
            yield parameter.name, "-"


def _said(value: Value) -> Value:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return storable(value) if isinstance(value, str) else value


def clipped(text: str, most: int = LONGEST_DESCRIPTION) -> str:
    """Return a text that Discord takes as a description."""
    plain = " ".join(text.replace("`", "").split()) or "-"
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"
