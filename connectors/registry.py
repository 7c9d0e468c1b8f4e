"""Which kinds of connectors there are; a kind's libraries are imported when it is asked for, not before."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from bot.errors import SetupError
from bot.ports import Connector

_WHERE = {
    "tmux": ("connectors.tmux.connector", "TmuxConnector"),
    "matrix": ("connectors.matrix.connector", "MatrixConnector"),
    "discord": ("connectors.discord.connector", "DiscordConnector"),
    "memory": ("connectors.memory", "MemoryConnector"),
}
KINDS = tuple(_WHERE)


def constructor(kind: str) -> Callable[..., Connector]:
    """Return what makes a connector of this kind; SetupError naming the allowed ones for another."""
    if kind not in _WHERE:
        raise SetupError(
            f"connector.kind is {kind!r}; allowed are {', '.join(KINDS)}",
            hint="edit the connector block of fleet/roster.yaml",
        )
    module, name = _WHERE[kind]
    return cast("Callable[..., Connector]", getattr(import_module(module), name))
