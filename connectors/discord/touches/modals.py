"""Forms: a command's arguments as fields that people fill in, and what they wrote as a line.

Source: Discord's documentation, "Modal": five fields, titles and labels of 45 characters, 4000 characters of text. All
that a form means stands in its id, so one that was opened before a restart is good after it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import discord

from bot.command.allowed import resolved
from bot.command.catalog import Command
from bot.command.grammar import Kind, Parameter
from bot.command.wording import Value, write_line
from bot.render.markup import storable
from connectors.discord.touches.components import LONGEST_ID
from connectors.discord.touches.options import MOST_CHOICES, clipped

PREFIX: Final = "mosaic:form:"
MOST_FIELDS: Final = 5
_LONGEST_LABEL = 45
_LONGEST_TEXT = 4000
_ONE_LINE = 300
"""A text that may be longer gets a field of several lines."""


def fields_of(command: Command, given: Mapping[str, Value]) -> tuple[Parameter, ...]:
    """Return what a form asks for: what is not given yet, required arguments first, as many as a form has room for."""
    asked = [
        one
        for one in command.grammar.parameters
        if one.name not in given and one.kind is not Kind.SWITCH and one.file is None
    ]
    return tuple(sorted(asked, key=lambda one: not one.required)[:MOST_FIELDS])


def form_of(command: Command, given: Mapping[str, Value]) -> discord.ui.Modal | None:
    """Return a command's form; None when what is given already is too long to be kept in it, or nothing is to ask."""
    custom_id = PREFIX + write_line(command, given)
    fields = fields_of(command, given)
    if len(custom_id) > LONGEST_ID or not fields:
        return None
    title = clipped(command.summary.rstrip("."), _LONGEST_LABEL)
    form = discord.ui.Modal(title=title, custom_id=custom_id, timeout=None)
    schema = command.schema
    for one in fields:
        found = resolved(schema["properties"][one.name], schema.get("$defs", {}))
        form.add_item(_field(one, found))
    return form


def _field(parameter: Parameter, schema: Mapping[str, Any]) -> discord.ui.Label[Any]:
    if 0 < len(parameter.choices) <= MOST_CHOICES:
        shown: discord.ui.Item[Any] = discord.ui.Select(
            custom_id=parameter.name,
            required=parameter.required,
            options=[discord.SelectOption(label=one, value=one) for one in parameter.choices],
        )
    else:
        shown = _text(parameter, schema)
    return discord.ui.Label(
        text=clipped(parameter.name.replace("_", " "), _LONGEST_LABEL),
        description=clipped(parameter.help) if parameter.help else None,
        component=shown,
    )


def _text(parameter: Parameter, schema: Mapping[str, Any]) -> discord.ui.TextInput[Any]:
    most = min(int(schema.get("maxLength", _LONGEST_TEXT)), _LONGEST_TEXT)
    is_long = schema.get("type") == "string" and "pattern" not in schema and most > _ONE_LINE
    return discord.ui.TextInput(
        custom_id=parameter.name,
        style=discord.TextStyle.paragraph if is_long else discord.TextStyle.short,
        required=parameter.required,
        max_length=most,
    )


def written_in(
    command: Command, given: Mapping[str, Value], components: Sequence[Mapping[str, Any]]
) -> dict[str, Value]:
    """Return a form's values with what was given before; a field that was left empty says nothing."""
    known = {one.name for one in command.grammar.parameters}
    written = {name: text for name, text in _texts(components) if name in known and text}
    return {**given, **written}


def _texts(components: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for one in components:
        inner = [*one.get("components", ()), *([one["component"]] if "component" in one else ())]
        yield from _texts(inner)
        if "custom_id" in one:
            values = one.get("values") or [one.get("value") or ""]
            yield str(one["custom_id"]), storable(str(values[0]))
