"""A command's signature as a grammar: words and flags in, typed arguments out."""

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum, StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from bot.command.declare import File, Help, Names, Rest, Subject
from bot.command.words import Word, quoted, shorten
from bot.errors import UsageError


class Kind(StrEnum):
    """How a parameter is written in a line."""

    WORD = "word"
    REST = "rest"
    FLAG = "flag"
    SWITCH = "switch"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a command: its name in JSON, and how people write it.

    ``argument`` is its name in the signature: the same, but for words that Python keeps to itself
    (``from_`` for ``from``). ``file`` is how the command line uses the file that it names, if it names one;
    ``names`` is what it names of what is there.
    """

    argument: str
    name: str
    kind: Kind
    required: bool
    default: Any
    help: str
    choices: tuple[str, ...]
    file: str | None = None
    names: Subject | None = None

    @property
    def written(self) -> str:
        """How a usage line and an error call it: ``ID`` or ``--depends-on``."""
        if self.kind in {Kind.FLAG, Kind.SWITCH}:
            return "--" + self.name.replace("_", "-")
        return self.name.upper().replace("_", "-")


@dataclass(frozen=True, slots=True)
class Grammar:
    """What a command takes. ``model`` validates a mapping of names to values and makes the JSON schema."""

    command: str
    parameters: tuple[Parameter, ...]
    model: type[BaseModel]

    @property
    def usage(self) -> str:
        """The command with its arguments, optional ones in brackets."""
        return " ".join([self.command, *(_usage_of(parameter) for parameter in self.parameters)])

    def bind_line(self, line: str, words: Sequence[Word]) -> dict[str, Any]:
        """Return typed arguments from the words of a chat line (a rest takes the line as it stands)."""
        return self.check(self.sort_line(line, words))

    def sort_line(self, line: str, words: Sequence[Word]) -> dict[str, Any]:
        """Return what a chat line gives to each parameter, unchecked and perhaps not to all that need it."""
        return _sort_words(self, [word.text for word in words], line, words)

    def bind_words(self, words: Sequence[str]) -> dict[str, Any]:
        """Return typed arguments from words that a shell has split already."""
        return self.check(_sort_words(self, words, None, ()))

    def check(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return typed arguments from named values, every one of them; UsageError names what is wrong."""
        try:
            checked = self.model.model_validate(dict(values))
        except ValidationError as error:
            raise UsageError(_explain(self, error), hint=f"usage: {self.usage}") from error
        return {
            parameter.argument: getattr(checked, parameter.name) for parameter in self.parameters
        }


def read_grammar(command: str, method: Callable[..., Any]) -> Grammar:
    """Return the grammar of a declared method, from its signature (``self`` and ``call`` left out)."""
    hints = get_type_hints(method, include_extras=True)
    fields: dict[str, Any] = {}
    parameters: list[Parameter] = []
    for argument in list(inspect.signature(method).parameters.values()):
        if argument.name in {"self", "call"}:
            continue
        annotation = hints[argument.name]
        parameters.append(_parameter(argument, annotation))
        default = ... if argument.default is argument.empty else argument.default
        fields[parameters[-1].name] = (annotation, Field(default, description=parameters[-1].help))
    model = create_model(
        "".join(part.title() for part in command.split()) + "Arguments",
        __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=True),
        **fields,
    )
    return Grammar(command, tuple(parameters), model)


def _parameter(argument: inspect.Parameter, annotation: Any) -> Parameter:
    bare, notes = _unwrap(annotation)
    if argument.kind is not inspect.Parameter.KEYWORD_ONLY:
        kind = Kind.REST if any(isinstance(note, Rest) for note in notes) else Kind.WORD
    else:
        kind = Kind.SWITCH if bare is bool else Kind.FLAG
    return Parameter(
        argument=argument.name,
        name=argument.name.rstrip("_"),
        kind=kind,
        required=argument.default is argument.empty,
        default=None if argument.default is argument.empty else argument.default,
        help=next((note.text for note in notes if isinstance(note, Help)), ""),
        choices=_choices(bare),
        file=next((note.use.value for note in notes if isinstance(note, File)), None),
        names=_named(annotation),
    )


