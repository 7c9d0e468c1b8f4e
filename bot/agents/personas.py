"""The library of personas as people ask for it: what classes there are, and what is theirs of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class Footing(StrEnum):
    """How a contract stands to the one that ships: what a person's own file was written against, its baseline.

    ``shipped``: there is no own file. ``own``: the library has no such class, and had none. ``same``: ours is still
    the baseline. ``changed``: ours is another by now. ``refused``: the own file cannot be used, ours is.
    """

    SHIPPED = "shipped"
    OWN = "own"
    SAME = "same"
    CHANGED = "changed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Description:
    """One class: its front matter, where it comes from, and what its agents are told.

    ``refused`` has a line ``PATH:LINE: …`` for each fault of a person's own file.
    """

    agent_class: str
    domain: str
    persistent_persona: bool
    takes_cards: bool
    model_tier: str
    tools: Sequence[str]
    source: str
    contract: str
    footing: Footing
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Collision:
    """Lines that a person changed and we did too, otherwise; ``line`` is where theirs begin in their file."""

    line: int
    theirs: str
    ours: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A person's own file, its baseline, and what ships now. The three texts are unified diffs, empty for none.

    ``brings``: what the changed baseline would change in the person's file, collisions left out. ``since``: what
    changed in ours. ``own``: what the person changed. ``known`` is False when nobody knows the baseline; then
    what ships now is taken for it.
    """

    agent_class: str
    path: Path
    footing: Footing
    brings: str = ""
    since: str = ""
    own: str = ""
    collisions: Sequence[Collision] = ()
    known: bool = True


class Personas(Protocol):
    """The classes of this installation. A class that nobody describes is a UserError that names near ones."""

    def classes(self) -> Sequence[Description]:
        """Return every class of the library and of the person, by domain and name; never the general one."""
        ...

    def describe(self, agent_class: str) -> Description:
        """Return one class, the general one too; UserError ``PATH:LINE: …`` for one whose only file is refused."""
        ...

    def refusals(self) -> Sequence[str]:
        """Return a line ``PATH:LINE: …`` for each fault of a person's own files."""
        ...

    def compare(self, agent_class: str) -> Comparison:
        """Return what a changed baseline would bring; nothing for a class without own file."""
        ...

    def copy(self, agent_class: str, name: str) -> Path:
        """Begin an own file ``name`` with the contract that ships of a class; UserError when there is one already."""
        ...

    def acknowledge(self, agent_class: str) -> None:
        """Take what ships now as the own file's baseline; UserError without an own file."""
        ...
