"""What the supervisor knows and decides, and the seams through which it does both."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bot.backlog.cards import Card
from bot.model import Receipt

AVAILABLE, WORKING = "available", "working"
HOST_SILENT = timedelta(seconds=15)
"""How long a host may say nothing before its agents are no longer believed to be as they were."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One agent as its own host sees it now. ``place`` is ``HOST/NAME``, ``readiness`` that of ``fleet ps``.

    ``takes_cards``: it may be given cards that name no class. ``resets``: it is begun anew after each card.
    """

    place: str
    agent_class: str
    takes_cards: bool
    resets: bool
    readiness: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Worker:
    """An agent in the register: its newest sighting, and how it fared with cards.

    ``since`` is when its readiness began, ``host_seen_at`` when its host last said anything. It rests after
    failures in a row, and gets nothing while it still has to be reset, nor while as many of its class hold cards
    as may (``class_is_full``).
    """

    sighting: Sighting
    since: datetime
    host_seen_at: datetime
    failures: int = 0
    rests_until: datetime | None = None
    needs_reset: bool = False
    class_is_full: bool = False

    @property
    def place(self) -> str:
        """``HOST/NAME``."""
        return self.sighting.place

    @property
    def host(self) -> str:
        """Its host."""
        return self.place.partition("/")[0]

    @property
    def name(self) -> str:
        """Its name in the roster."""
        return self.place.partition("/")[2]

    def is_silent(self, now: datetime) -> bool:
        """Whether its host has said nothing for too long to know how it is."""
        return now - self.host_seen_at > HOST_SILENT


@dataclass(frozen=True, slots=True)
class Demand:
    """Whom claimable cards ask for: a class, an agent, a host, each None for "any"."""

    agent_class: str | None
    agent: str | None
    host: str | None


class Outcome(StrEnum):
    """How a dispatch ended.

    ``refused``: the prompt was not accepted. ``forgotten``: the turn ended without completing the card, also
    after it was asked about. ``lost``: the claim ended some other way. ``limited``: the provider's limit stopped
    the turn, which is nobody's fault. ``failed``: an error did.
    """

    COMPLETED = "completed"
    REFUSED = "refused"
    FORGOTTEN = "forgotten"
    LOST = "lost"
    LIMITED = "limited"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A card given to an agent under a claim. Its two messages have ids from the start, so sending twice is harmless."""

    id: str
    card_id: str
    place: str
    claim_token: str
    message_id: str
    ask_id: str
    begun_at: datetime
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class OpenDispatch:
    """An open dispatch with all that tells how far it came.

    ``prompt`` and ``ask`` are the newest receipts of its messages, None for one that is not stored yet;
    ``prompt_at`` and ``ask_at`` when these were stored. ``card`` is None when it was deleted.
    """

    dispatch: Dispatch
    card: Card | None
    prompt: Receipt | None = None
    prompt_at: datetime | None = None
    ask: Receipt | None = None
    ask_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a tick decided about one subject (``agent:PLACE``, ``card:ID``, ``fleet``), in one sentence."""

    subject: str
    code: str
    sentence: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TickRecord:
    """One tick in numbers. ``idle_seconds``: agent time since the last look in which a free agent had a ready card."""

    host: str
    trigger: str
    begun_at: datetime
    took_ms: float
    cpu_ms: float
    reclaimed: int
    dispatched: int
    ended: int
    open: int
    available: int
    idle_seconds: float


class Workers(Protocol):
    """The register of agents over all hosts."""

    async def report(self, host: str, sightings: Sequence[Sighting]) -> None:
        """Say how all agents of a host are; those that are not named are forgotten."""
        ...

    async def all(self) -> Sequence[Worker]:
        """Return every agent, by place."""
        ...

    async def was_reset(self, place: str) -> None:
        """Note that an agent was begun anew and may have the next card."""
        ...

    async def limit(self, limits: Mapping[str, int]) -> None:
        """Set how many agents of a class may hold cards at once; a class that is not named has no limit."""
        ...


class Demands(Protocol):
    """What cards ask for."""

    async def all(self) -> Sequence[Demand]:
        """Return whom the cards ask for that can be claimed now, each once.

        Cards that rest, and those whose last dispatch is not ended yet, do not count.
        """
        ...

    async def last_completion(self) -> str:
        """Return a name for the newest completion of a card, empty when there was none."""
        ...


class Dispatches(Protocol):
    """Cards on their way through agents."""

    async def assign(self, worker: Worker, ttl: timedelta, grace: timedelta) -> OpenDispatch | None:
        """Claim the best card that is for this agent and open its dispatch, in one step.

        None when there is none, while a pause is on, when the agent has one already, and when its class has no
        slot left. A card that this agent gave back within the hour is not given to it again, unless it names it.
        """
        ...

    async def open(self) -> Sequence[OpenDispatch]:
        """Return all open dispatches, the oldest first."""
        ...

    async def end(self, dispatch: Dispatch, outcome: Outcome, reason: str | None) -> bool:
        """End a dispatch and, if its claim still stands, release the card, in one step; false when it had ended.

        After a failure agent and card rest, longer each time; ``limited`` gives the attempt back.
        """
        ...

    async def history(self, subject: str, limit: int) -> Sequence[Dispatch]:
        """Return the newest dispatches of a card (``card:ID``) or an agent (``agent:PLACE``), newest first."""
        ...


class Ticks(Protocol):
    """The record of what was decided."""

    async def record(self, tick: TickRecord, verdicts: Sequence[Verdict]) -> None:
        """Write a tick down with those verdicts that are news."""
        ...

    async def recent(self, limit: int) -> Sequence[TickRecord]:
        """Return the newest ticks, newest first."""
        ...

    async def verdicts(self, subject: str, limit: int) -> Sequence[Verdict]:
        """Return the newest verdicts on a subject, newest first."""
        ...

    async def standing(self) -> Mapping[str, Verdict]:
        """Return the newest verdict on every subject."""
        ...

    async def prune(self, age: timedelta) -> int:
        """Forget ticks that are older, with verdicts that newer ones have replaced; return how many ticks."""
        ...


class Lead(Protocol):
    """The right to lead, for as long as it lasts."""

    async def holds(self) -> bool:
        """Whether nobody else can lead now."""
        ...


class Leadership(Protocol):
    """One leader over all daemons of a database."""

    def lead(self, host: str) -> AbstractAsyncContextManager[Lead | None]:
        """Try to lead for the length of the block; None inside while somebody else does."""
        ...

    async def leader(self) -> tuple[str, datetime] | None:
        """Return who led last, and since when."""
        ...

    async def nudge(self) -> None:
        """Ask whoever leads for a tick now."""
        ...
