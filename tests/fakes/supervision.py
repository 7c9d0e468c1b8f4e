"""The supervisor's seams as a pure model over the pure backlog, with a clock that moves when it is told."""

import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.backlog.cards import Card, CardStatus
from bot.model import Caller, Receipt, ReceiptState, Via
from bot.supervision.matching import takes
from bot.supervision.pause import SUPERVISOR
from bot.supervision.ports import (
    Demand,
    Dispatch,
    Lead,
    OpenDispatch,
    Outcome,
    Sighting,
    TickRecord,
    Verdict,
    Worker,
)
from tests.fakes.backlog import UNCLAIMED, MemoryBacklog
from tests.fakes.card_rules import claimable, rank
from tests.fakes.mailroom import Room

_BY = Caller(SUPERVISOR, Via.SCHEDULE)
_FIRST_REST, _LONGEST_REST = timedelta(seconds=15), timedelta(minutes=15)
_HELD_BACK = timedelta(hours=1)


@dataclass
class Memory:
    """What all fakes here share."""

    backlog: MemoryBacklog
    room: Room
    workers: dict[str, Worker] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    dispatches: dict[str, Dispatch] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    rests: dict[str, tuple[int, datetime]] = field(default_factory=dict)

    def now(self) -> datetime:
        return self.backlog.look()

    def full(self) -> set[str]:
        held = [self.classes[one.id] for one in self.dispatches.values() if one.ended_at is None]
        return {name for name, limit in self.limits.items() if held.count(name) >= limit}

    def is_free(self, card: Card) -> bool:
        rest = self.rests.get(card.id)
        under_way = any(
            one.card_id == card.id and one.ended_at is None for one in self.dispatches.values()
        )
        return claimable(card) and not under_way and (rest is None or rest[1] <= self.now())


class MemoryWorkers:
    """The port Workers."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def report(self, host: str, sightings: Sequence[Sighting]) -> None:
        now, known = self._memory.now(), self._memory.workers
        named = {one.place for one in sightings}
        for place in [place for place, one in known.items() if one.host == host]:
            known[place] = replace(known[place], host_seen_at=now)
            if place not in named:
                del known[place]
        for sighting in sightings:
            before = known.get(sighting.place)
            if before is None:
                known[sighting.place] = Worker(sighting, now, now)
                continue
            same = before.sighting.readiness == sighting.readiness
            since = before.since if same else now
            known[sighting.place] = replace(before, sighting=sighting, since=since)

    async def all(self) -> Sequence[Worker]:
        known, full = self._memory.workers, self._memory.full()
        return [
            replace(known[place], class_is_full=known[place].sighting.agent_class in full)
            for place in sorted(known)
        ]

    async def was_reset(self, place: str) -> None:
        known = self._memory.workers
        known[place] = replace(known[place], needs_reset=False)

    async def limit(self, limits: Mapping[str, int]) -> None:
        self._memory.limits = dict(limits)


class MemoryDemands:
    """The port Demands."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def all(self) -> Sequence[Demand]:
        cards = [card for card in self._memory.backlog.all() if self._memory.is_free(card)]
        return list(
            dict.fromkeys(Demand(card.agent_class, card.agent, card.host) for card in cards)
        )

    async def last_completion(self) -> str:
        done = [card for card in self._memory.backlog.all() if card.status is CardStatus.DONE]
        newest = max(done, key=lambda card: card.updated_at, default=None)
        return "" if newest is None else f"{newest.id} {newest.updated_at.isoformat()}"


