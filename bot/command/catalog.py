"""All commands of one daemon: found by name, described for help, ready to run."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from bot.command.declare import DECLARATION, TOPIC, Call, Declaration, Effect, Topic
from bot.command.grammar import Grammar, read_grammar
from bot.command.words import Word, shorten
from bot.errors import UsageError
from bot.model import Role
from bot.reply import Reply

_SHOWN = 64
"""Characters of a word that an unknown command is compared by: hostile ones are long."""


@dataclass(frozen=True, slots=True)
class Command:
    """A declared command: everything that help, schema and reference are made from."""

    name: str
    also: tuple[str, ...]
    roles: frozenset[Role]
    effect: Effect
    confirm: str | None
    patience: str | None
    preview: str | None
    summary: str
    details: str
    grammar: Grammar
    method: str
    private: bool = False
    personal: bool = False
    form: str | None = None

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the arguments, as the HTTP face takes them."""
        return self.grammar.model.model_json_schema()


def read_topic(topic_class: type) -> tuple[Command, ...]:
    """Return the commands that a topic class declares, in the order of its methods."""
    topic: Topic = getattr(topic_class, TOPIC)
    commands = []
    for attribute, method in vars(topic_class).items():
        declaration: Declaration | None = getattr(method, DECLARATION, None)
        if declaration is not None:
            commands.append(_read_command(topic, declaration, attribute, method))
    return tuple(commands)


def _read_command(
    topic: Topic, declaration: Declaration, attribute: str, method: Callable[..., Any]
) -> Command:
    name = f"{topic.name} {declaration.name}".strip()
    summary, _, details = (method.__doc__ or "").strip().partition("\n")
    return Command(
        name=name,
        also=tuple(f"{prefix} {declaration.name}".strip() for prefix in topic.also),
        roles=declaration.roles,
        effect=declaration.effect,
        confirm=declaration.confirm,
        patience=declaration.patience,
        preview=declaration.preview,
        summary=summary,
        details="\n".join(line.strip() for line in details.strip().splitlines()),
        grammar=read_grammar(name, method),
        method=attribute,
        private=declaration.private,
        personal=declaration.personal,
        form=declaration.form,
    )


class Catalog:
    """The commands of the given topics, bound to them.

    Names are unique over all topics, other spellings included; a clash is a programming error (ValueError).
    """

    def __init__(self, topics: Sequence[object]) -> None:
        self._commands: dict[str, Command] = {}
        self._spellings: dict[tuple[str, ...], Command] = {}
        self._owners: dict[str, object] = {}
        for owner in topics:
            for command in read_topic(type(owner)):
                self._add(owner, command)

    def _add(self, owner: object, command: Command) -> None:
        for spelling in (command.name, *command.also):
            words = tuple(spelling.split())
            if words in self._spellings:
                raise ValueError(f"two commands are called {spelling!r}")
            self._spellings[words] = command
        self._commands[command.name] = command
        self._owners[command.name] = owner

    @property
    def commands(self) -> Mapping[str, Command]:
        """The commands by name, in the order of their declaration."""
        return self._commands

    def find(self, words: Sequence[str]) -> tuple[Command, int]:
        """Return the command with the longest name that the words begin with, and that name's length.

        Raises UsageError that names what was probably meant.
        """
        longest = max(map(len, self._spellings), default=0)
        for length in range(min(len(words), longest), 0, -1):
            command = self._spellings.get(tuple(word.lower() for word in words[:length]))
            if command is not None:
                return command, length
        raise UsageError(
            self._unknown(words), hint="`help` lists what there is", code="unknown_command"
        )

    def find_line(self, line: str, words: Sequence[Word]) -> tuple[Command, dict[str, Any]]:
        """Return a chat line's command with its typed arguments."""
        command, length = self.find([word.text for word in words[:4]])
        return command, command.grammar.bind_line(line, words[length:])

    def run(self, command: Command, call: Call, arguments: Mapping[str, Any]) -> Awaitable[Reply]:
        """Call the command's method; positional parameters go by name like the others."""
        running: Awaitable[Reply] = getattr(self._owners[command.name], command.method)(
            call, **arguments
        )
        return running

    async def preview(
        self, command: Command, call: Call, arguments: Mapping[str, Any]
    ) -> Reply | None:
        """Return what is shown before a destructive command runs, None when it need not be asked about."""
        if command.confirm is None:
            return None
        if command.preview is None:
            return Reply(None)
        asked: Reply | None = await getattr(self._owners[command.name], command.preview)(
            call, **arguments
        )
        return asked

    def _unknown(self, words: Sequence[str]) -> str:
        names = {" ".join(spelling): spelling for spelling in self._spellings}
        words = [word[:_SHOWN].lower() for word in words[:3]]
        said = shorten(" ".join(words))
        topic = words[0] if words else ""
        below = sorted(" ".join(name) for name in self._spellings if name[0] == topic)
        if below and len(words) == 1:
            return f"{topic} alone is no command; it has: {', '.join(below)}"
        for length in range(min(len(words), 3), 0, -1):
            close = get_close_matches(" ".join(words[:length]), names, n=1, cutoff=0.7)
            if close:
                return f"there is no command {said!r}; did you mean `{close[0]}`?"
        if below:
            return f"there is no command {said!r}; {topic} has: {', '.join(below)}"
        return f"there is no command {said!r}"
