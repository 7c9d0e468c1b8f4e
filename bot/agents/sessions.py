"""Agents' sessions as people look at them: a screen, a way in, and what is checked of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Scene:
    """What stands on an agent's screen, and how it is read. ``rows`` are plain text from the top."""

    name: str
    session: str
    pane_id: str
    state: str
    dialog: str | None
    draft_tail: str | None
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """Where a session is: its host, its tmux socket (None: tmux's default one) and its name."""

    name: str
    host: str
    socket: str | None
    session: str


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. ``detail`` says what was seen, and what to do when it is not well."""

    agent: str
    about: str
    well: bool
    detail: str


# fmt: off
DialogKey = Literal[
    "enter", "escape", "up", "down", "left", "right", "tab", "space",
    "y", "n", "1", "2", "3", "4", "5", "6", "7", "8", "9",
]
# fmt: on
"""The keys that dialogs are answered with."""


class Dialogs(Protocol):
    """Dialogs of this host's agents, answered by people."""

    async def answer(self, name: str, key: DialogKey, *, dialog: str | None = None) -> Scene:
        """Press one key in an agent's open dialog and return its screen as it is then.

        UserError ``no_dialog`` when none is open, and for a name that the roster does not have. With the
        fingerprint of a ``dialog`` that was shown, ``other_dialog`` when another one is open by now.
        """
        ...


class Sessions(Protocol):
    """The terminals of this host's agents. A name that the roster does not have is a UserError."""

    async def scene(self, name: str, rows: int) -> Scene:
        """Return the last ``rows`` rows of an agent's screen, with older ones where the program keeps any.

        UserError when it does not run.
        """
        ...

    async def way(self, name: str) -> Way:
        """Return the way to a running agent's session; UserError when it does not run."""
        ...

    async def verify(self, name: str | None) -> Sequence[Check]:
        """Look at one agent or all against the roster."""
        ...
