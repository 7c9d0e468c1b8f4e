"""A YAML or JSON text as plain values that know their lines; traps for parsers and people are refused.

Only what JSON can say is taken: no anchors, no tags, no dates; a key stands once. Reading never recurses,
so depth costs nothing but a refusal.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml

from bot.errors import UserError

MOST_BYTES = 8 * 1024 * 1024
"""The longest text that is read, in bytes of UTF-8."""

_DEEPEST = 64
_REMEMBERED = 4
"""Steps from the top down to which lines are kept: cards, number, field, place in a list."""

Place = tuple[str | int, ...]


class Document(NamedTuple):
    """What a text says, and on which line each place of it begins, counted from 1."""

    value: Any
    lines: dict[Place, int]

    def line_of(self, place: Place) -> int:
        """Return the line of a place, or of the nearest one around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


class Step(NamedTuple):
    """One step through a text: ``sign`` is one of ``{ } [ ]``, or ``-`` for a scalar."""

    sign: str
    line: int
    value: Any = None
    text: str = ""


def read_document(text: str, name: str) -> Document:
    """Return what a text says, as JSON if it begins with a brace, else as YAML.

    UserError ``NAME:LINE: …`` for the first thing that cannot be read.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise refused(name, 1, f"the file has {size} bytes; at most {MOST_BYTES} are read")
    steps = _json_steps if text.lstrip()[:1] in {"{", "["} else _yaml_steps
    building = _Building(name)
    for step in steps(text, name):
        building.take(step)
    return Document(building.value, building.lines)


def refused(name: str, line: int, reason: str) -> UserError:
    """Return the refusal of a file, in the form in which all file errors are told."""
    return UserError(f"{name}:{line}: {reason}", code="invalid", hint="nothing was imported")


class _Building:
    """Puts steps together to values."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._open: list[Any] = []
        self._place: list[str | int] = []
        self._key_line: int | None = None
        self.value: Any = None
        self.lines: dict[Place, int] = {}

    def take(self, step: Step) -> None:
        """Take the next step."""
        if step.sign in "}]":
            self._open.pop()
            self._leave()
        elif self._awaits_key():
            self._take_key(step)
        else:
            self._put(step)

    def _awaits_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1], dict) and self._key_line is None

    def _take_key(self, step: Step) -> None:
        if step.sign != "-":
            raise refused(self._name, step.line, "a key must be a word")
        if step.text in self._open[-1]:
            raise refused(self._name, step.line, f"{step.text} stands here twice")
        self._place.append(step.text)
        self._key_line = step.line

    def _put(self, step: Step) -> None:
        value = {"{": {}, "[": []}.get(step.sign, step.value)
        inside = self._open[-1] if self._open else None
        if isinstance(inside, list):
            self._place.append(len(inside))
            inside.append(value)
        elif isinstance(inside, dict):
            inside[self._place[-1]] = value
        else:
            self.value = value
        if len(self._place) <= _REMEMBERED:
            self.lines[tuple(self._place)] = self._key_line or step.line
        self._key_line = None
        if step.sign == "-":
            self._leave()
            return
        self._open.append(value)
        if len(self._open) > _DEEPEST:
            raise refused(self._name, step.line, f"nested deeper than {_DEEPEST}")

    def _leave(self) -> None:
        if self._place:
            self._place.pop()


# -- YAML --------------------------------------------------------------------------------------------------

_FASTEST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml reads ten times as fast


class _Loader(_FASTEST):  # type: ignore[misc]
    """Its events alone are used; they say of plain scalars nothing but their text."""


_PLAIN: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (re.compile(r"(?:null|Null|NULL|~|)\Z"), lambda _: None),
    (re.compile(r"(?:true|True|TRUE)\Z"), lambda _: True),
    (re.compile(r"(?:false|False|FALSE)\Z"), lambda _: False),
    (re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z"), int),
    (re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?\Z"), float),
)
"""YAML 1.2's core words, less what JSON cannot say: ``yes``, dates and ``1:30`` are texts."""

_SIGNS: dict[type[yaml.Event], str] = {
    yaml.MappingStartEvent: "{",
    yaml.MappingEndEvent: "}",
    yaml.SequenceStartEvent: "[",
    yaml.SequenceEndEvent: "]",
}


def _yaml_steps(text: str, name: str) -> Iterator[Step]:
    documents = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            documents += isinstance(event, yaml.DocumentStartEvent)
            line = _line_of(event.start_mark)
            if documents > 1:
                raise refused(name, line, "a second document begins here; one is read")
            yield from _yaml_step(event, line, name)
    except yaml.MarkedYAMLError as error:
        line = _line_of(error.problem_mark or error.context_mark)
        raise refused(name, line, f"not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise refused(name, _line_at(text, error), f"not YAML: {_reason(error)}") from error
    except UnicodeEncodeError as error:
        raise refused(name, 1, "half a surrogate pair is no character") from error


def _yaml_step(event: yaml.Event, line: int, name: str) -> Iterator[Step]:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        raise refused(name, line, "write it out: anchors and aliases are not taken")
    if getattr(event, "tag", None) not in {None, "!"}:
        raise refused(name, line, f"{event.tag} is not taken: say what JSON can say")  # type: ignore[attr-defined]
    if isinstance(event, yaml.ScalarEvent):
        plain = event.style in {None, ""}
        yield Step(
            "-", line, _plain(event.value, line, name) if plain else event.value, event.value
        )
    elif (sign := _SIGNS.get(type(event))) is not None:
        yield Step(sign, line)


def means_itself(text: str) -> bool:
    """Whether a text written without quotes is read as that text, and not as a number or a word of YAML's."""
    return not any(form.match(text) for form, _ in _PLAIN)


def _plain(text: str, line: int, name: str) -> Any:
    for form, read in _PLAIN:
        if form.match(text):
            try:
                return read(text)
            except ValueError as error:
                raise refused(name, line, f"a number of {len(text)} digits is too long") from error
    return text


def _line_of(mark: Any) -> int:
    return 1 if mark is None else int(mark.line) + 1


def _line_at(text: str, error: yaml.YAMLError) -> int:
    position = getattr(error, "position", 0)
    return text.count("\n", 0, position if isinstance(position, int) else 0) + 1


def _reason(error: yaml.YAMLError) -> str:
    return str(getattr(error, "reason", None) or str(error).splitlines()[0])


# -- JSON --------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]\n]|[^\s,:{}\[\]"]+')


def _json_steps(text: str, name: str) -> Iterator[Step]:
    """Check the whole text first; then its tokens tell everything, for the parser keeps no lines."""
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise refused(name, error.lineno, f"not JSON: {error.msg}") from error
    except RecursionError as error:
        raise refused(name, 1, f"nested deeper than {_DEEPEST}") from error
    except ValueError as error:
        raise refused(name, 1, f"not JSON: {error}") from error
    line = 1
    for word in _TOKEN.findall(text):
        if word == "\n":
            line += 1
        elif word in "{}[]":
            yield Step(word, line)
        else:
            value = json.loads(word)
            yield Step("-", line, value, value if isinstance(value, str) else word)


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no number")
