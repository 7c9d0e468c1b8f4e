"""YAML that people write, read strictly: every refusal names the line and what is allowed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.errors import UserError

_LONGEST = 200_000
_DEEPEST = 16
_MOST_SHOWN = 20
Place = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Page(Generic[Model]):
    """A text that was read: what it holds, and on which line each of its values stands."""

    source: str
    value: Model
    lines: Mapping[Place, int]

    def fault(self, place: Place, said: str) -> str:
        """Return a fault as ``SOURCE:LINE: place: said``; the line is that of the nearest thing that stands there."""
        return f"{self.source}:{_line_of(place, self.lines)}: {shown(place)}: {said}"


def read_strictly(text: str, source: str, model: type[Model], *, what: str, begins: str) -> Model:
    """Return the model that a text holds; UserError ``SOURCE:LINE: …`` for everything wrong, a line each.

    What is no YAML is named alone: nothing can be said of the rest. ``what`` and ``begins`` are the words of
    the refusal when there is no mapping at all.
    """
    return read_page(text, source, model, what=what, begins=begins).value


def read_page(text: str, source: str, model: type[Model], *, what: str, begins: str) -> Page[Model]:
    """Return what a text holds with its lines, for whoever has more to check; else as ``read_strictly``."""
    node = _compose(text, source, begins)
    lines: dict[Place, int] = {}
    values = _read(node, (), lines, source)
    if not isinstance(values, dict):
        raise UserError(f"{source}:1: {what} is a mapping that begins with {begins}")
    try:
        return Page(source, model.model_validate(values), lines)
    except ValidationError as error:
        found = _all(error.errors(include_url=False), lines, model)
        told = [f"{source}:{line}: {said}" for line, said in found[:_MOST_SHOWN]]
        if len(found) > _MOST_SHOWN:
            told.append(f"{source}:{found[_MOST_SHOWN][0]}: and {len(found) - _MOST_SHOWN} more")
        raise UserError("\n".join(told)) from error


def _compose(text: str, source: str, begins: str) -> yaml.Node:
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
        raise UserError(f"{source}:1: the file is empty; it begins with {begins}")
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


def _all(
    errors: list[ErrorDetails], lines: Mapping[Place, int], model: type[BaseModel]
) -> list[tuple[int, str]]:
    """Return every fault with its line, in the order of the lines, each once."""
    return sorted({(_line_of(error["loc"], lines), _sentence(error, model)) for error in errors})


def _line_of(place: Place, lines: Mapping[Place, int]) -> int:
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def shown(place: Place) -> str:
    """Return a place as people write it: ``agents[2].name``."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return "".join(steps).lstrip(".")


def _sentence(error: ErrorDetails, model: type[BaseModel]) -> str:
    place = shown(error["loc"])
    given = error["input"]
    match error["type"]:
        case "missing":
            return f"{place} is missing"
        case "extra_forbidden":
            return f"{place}: there is no such key; {_allowed_keys(error['loc'], model)}"
        case "literal_error":
            return f"{place}: {given!r} is not allowed; allowed: {error['ctx']['expected']}"
        case "string_pattern_mismatch":
            return f"{place}: {given!r} must match {error['ctx']['pattern']}"
        case "value_error":
            return f"{place}: {error['ctx']['error']}".lstrip(": ")
    value = f"{given!r}: " if isinstance(given, str | int | float | bool) else ""
    said = "not a list" if error["type"] == "tuple_type" else error["msg"]
    return f"{place}: {value}{said}"


def _allowed_keys(place: Place, of: type[BaseModel]) -> str:
    """Return the keys that may stand where an unknown one stood."""
    model: Any = of.model_json_schema()
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
