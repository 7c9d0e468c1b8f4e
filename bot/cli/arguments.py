"""Reads the command line: which words are the daemon's, which flags are ours, what is text whatever it looks like."""

from collections.abc import Sequence
from typing import NamedTuple

from bot.cli.table import Entry, Table
from bot.errors import UsageError

_SWITCHES = {"--json": "json", "--yes": "yes", "-y": "yes", "--help": "help", "-h": "help"}


class Request(NamedTuple):
    """What was asked for. ``words`` go to the daemon as they are; ``text_at`` is the place of a rest's text."""

    words: list[str]
    json: bool = False
    yes: bool = False
    help: bool = False
    version: bool = False
    home: str | None = None
    text_at: int | None = None


def read_arguments(arguments: Sequence[str], table: Table) -> Request:
    """Return the request that the arguments make.

    A flag's value and a command's last text are never taken for our flags: the text of ``agent send NAME
    TEXT`` may begin with a dash, and may even be ``--json`` when nothing else can be the text.
    """
    reading = _Reading(table)
    for argument in arguments:
        reading.take(argument)
    return reading.finish()


class _Reading:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._words: list[str] = []
        self._switches: set[str] = set()
        self._home: str | None = None
        self._value_of: str | None = None
        self._text_at: int | None = None
        self._doubtful: tuple[int, str] | None = None

    def take(self, argument: str) -> None:
        """Take the next argument."""
        if self._value_of is not None:
            self._take_value(argument)
        elif argument in _SWITCHES:
            self._take_switch(argument)
        elif argument == "--version" and not self._words:
            self._switches.add("version")
        elif argument == "--home":
            self._value_of = "--home"
        elif argument.startswith("--home="):
            self._home = argument.partition("=")[2]
        else:
            self._take_word(argument)

    def _take_value(self, argument: str) -> None:
        if self._value_of == "--home":
            self._home = argument
        else:
            self._words.append(argument)
        self._value_of = None

    def _take_switch(self, argument: str) -> None:
        if self._doubtful is None and self._awaits_text():
            self._doubtful = (len(self._words), argument)
        else:
            self._switches.add(_SWITCHES[argument])

    def _take_word(self, argument: str) -> None:
        kinds = self._kinds()
        if kinds.get(argument) == "flag":
            self._value_of = argument
        elif argument.partition("=")[0] not in kinds and self._awaits_text():
            self._text_at = len(self._words)
        self._words.append(argument)

    def _entry(self) -> tuple[Entry, int] | None:
        return self._table.find(self._words)

    def _kinds(self) -> dict[str, str]:
        """Return the flags of the command so far, with whether they take a value."""
        found = self._entry()
        parameters = found[0]["parameters"] if found else []
        return {p["written"]: p["kind"] for p in parameters if p["kind"] in {"flag", "switch"}}

    def _awaits_text(self) -> bool:
        """Return whether the next word that is no flag of the command is its last text."""
        found = self._entry()
        if found is None or self._text_at is not None:
            return False
        entry, length = found
        kinds = [p["kind"] for p in entry["parameters"] if p["kind"] in {"word", "rest"}]
        return "rest" in kinds and self._places_filled(length) == kinds.index("rest")

    def _places_filled(self, start: int) -> int:
        kinds, filled, skip = self._kinds(), 0, False
        for word in self._words[start:]:
            if skip:
                skip = False
            elif word in kinds:
                skip = kinds[word] == "flag"
            elif not word.startswith("--"):
                filled += 1
        return filled

    def finish(self) -> Request:
        """Return the request; UsageError when a flag of ours has no value."""
        if self._value_of == "--home":
            raise UsageError("--home needs a directory")
        if self._doubtful is not None:
            self._decide_doubt(*self._doubtful)
        return Request(
            self._words,
            json="json" in self._switches,
            yes="yes" in self._switches,
            help="help" in self._switches,
            version="version" in self._switches,
            home=self._home,
            text_at=self._text_at,
        )

    def _decide_doubt(self, place: int, switch: str) -> None:
        """Take a switch of ours that stood where a text could stand as the text, when no other word was it."""
        found = self._entry()
        required = found is not None and any(
            p["kind"] == "rest" and p["required"] for p in found[0]["parameters"]
        )
        if self._text_at is None and required:
            self._words.insert(place, switch)
            self._text_at = place
        else:
            self._switches.add(_SWITCHES[switch])
