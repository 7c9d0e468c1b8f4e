"""All commands as slash commands: made from the catalog, within Discord's limits, and told to Discord when they changed.

Source: Discord's documentation, "Application Commands": 100 commands a server, 25 sub-commands a group, groups in a
command but not in groups, 8000 characters a command (names, descriptions and choices' values).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bot.command.catalog import Command
from bot.model import Role
from connectors.discord.touches.options import (
    GROUP,
    SUB_COMMAND,
    Payload,
    clipped,
    options_of,
)

MOST_COMMANDS: Final = 100
MOST_CHILDREN: Final = 25
LONGEST_NAME: Final = 32
LONGEST_COMMAND: Final = 8000
FORMS: Final = "form"
ALONE: Final = "show"
"""What a command is called that is a group as well: Discord runs no group."""

MORE: Final = "more"
"""The group of what is too much for one group."""

_NARROWER = (100, 80, 60, 45, 30, 20, 10, 1)
_HUMAN = frozenset({Role.MEMBER, Role.OPERATOR, Role.STRANGER})
_CHAT_INPUT = 1


@dataclass(slots=True)
class _Node:
    command: Command | None = None
    below: dict[str, "_Node"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a slash command asks for: a command, or with ``as_form`` the form in which its arguments are filled in."""

    command: Command
    as_form: bool = False


class Slashes:
    """The slash commands of a catalog, and what each of them means.

    Commands that no person may run have none. ValueError for what cannot be shown within Discord's limits, which is
    a programming error: names of more than three words, or more than 100 first words.
    """

    def __init__(self, commands: Sequence[Command]) -> None:
        shown = [command for command in commands if command.roles & _HUMAN]
        self._asked: dict[tuple[str, ...], Asked] = {}
        root = _tree(shown)
        payloads = [self._top(name, node) for name, node in root.below.items()]
        self.payloads = [*payloads, *self._forms(shown)]
        if len(self.payloads) > MOST_COMMANDS:
            raise ValueError(f"{len(self.payloads)} slash commands; Discord takes {MOST_COMMANDS}")

    def find(self, path: Sequence[str]) -> Asked | None:
        """Return what a slash command asks for, None for one of ours that is no more."""
        return self._asked.get(tuple(path))

    @property
    def paths(self) -> Mapping[tuple[str, ...], Asked]:
        """Every slash command."""
        return self._asked

    @property
    def digest(self) -> str:
        """A hash of all that Discord is told."""
        return digest_of(self.payloads)

    def _forms(self, commands: Sequence[Command]) -> Iterator[Payload]:
        found = [command for command in commands if command.form is not None]
        below = []
        for command in found:
            name = str(command.form)
            self._asked[FORMS, name] = Asked(command, as_form=True)
            below.append(_sub(name, clipped(f"Fill in a form: {command.summary}"), []))
        if below:
            yield _chat_input(FORMS, "What can be filled in", below)

    def _top(self, name: str, node: _Node) -> Payload:
        if node.command is not None and not node.below:
            self._asked[(name,)] = Asked(node.command)
            made = _chat_input(name, clipped(node.command.summary), options_of(node.command))
        else:
            made = _chat_input(name, _about(name, node), self._children((name,), node))
        return _fitting(made)

    def _children(self, path: tuple[str, ...], node: _Node) -> list[Payload]:
        below = _with_own(node)
        if len(below) <= MOST_CHILDREN:
            return [self._child((*path, name), one) for name, one in below.items()]
        single = [name for name, one in below.items() if not one.below]
        over = single[len(single) - (len(below) - MOST_CHILDREN + 1) :]
        more = _Node(below={name: below.pop(name) for name in over})
        return self._children(path, _Node(below={**below, MORE: more}))

    def _child(self, path: tuple[str, ...], node: _Node) -> Payload:
        name = _named(path[-1])
        if not node.below and node.command is not None:
            self._asked[path] = Asked(node.command)
            return _sub(name, clipped(node.command.summary), options_of(node.command))
        if len(path) > 2:
            raise ValueError(f"{' '.join(path)} has more words than Discord's groups have levels")
        return {
            "type": GROUP,
            "name": name,
            "description": _about(name, node),
            "options": self._children(path, node),
        }


def digest_of(payloads: Sequence[Mapping[str, Any]]) -> str:
    """Return a hash of commands, ours or as Discord tells of them: what it adds to them does not count."""
    told = sorted((_plain(one) for one in payloads), key=lambda one: str(one["name"]))
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _plain(told: Mapping[str, Any]) -> Payload:
    """Return what of a command or an option we decide, without what says nothing."""
    kept = {
        name: told[name]
        for name in _OURS
        if told.get(name) not in (None, False, [], {}) and not (name == "type" and told[name] == 1)
    }
    for name in ("options", "choices"):
        if name in kept:
            kept[name] = [_plain(one) for one in kept[name]]
    return kept


_OURS = (
    "type",
    "name",
    "description",
    "required",
    "autocomplete",
    "options",
    "choices",
    "value",
    "min_length",
    "max_length",
    "min_value",
    "max_value",
)


def _tree(commands: Sequence[Command]) -> _Node:
    root = _Node()
    for command in commands:
        node = root
        for word in command.name.split():
            node = node.below.setdefault(word.lower(), _Node())
        node.command = command
    return root


def _with_own(node: _Node) -> dict[str, _Node]:
    """Return what is below a group; what it is as a command itself comes first, under a name of its own."""
    if node.command is None:
        return dict(node.below)
    name = ALONE if ALONE not in node.below else "itself"
    return {name: _Node(node.command), **node.below}


def _about(name: str, node: _Node) -> str:
    """Return what a group is about: the words that come next."""
    words = ", ".join(_with_own(node)) or name
    return clipped(words)


def _named(name: str) -> str:
    if not 0 < len(name) <= LONGEST_NAME:
        raise ValueError(f"{name!r} has more characters than Discord's {LONGEST_NAME}")
    return name


def _chat_input(name: str, description: str, options: list[Payload]) -> Payload:
    return {
        "type": _CHAT_INPUT,
        "name": _named(name),
        "description": description,
        "options": options,
    }


def _sub(name: str, description: str, options: list[Payload]) -> Payload:
    return {"type": SUB_COMMAND, "name": name, "description": description, "options": options}


def _fitting(payload: Payload) -> Payload:
    """Return a command within Discord's length: with descriptions as long as they can be."""
    for most in _NARROWER:
        narrowed = _narrowed(payload, most)
        if length_of(narrowed) <= LONGEST_COMMAND:
            return narrowed
    raise ValueError(f"/{payload['name']} is too long for Discord even without descriptions")


def _narrowed(payload: Payload, most: int) -> Payload:
    made = {**payload, "description": clipped(payload["description"], most)}
    if "options" in payload:
        made["options"] = [_narrowed(option, most) for option in payload["options"]]
    return made


def length_of(payload: Mapping[str, Any]) -> int:
    """Return how long a command is as Discord counts: names, descriptions, and choices' names and values."""
    own = len(payload["name"]) + len(payload.get("description", ""))
    chosen = sum(len(one["name"]) + len(str(one["value"])) for one in payload.get("choices", ()))
    return own + chosen + sum(length_of(option) for option in payload.get("options", ()))
