"""What an argument may be, in a few words: for help, the command table and the reference."""

from collections.abc import Mapping
from typing import Any

from bot.command.catalog import Command

_KINDS = {"integer": "a whole number", "number": "a number", "array": "a list with commas"}
_BOUNDS = (
    ("minimum", "at least {}"),
    ("exclusiveMinimum", "more than {}"),
    ("maximum", "at most {}"),
    ("exclusiveMaximum", "less than {}"),
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
)


def allowed_values(command: Command) -> dict[str, str]:
    """Return, per parameter's name, what is allowed; an empty text where anything is."""
    schema = command.schema
    definitions = schema.get("$defs", {})
    return {
        name: _describe(resolved(found, definitions))
        for name, found in schema.get("properties", {}).items()
    }


def resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a parameter's own schema: references followed, and "or null" taken off."""
    while True:
        if "$ref" in schema:
            schema = definitions[schema["$ref"].rpartition("/")[2]]
            continue
        arms = [arm for arm in schema.get("anyOf", ()) if arm.get("type") != "null"]
        if len(arms) != 1:
            return schema
        schema = arms[0]


def _describe(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return f"only {schema['const']}"
    words = [_KINDS[schema["type"]]] if schema.get("type") in _KINDS else []
    words += [form.format(schema[key]) for key, form in _BOUNDS if key in schema]
    if "pattern" in schema:
        words.append(f"matching {schema['pattern']}")
    return ", ".join(words)
