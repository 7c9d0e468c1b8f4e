"""roster.yaml as a file: every refusal names the line and what is allowed."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.errors import SetupError, UserError
from fleet.roster import Roster

_LONGEST = 200_000
_DEEPEST = 16
_MOST_SHOWN = 20
Place = tuple[str | int, ...]


def load(path: Path) -> Roster:
    """Read a roster; SetupError ``PATH:LINE: …`` when it cannot be used."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SetupError(f"{path}:1: there is no roster", hint="mosaic fleet init") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}:1: cannot be read: {error}") from error
    try:
        return parse(text, str(path))
    except UserError as error:
        raise SetupError(error.message, hint=error.hint) from error


def parse(text: str, source: str) -> Roster:
    """Return the roster that a text holds; UserError ``SOURCE:LINE: …`` for everything wrong in it, a line each.

    What is no YAML is named alone: nothing can be said of the rest.
    """
    node = _compose(text, source)
    lines: dict[Place, int] = {}
    values = _read(node, (), lines, source)
    if not isinstance(values, dict):
        raise UserError(f"{source}:1: a roster is a mapping that begins with version: 1")
    try:
        return Roster.model_validate(values)
    except ValidationError as error:
        found = _all(error.errors(include_url=False), lines)
        shown = [f"{source}:{line}: {said}" for line, said in found[:_MOST_SHOWN]]
        if len(found) > _MOST_SHOWN:
            shown.append(f"{source}:{found[_MOST_SHOWN][0]}: and {len(found) - _MOST_SHOWN} more")
        raise UserError("\n".join(shown)) from error


def _compose(text: str, source: str) -> yaml.Node:
    if len(text) > _LONGEST:
        raise UserError(f"{source}:1: longer than {_LONGEST} characters")
    try:
        _refuse_traps(text, source)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = _line(error.problem_mark or error.context_mark)
        raise UserError(f"{source}:{line}: not YAML: {error.problem or error.context}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UserError(f"{source}:{line}: not YAML: {error.reason}") from error
    if node is None:
        raise UserError(f"{source}:1: the file is empty; it begins with version: 1")
    return node


def _refuse_traps(text: str, source: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = _line(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            raise UserError(f"{source}:{line}: *{event.anchor}: write it out, no YAML aliases here")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise UserError(f"{source}:{line}: nested deeper than {_DEEPEST}")


def _line(mark: Any) -> int:
    return 1 if mark is None else int(mark.line) + 1


def _read(node: yaml.Node, place: Place, lines: dict[Place, int], source: str) -> Any:
    lines.setdefault(place, _line(node.start_mark))
    match node:
        case yaml.MappingNode():
            return dict(_read_pairs(node, place, lines, source))
        case yaml.SequenceNode():
            return [_read(item, (*place, at), lines, source) for at, item in enumerate(node.value)]
    return _scalar(node, source)


def _read_pairs(
    node: yaml.MappingNode, place: Place, lines: dict[Place, int], source: str
) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for key_node, value_node in node.value:
        line = _line(key_node.start_mark)
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
        if key is None or key in seen:
            said = "a key must be a word" if key is None else f"{key} stands here twice"
            raise UserError(f"{source}:{line}: {said}")
        seen.add(key)
        lines[*place, key] = line
        yield key, _read(value_node, (*place, key), lines, source)


def _scalar(node: yaml.Node, source: str) -> Any:
    loader = yaml.SafeLoader("")
    try:
        value = loader.construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError) as error:
        line = _line(node.start_mark)
        raise UserError(f"{source}:{line}: cannot read {node.value!r}") from error
    finally:
        loader.dispose()
    return value


def _all(errors: list[ErrorDetails], lines: Mapping[Place, int]) -> list[tuple[int, str]]:
    """Return every fault with its line, in the order of the lines, each once."""
    return sorted({(_line_of(error["loc"], lines), _sentence(error)) for error in errors})


def _line_of(place: Place, lines: Mapping[Place, int]) -> int:
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _sentence(error: ErrorDetails) -> str:
    place = "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in error["loc"]
    ).lstrip(".")
    given = error["input"]
    match error["type"]:
        case "missing":
            return f"{place} is missing"
        case "extra_forbidden":
            return f"{place}: there is no such key; {_allowed_keys(error['loc'])}"
        case "literal_error":
            return f"{place}: {given!r} is not allowed; allowed: {error['ctx']['expected']}"
        case "string_pattern_mismatch":
            return f"{place}: {given!r} must match {error['ctx']['pattern']}"
        case "value_error":
            return f"{place}: {error['ctx']['error']}".lstrip(": ")
    shown = f"{given!r}: " if isinstance(given, str | int | float | bool) else ""
    said = "not a list" if error["type"] == "tuple_type" else error["msg"]
    return f"{place}: {shown}{said}"


def _allowed_keys(place: Place) -> str:
    """Return the keys that may stand where an unknown one stood."""
    model: Any = Roster.model_json_schema()
    root = model
    for step in place[:-1]:
        model = _resolve(root, model)
        model = (
            model.get("items", {}) if isinstance(step, int) else model["properties"].get(step, {})
        )
    return "allowed: " + ", ".join(_resolve(root, model).get("properties", {}))


def _resolve(root: Any, schema: Any) -> Any:
    for option in (schema, *schema.get("anyOf", ())):
        if "$ref" in option:
            return root["$defs"][option["$ref"].rpartition("/")[2]]
    return schema


DEMO_AGENTS = ("orchestrator", "enhancer")


def demo_roster(socket_name: str) -> str:
    """Return the roster of a newcomer: two dogfood agents on a tmux socket of their own."""
    agents = "".join(
        f"  - {{name: {name}, class: {name}, runtime: dogfood}}\n" for name in DEMO_AGENTS
    )
    return (
        "# Who is in the fleet. `mosaic fleet list` reads it back to you.\n"
        "version: 1\n"
        "transport: tmux\n"
        f"tmux: {{socket_name: {socket_name}, holder_session: _holder}}\n"
        f"agents:\n{agents}"
    )


def schema_text() -> str:
    """Return the JSON Schema that ships as ``fleet/roster.schema.json``, for editors."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(schema | Roster.model_json_schema(), indent=2, sort_keys=True) + "\n"
