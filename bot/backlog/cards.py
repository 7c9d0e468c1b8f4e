"""The words of the backlog: cards, what is said of them, and what became of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class CardStatus(StrEnum):
    """Where a card stands. A card whose dependencies are open is ``ready`` but not claimable."""

    READY = "ready"
    CLAIMED = "claimed"
    BLOCKED = "blocked"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Card:
    """One unit of backlog (spec 3-contracts, Backlog CLI)."""

    id: str
    title: str
    body: str
    phase: str | None
    priority: int
    status: CardStatus
    depends_on: tuple[str, ...]
    unmet_deps: int
    claim_owner: str | None
    claim_token: str | None
    claim_ttl_seconds: int | None
    claimed_at: datetime | None
    claim_expires_at: datetime | None
    attempts: int
    idempotency_key: str | None
    acceptance: Any
    agent_class: str | None
    agent: str | None
    host: str | None
    block_reason: str | None
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def archived(self) -> bool:
        """Whether it was put away: done, and left out of lists."""
        return self.archived_at is not None


@dataclass(frozen=True, slots=True)
class CardDraft:
    """What a person says of a card. ``None`` is "not said": a new card gets the default, an edit keeps."""

    id: str
    title: str | None = None
    body: str | None = None
    phase: str | None = None
    priority: int | None = None
    depends_on: tuple[str, ...] | None = None
    acceptance: Any = None
    idempotency_key: str | None = None
    agent_class: str | None = None
    agent: str | None = None
    host: str | None = None


@dataclass(frozen=True, slots=True)
class CardEvent:
    """One line of a card's history: who did what, through which face, and what changed."""

    at: datetime
    actor: str
    via: str
    action: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CardFilter:
    """Which cards a list shows; ``None`` is any. ``ready_only`` means claimable now."""

    status: CardStatus | None = None
    phase: str | None = None
    agent_class: str | None = None
    agent: str | None = None
    host: str | None = None
    owner: str | None = None
    ready_only: bool = False
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Drift:
    """A counter of unmet dependencies that was wrong, and what the edges say."""

    card_id: str
    stored: int
    counted: int


@dataclass(frozen=True, slots=True)
class OldTransaction:
    """A database session whose transaction lasts too long; ``ours`` when one of our processes opened it."""

    pid: int
    program: str
    user: str
    state: str
    age: timedelta
    ours: bool


@dataclass(frozen=True, slots=True)
class BacklogStats:
    """The backlog in numbers, archived cards left out; ages are of the oldest claimable card.

    ``blocked_chains`` pairs blocked cards with the number of open cards that wait behind them, most first.
    """

    counts: dict[str, int]
    total: int
    oldest_ready_age_seconds: float | None
    expired_claim_count: int
    oldest_ready_id: str | None
    blocked_chains: tuple[tuple[str, int], ...]
