"""The backlog seen from above: lanes of a board, and a piece of the graph."""

from dataclasses import dataclass
from enum import StrEnum

from bot.backlog.cards import Card, CardStatus


class LaneKind(StrEnum):
    """By what cards are put into lanes."""

    STATUS = "status"
    PHASE = "phase"


@dataclass(frozen=True, slots=True)
class Glance:
    """A card on a board; ``waits_for`` are its dependencies that are not done, in their order.

    Those of them that are blocked are in ``blocked_by`` too: what waits for them waits for a person.
    """

    card: Card
    waits_for: tuple[str, ...]
    blocked_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lane:
    """Cards that stand together; ``total`` counts them all, ``cards`` are the first ones."""

    name: str
    total: int
    cards: tuple[Glance, ...]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of the graph: the nearest cards first; ``left_out`` counts what stands beyond its bounds."""

    cards: tuple[Card, ...]
    left_out: int


STATES = ("ready", "waiting", "claimed", "blocked", "done")
"""The lanes of a board by status, in their order: a ready card that waits for others is ``waiting``."""


def state_of(card: Card) -> str:
    """Return how a card stands, as people see it."""
    if card.status is CardStatus.READY and card.unmet_deps:
        return "waiting"
    return card.status.value
