"""How a command is declared: once, on a method of a topic class.

    @topic("backlog", also=("fleet backlog",))
    class BacklogCommands:
        def __init__(self, shelf: CardShelf) -> None: ...

        @command("show", roles=EVERYONE)
        async def show(self, call: Call, card_id: CardId) -> Reply:
            '''Show a card with its history.'''

The signature is the grammar: after ``call`` come positional parameters (words, in order), then
keyword-only ones (``--flags``; a ``bool`` is a switch, a parameter without a default is required). The
annotation says what is allowed (pydantic), the first line of the docstring is the help. A parameter's own
help is a ``Help`` in its annotation; ``Rest`` makes the last word take the rest of a chat line as it stands.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from pydantic import BeforeValidator

from bot.model import Address, Caller, Role
from bot.reply import Reply

OPERATORS = frozenset({Role.OPERATOR})
MEMBERS = frozenset({Role.MEMBER, Role.OPERATOR})
WORKERS = frozenset({Role.AGENT, Role.OPERATOR})
EVERYONE = frozenset({Role.MEMBER, Role.AGENT, Role.OPERATOR})
ANYBODY = frozenset(Role)


class Effect(StrEnum):
    """What a command does to the world; a write is noted in the audit."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Call:
    """Who runs a command, from where: ``source`` is where the answer goes, ``id`` is unique per call.

    ``thread`` is where people go on talking about it: the thread in which it was asked, else the one that
    begins with the question; None when no platform brought it. ``event_id`` is the platform's id of what asked.
    """

    caller: Caller
    source: Address
    id: str
    thread: Address | None = None
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a command says of itself beside its signature.

    ``confirm`` is what a person is asked before a destructive command runs, None when it just runs. ``preview``
    names the method of its class that is called first, with the same arguments: it returns the reply that is
    shown with the question, or None when these arguments need no question.
    ``patience`` names the argument that holds how many seconds longer than others it may take.
    ``private``: its answer is shown to who asked alone, where a platform can do that. ``personal``: it is about who says
    it, so that nobody, not even an operator, takes the offer of it that was made to somebody else. ``form`` names the form in
    which people may fill its arguments in, where a platform has forms; None when it has none.
    """

    name: str
    roles: frozenset[Role]
    effect: Effect
    confirm: str | None
    patience: str | None
    preview: str | None = None
    private: bool = False
    personal: bool = False
    form: str | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    """The first words of a class's commands; ``also`` are other spellings of them."""

    name: str
    also: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Help:
    """A parameter's help, in its annotation: ``Annotated[str, Help("why it waits")]``."""

    text: str


@dataclass(frozen=True, slots=True)
class Rest:
    """Marks the last word: in a chat line it takes everything that follows, quotes and dashes included."""


class Subject(StrEnum):
    """What a word may name that is there already, so that it can be suggested while it is written."""

    CARD = "card"
    AGENT = "agent"
    PERSONA = "persona"
    PROFILE = "profile"


@dataclass(frozen=True, slots=True)
class Names:
    """Marks a parameter that names something: ``Annotated[str, Names(Subject.CARD)]``."""

    subject: Subject


class FileUse(StrEnum):
    """What the command line does with a file that a word names."""

    READ = "read"
    WRITE = "write"
    PATH = "path"


@dataclass(frozen=True, slots=True)
class File:
    """Marks a word that names a file of the caller's, which only the command line can reach.

    ``READ``: it sends the file's text as the word that follows. ``WRITE``: it keeps the word to itself and
    writes the reply's text there, or without the word to standard output as it stands. ``PATH``: it makes the
    path whole, since the daemon stands elsewhere.
    """

    use: FileUse


def _split_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


CommaList = BeforeValidator(_split_commas)
"""In an annotation of a tuple: accepts ``a,b,c`` as well as a JSON array."""


def _read_json(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ValueError(f"must be JSON: {error}") from error


JsonText = BeforeValidator(_read_json)
"""In an annotation: a string is read as JSON; over HTTP the value may be given as it is."""


Method = TypeVar("Method", bound=Callable[..., Awaitable[Reply]])
TopicClass = TypeVar("TopicClass", bound=type)

DECLARATION = "__mosaic_command__"
TOPIC = "__mosaic_topic__"


def command(
    name: str,
    *,
    roles: frozenset[Role],
    effect: Effect = Effect.READ,
    confirm: str | None = None,
    patience: str | None = None,
    preview: str | None = None,
    private: bool = False,
    personal: bool = False,
    form: str | None = None,
) -> Callable[[Method], Method]:
    """Declare a method as the command ``name`` of its topic; only principals with these roles may run it."""

    def declare(method: Method) -> Method:
        declared = Declaration(
            name, roles, effect, confirm, patience, preview, private, personal, form
        )
        setattr(method, DECLARATION, declared)
        return method

    return declare


def topic(name: str, *, also: tuple[str, ...] = ()) -> Callable[[TopicClass], TopicClass]:
    """Declare a class as a topic; an empty name puts its commands at the top level."""

    def declare(cls: TopicClass) -> TopicClass:
        setattr(cls, TOPIC, Topic(name, also))
        return cls

    return declare
