"""A talk with the person at a terminal: questions that are asked again until somebody answers them."""

import getpass
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

from bot.errors import UsageError, UserError


@dataclass(frozen=True, slots=True)
class Talk:
    """The terminal of the person who is asked; ``hidden`` reads a line that is not shown."""

    lines: TextIO
    paper: TextIO
    hidden: Callable[[str], str] = getpass.getpass

    def say(self, text: str) -> None:
        """Write a line."""
        self.paper.write(f"{text}\n")
        self.paper.flush()

    def ask(self, question: str, default: str, read: Callable[[str], str]) -> str:
        """Ask until ``read`` takes the answer; an empty one is the default. UserError when nobody answers any more."""
        while True:
            self.paper.write(f"{question} [{default}] " if default else f"{question} ")
            self.paper.flush()
            line = self.lines.readline()
            if not line:
                raise UserError("nothing was done", code="declined")
            try:
                return read(line.strip() or default)
            except UserError as error:
                self.paper.write(f"  {error.message}\n")

    def ask_hidden(self, question: str, read: Callable[[str], str]) -> str:
        """Ask for a secret until ``read`` takes it; what is typed is not shown."""
        while True:
            try:
                said = self.hidden(f"{question} ")
            except EOFError as error:
                raise UserError("nothing was done", code="declined") from error
            try:
                return read(said.strip())
            except UserError as error:
                self.say(f"  {error.message}")

    def choose(self, question: str, options: Sequence[tuple[str, str]], default: str) -> str:
        """Let somebody choose by number or by name."""
        self.paper.write(f"\n{question}\n")
        for number, (name, meaning) in enumerate(options, start=1):
            self.paper.write(f"  {number}  {name:<20} {meaning}\n")
        names = [name for name, _ in options]
        return self.ask("Which?", default, lambda said: _one_of(said, names))

    def agrees(self, question: str) -> bool:
        """Ask for a yes; an empty answer is one."""
        said = self.ask(question, "y", lambda word: _one_of(word.lower(), ["y", "yes", "n", "no"]))
        return said.startswith("y")


def _one_of(said: str, names: Sequence[str]) -> str:
    if said.isascii() and said.isdigit() and 0 < int(said) <= len(names):
        return names[int(said) - 1]
    if said in names:
        return said
    raise UsageError(f"{said!r} is not one of: {', '.join(names)}")
