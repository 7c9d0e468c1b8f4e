"""A command with named values as the chat line that says the same: what the grammar reads, written."""

import re
from collections.abc import Iterator, Mapping, Sequence

from bot.command.catalog import Command
from bot.command.grammar import Kind, Parameter
from bot.command.words import quoted
from bot.errors import UsageError

Value = str | int | float | bool

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.,:/@+-]*")
"""What means the same with quotes and without them."""


def write_line(command: Command, values: Mapping[str, Value]) -> str:
    """Return the line, without ``!``, to which the grammar gives these very values.

    ``values`` are by the parameters' names, as text or as typed values; what is left out stays out. Flags come first,
    since the rest of a line is taken as it stands. Raises UsageError when a word is missing before another, for a
    line says which is which by their order alone.
    """
    parameters = command.grammar.parameters
    flags = [p for p in parameters if p.kind in {Kind.FLAG, Kind.SWITCH} and p.name in values]
    words = [p for p in parameters if p.kind in {Kind.WORD, Kind.REST}]
    _require_order(words, values)
    said = [part for p in flags for part in _flag(p, values[p.name])]
    said += [_word(values[p.name]) for p in words if p.name in values]
    return " ".join([command.name, *said])


def _require_order(words: Sequence[Parameter], values: Mapping[str, Value]) -> None:
    given = [index for index, word in enumerate(words) if word.name in values]
    for word in words[: max(given, default=0)]:
        if word.name not in values:
            last = words[given[-1]]
            raise UsageError(
                f"{word.written} is missing", hint=f"who gives {last.written} gives it too"
            )


def _flag(parameter: Parameter, value: Value) -> Iterator[str]:
    if parameter.kind is Kind.FLAG:
        yield from (parameter.written, _word(value))
    elif value is True:
        yield parameter.written
    elif parameter.default is not False:
        yield f"{parameter.written}=false"


def _word(value: Value) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else quoted(text)
