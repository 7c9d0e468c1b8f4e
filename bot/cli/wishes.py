"""What a person wants of ``mosaic fleet init``, said in flags."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.errors import UsageError

CONNECTORS = ("tmux", "matrix", "discord")
_OF_CONNECTOR: Mapping[str, tuple[str, ...]] = {
    "tmux": (),
    "matrix": ("homeserver_url", "user_id", "room_id"),
    "discord": ("guild_id", "channel_id"),
}
_SWITCHES = ("--add", "--force", "--dry-run")
_VALUES = ("--profile", "--connector", "--runtime", "--working-directory", "--operators")
_PRINCIPAL = re.compile(r"[a-z]+:\S+")
USAGE = (
    "mosaic fleet init [--profile ID] [--connector tmux|matrix|discord] [--runtime R]"
    " [--working-directory D] [--operators ID,ID] [--homeserver-url U --user-id I --room-id R]"
    " [--guild-id G --channel-id C] [--add|--force] [--dry-run]"
)


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything that can be said. ``said`` are the flags that were given, so that nobody is asked for them again.

    ``connector_keys`` are the keys of the connector's block; None of anything is what we choose.
    """

    profile: str = "demo"
    connector: str | None = None
    connector_keys: Mapping[str, str] = field(default_factory=dict)
    runtime: str | None = None
    working_directory: str | None = None
    operators: tuple[str, ...] = ()
    add: bool = False
    force: bool = False
    dry_run: bool = False
    said: frozenset[str] = frozenset()


def keys_of(connector: str) -> tuple[str, ...]:
    """Return the keys that a kind of connector has in the roster."""
    return _OF_CONNECTOR[connector]


def read_answers(words: Sequence[str]) -> Answers:
    """Return what the words of a command line say; UsageError names what is allowed."""
    values = _values(words)
    connector = values.get("--connector")
    if connector is not None and connector not in CONNECTORS:
        raise UsageError(
            f"--connector: {connector!r} is not allowed; allowed: {', '.join(CONNECTORS)}"
        )
    if "--add" in values:
        _refuse_beside_add(values)
    return Answers(
        profile=values.get("--profile", "demo"),
        connector=connector,
        connector_keys=_connector_keys(values, connector or "tmux"),
        runtime=values.get("--runtime"),
        working_directory=values.get("--working-directory"),
        operators=read_operators(values.get("--operators", "")),
        add="--add" in values,
        force="--force" in values,
        dry_run="--dry-run" in values,
        said=frozenset(values),
    )


def read_operators(text: str) -> tuple[str, ...]:
    """Return ids of people from a list with commas; UsageError for what is none."""
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    for one in found:
        if not _PRINCIPAL.fullmatch(one):
            raise UsageError(f"--operators: {one!r} is no id such as matrix:@ann:example.org")
    return found


def flag_of(key: str) -> str:
    """Return the flag of a key."""
    return "--" + key.replace("_", "-")


def _values(words: Sequence[str]) -> dict[str, str]:
    of_connectors = tuple(flag_of(key) for keys in _OF_CONNECTOR.values() for key in keys)
    values: dict[str, str] = {}
    left = iter(words)
    for word in left:
        flag, given, value = word.partition("=")
        if word in _SWITCHES:
            values[word] = "yes"
        elif flag in (*_VALUES, *of_connectors):
            values[flag] = value if given else next(left, "")
            if not values[flag] and flag != "--connector":
                raise UsageError(f"{flag} needs a value; usage: {USAGE}")
        else:
            raise UsageError(f"{word!r} is not known; usage: {USAGE}")
    return values


def _refuse_beside_add(values: Mapping[str, str]) -> None:
    others = {"--force", "--connector", *map(flag_of, (*keys_of("matrix"), *keys_of("discord")))}
    for flag in values:
        if flag in others:
            raise UsageError(f"{flag} does not go with --add: the roster stays as it is otherwise")


def _connector_keys(values: Mapping[str, str], connector: str) -> dict[str, str]:
    mine = {flag_of(key): key for key in keys_of(connector)}
    for other in CONNECTORS:
        for key in keys_of(other):
            if flag_of(key) in values and flag_of(key) not in mine:
                raise UsageError(f"{flag_of(key)} belongs to --connector {other}")
    return {key: values[flag] for flag, key in mine.items() if flag in values}