class MemoryDispatches:
    """The port Dispatches."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._ids = itertools.count(1)

    async def assign(self, worker: Worker, ttl: timedelta, grace: timedelta) -> OpenDispatch | None:
        memory = self._memory
        if await memory.room.pauses.current() is not None or self._is_taken(worker):
            return None
        cards = sorted((c for c in memory.backlog.all() if self._fits(c, worker)), key=rank)
        if not cards:
            return None
        number = next(self._ids)
        claimed = replace(
            cards[0],
            status=CardStatus.CLAIMED,
            claim_owner=f"agent:{worker.place}",
            claim_token=f"dispatch-token-{number}",
            claim_ttl_seconds=int(ttl.total_seconds()),
            claimed_at=(now := memory.now()),
            claim_expires_at=now + min(ttl, grace),
            attempts=cards[0].attempts + 1,
        )
        memory.backlog.keep(cards[0], claimed, _BY, "claim")
        dispatch = Dispatch(
            id=f"d{number}",
            card_id=claimed.id,
            place=worker.place,
            claim_token=claimed.claim_token or "",
            message_id=f"prompt-{number}",
            ask_id=f"ask-{number}",
            begun_at=now,
        )
        memory.dispatches[dispatch.id] = dispatch
        memory.classes[dispatch.id] = worker.sighting.agent_class
        return OpenDispatch(dispatch, next(c for c in memory.backlog.all() if c.id == claimed.id))

    def _is_taken(self, worker: Worker) -> bool:
        held = [one for one in self._memory.dispatches.values() if one.ended_at is None]
        full = worker.sighting.agent_class in self._memory.full()
        return full or any(one.place == worker.place for one in held)

    def _fits(self, card: Card, worker: Worker) -> bool:
        memory = self._memory
        if not memory.is_free(card) or not takes(
            worker, Demand(card.agent_class, card.agent, card.host)
        ):
            return False
        young = memory.now() - _HELD_BACK
        given_back = any(
            one.card_id == card.id
            and one.place == worker.place
            and one.outcome is not Outcome.COMPLETED
            and one.begun_at > young
            for one in memory.dispatches.values()
        )
        return card.agent is not None or not given_back

    async def open(self) -> Sequence[OpenDispatch]:
        held = [one for one in self._memory.dispatches.values() if one.ended_at is None]
        return [self._progress(one) for one in sorted(held, key=lambda one: one.begun_at)]

    def _progress(self, dispatch: Dispatch) -> OpenDispatch:
        cards = {card.id: card for card in self._memory.backlog.all()}
        prompt, prompt_at = self._said(dispatch.message_id)
        ask, ask_at = self._said(dispatch.ask_id)
        return OpenDispatch(dispatch, cards.get(dispatch.card_id), prompt, prompt_at, ask, ask_at)

    def _said(self, message_id: str) -> tuple[Receipt | None, datetime | None]:
        told = [one for one in self._memory.room.receipts if one.message_id == message_id]
        stored = next((one.at for one in told if one.state is ReceiptState.STORED), None)
        return (told[-1], stored) if told else (None, None)

    async def end(self, dispatch: Dispatch, outcome: Outcome, reason: str | None) -> bool:
        memory = self._memory
        known = memory.dispatches[dispatch.id]
        if known.ended_at is not None:
            return False
        now = memory.now()
        memory.dispatches[dispatch.id] = replace(
            known, ended_at=now, outcome=outcome, reason=reason
        )
        self._rate(dispatch.place, outcome, now)
        if outcome is Outcome.COMPLETED:
            memory.rests.pop(dispatch.card_id, None)
            return True
        failures, _ = memory.rests.get(dispatch.card_id, (0, now))
        rest = _rest(failures - 1) if failures else timedelta(0)
        memory.rests[dispatch.card_id] = (failures + 1, now + rest)
        card = next((c for c in memory.backlog.all() if c.id == dispatch.card_id), None)
        if card is not None and card.claim_token == dispatch.claim_token:
            attempts = card.attempts - (outcome is Outcome.LIMITED)
            after = replace(card, status=CardStatus.READY, attempts=attempts, **UNCLAIMED)
            memory.backlog.keep(card, after, _BY, "release", reason)
        return True

    def _rate(self, place: str, outcome: Outcome, now: datetime) -> None:
        worker = self._memory.workers.get(place)
        if worker is None:
            return
        good = outcome is Outcome.COMPLETED
        self._memory.workers[place] = replace(
            worker,
            failures=0 if good else worker.failures + 1,
            rests_until=None if good else now + _rest(worker.failures),
            needs_reset=worker.needs_reset
            or (worker.sighting.resets and outcome is not Outcome.REFUSED),
        )

    async def history(self, subject: str, limit: int) -> Sequence[Dispatch]:
        kind, _, name = subject.partition(":")
        found = [
            one
            for one in self._memory.dispatches.values()
            if name == (one.card_id if kind == "card" else one.place)
        ]
        return sorted(found, key=lambda one: one.begun_at, reverse=True)[:limit]


class MemoryTicks:
    """The port Ticks."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._ticks: list[TickRecord] = []
        self._verdicts: list[tuple[TickRecord, Verdict]] = []

    async def record(self, tick: TickRecord, verdicts: Sequence[Verdict]) -> None:
        self._ticks.append(tick)
        self._verdicts += [(tick, one) for one in verdicts]

    async def recent(self, limit: int) -> Sequence[TickRecord]:
        return self._ticks[::-1][:limit]

    async def verdicts(self, subject: str, limit: int) -> Sequence[Verdict]:
        return [one for _, one in self._verdicts[::-1] if one.subject == subject][:limit]

    async def standing(self) -> Mapping[str, Verdict]:
        return {one.subject: one for _, one in self._verdicts}

    async def prune(self, age: timedelta) -> int:
        newest = (await self.standing()).values()
        kept = [tick for tick, one in self._verdicts if any(one is new for new in newest)]
        limit = self._memory.now() - age
        old = [t for t in self._ticks if t.begun_at < limit and not any(t is k for k in kept)]
        self._ticks = [tick for tick in self._ticks if not any(tick is one for one in old)]
        self._verdicts = [
            (tick, one) for tick, one in self._verdicts if not any(tick is gone for gone in old)
        ]
        return len(old)


class _Held:
    async def holds(self) -> bool:
        return True


class MemoryLeadership:
    """The port Leadership, among those who share the object."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._led_by: tuple[str, datetime] | None = None
        self._taken = False
        self.nudges = 0

    @asynccontextmanager
    async def lead(self, host: str) -> AsyncIterator[Lead | None]:
        if self._taken:
            yield None
            return
        self._taken, self._led_by = True, (host, self._memory.now())
        try:
            yield _Held()
        finally:
            self._taken = False

    async def leader(self) -> tuple[str, datetime] | None:
        return self._led_by

    async def nudge(self) -> None:
        self.nudges += 1


def _rest(failures: int) -> timedelta:
    doublings: int = 2 ** min(failures, 16)
    return min(_FIRST_REST * doublings, _LONGEST_REST)