def _unwrap(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Take Annotated and "or None" off a type; return the bare type and all notes on the way."""
    notes: tuple[Any, ...] = ()
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *found = get_args(annotation)
            notes += tuple(found)
        elif get_origin(annotation) in {Union, types.UnionType}:
            arms = [arm for arm in get_args(annotation) if arm is not types.NoneType]
            if len(arms) != 1:
                return annotation, notes
            annotation = arms[0]
        else:
            return annotation, notes


def _named(annotation: Any) -> Subject | None:
    """Return what a parameter names, or each item of a list of names."""
    bare, notes = _unwrap(annotation)
    found = next((note.subject for note in notes if isinstance(note, Names)), None)
    if found is None and get_origin(bare) is tuple:
        return _named(get_args(bare)[0])
    return found


def _choices(bare: Any) -> tuple[str, ...]:
    if get_origin(bare) is Literal:
        return tuple(str(value) for value in get_args(bare))
    if isinstance(bare, type) and issubclass(bare, Enum):
        return tuple(str(member.value) for member in bare)
    return ()


def _usage_of(parameter: Parameter) -> str:
    form = parameter.written
    if parameter.kind is Kind.FLAG:
        shown = "|".join(parameter.choices) or parameter.name.upper().replace("_", "-")
        form = f"{form} {shown}"
    return form if parameter.required else f"[{form}]"


def _sort_words(
    grammar: Grammar, texts: Sequence[str], line: str | None, words: Sequence[Word]
) -> dict[str, Any]:
    """Give every word to the parameter that it belongs to, still as text."""
    places = [p for p in grammar.parameters if p.kind in {Kind.WORD, Kind.REST}]
    flags = {p.written: p for p in grammar.parameters if p.kind in {Kind.FLAG, Kind.SWITCH}}
    values: dict[str, Any] = {}
    index = 0
    while index < len(texts):
        text = texts[index]
        is_quoted = line is not None and words[index].is_quoted
        is_flag = text in flags and not is_quoted
        rest = bool(places) and places[0].kind is Kind.REST
        if rest and line is not None and not is_flag:
            values[places[0].name] = _rest_of(line, words[index])
            return values
        if text.startswith("--") and not is_quoted and (is_flag or not rest):
            index = _take_flag(grammar, flags, texts, index, values)
            continue
        if not places:
            raise UsageError(
                f"{shorten(text)!r} is one word too many for {grammar.command}",
                hint=f"usage: {grammar.usage}; put quotes around words that belong together",
            )
        values[places.pop(0).name] = text
        index += 1
    return values


def _rest_of(line: str, word: Word) -> str:
    rest = line[word.start :].strip()
    is_one = len(rest) > 1 and (rest[1:-1] == word.text or rest == quoted(word.text))
    return word.text if word.is_quoted and is_one else rest


def _take_flag(
    grammar: Grammar,
    flags: Mapping[str, Parameter],
    texts: Sequence[str],
    index: int,
    values: dict[str, Any],
) -> int:
    """Read the flag at ``index`` with its value into ``values``; return where to go on."""
    name, equals, value = texts[index].partition("=")
    parameter = flags.get(name)
    if parameter is None:
        raise UsageError(
            f"{grammar.command} has no flag {shorten(name)}{_meant(name, flags)}",
            hint=f"usage: {grammar.usage}",
        )
    if parameter.name in values:
        raise UsageError(f"{name} is given twice", hint=f"usage: {grammar.usage}")
    if parameter.kind is Kind.SWITCH:
        values[parameter.name] = value if equals else True
        return index + 1
    if equals:
        values[parameter.name] = value
        return index + 1
    if index + 1 == len(texts):
        raise UsageError(f"{name} needs a value", hint=f"usage: {grammar.usage}")
    values[parameter.name] = texts[index + 1]
    return index + 2


def _meant(name: str, known: Mapping[str, Any]) -> str:
    close = get_close_matches(name[:64], known, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; it has {', '.join(sorted(known))}" if known else "; it has none"


def _explain(grammar: Grammar, error: ValidationError) -> str:
    details = error.errors()
    more = [f"and {len(details) - 5} more"] if len(details) > 5 else []
    return "; ".join([*(_explain_one(grammar, detail) for detail in details[:5]), *more])


def _explain_one(grammar: Grammar, detail: Any) -> str:
    name = str(detail["loc"][0]) if detail["loc"] else ""
    written = next((p.written for p in grammar.parameters if p.name == name), name)
    if detail["type"] == "missing":
        return f"{written} is missing"
    if detail["type"] == "extra_forbidden":
        names = {parameter.name: parameter for parameter in grammar.parameters}
        return f"{grammar.command} has no argument {shorten(name)}{_meant(name, names)}"
    shown = shorten(repr(detail["input"]))
    reason = detail["msg"].removeprefix("Value error, ")
    return f"{written}: {shown} is not allowed: {reason[:1].lower() + reason[1:]}"
