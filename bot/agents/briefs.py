"""What agents are told: the prompt of each in its pieces, and the comms block in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.tokens import estimate_tokens


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a prompt: what it is, where it comes from, and its text."""

    about: str
    source: str
    text: str

    @property
    def tokens(self) -> int:
        """About how many tokens a model makes of it (``bot.tokens``)."""
        return estimate_tokens(self.text)


class Briefs(Protocol):
    """The prompts of the roster's agents. A name that the roster does not have is a UserError."""

    def prompt(self, name: str) -> Sequence[Piece]:
        """Return what an agent of this host is told at its start."""
        ...

    def comms_block(self, role: str, host: str | None) -> str:
        """Return an agent's comms block; ``role`` is its name or alias, ``host`` where it runs."""
        ...
