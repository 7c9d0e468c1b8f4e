"""Cards in bulk: what a file says of them, and what bringing it in would do. Pure, so every store plans alike."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bot.backlog.cards import Card, CardDraft, CardStatus

_COMPARED = ("title", "body", "phase", "priority", "acceptance", "agent_class", "agent", "host")
_EMPTIED = frozenset({"phase", "agent_class", "agent", "host"})
"""Fields that an empty text takes away, as in an edit."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One card as a file says it. ``lines`` tells where a field stands, ``line`` where the card begins.

    ``status`` and ``block_reason`` count for new cards only: what became of a card that is there stays.
    """

    draft: CardDraft
    line: int = 1
    status: CardStatus = CardStatus.READY
    block_reason: str | None = None
    lines: Mapping[str, int] = field(default_factory=dict)

    def line_of(self, name: str) -> int:
        """Return the line to look at for a field."""
        return self.lines.get(name, self.line)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an entry cannot be used: the line to look at, the field, and the reason in words."""

    line: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What the backlog holds of all that a shipment names.

    ``cards`` are those with an entry's id, ``known`` all ids that exist, ``keys`` the taken idempotency
    keys with their cards, ``edges`` every edge below a card that an entry waits for.
    """

    cards: Mapping[str, Card]
    known: frozenset[str]
    keys: Mapping[str, str]
    edges: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a shipment would do; with ``faults`` it does nothing. ``changed`` holds cards before and after."""

    created: tuple[Entry, ...]
    changed: tuple[tuple[Card, Card], ...]
    left: tuple[str, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Landing:
    """What became of a shipment, by ids in the file's order; with ``faults`` nothing was written."""

    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


def landing_of(plan: Plan) -> Landing:
    """Return a plan's outcome."""
    return Landing(
        tuple(entry.draft.id for entry in plan.created),
        tuple(after.id for _, after in plan.changed),
        plan.left,
        plan.faults,
    )


def plan(entries: Sequence[Entry], standing: Standing, *, update: bool) -> Plan:
    """Decide on every entry: create it, leave it since it is there already, with ``update`` change it.

    All faults are found at once, in the order of their lines.
    """
    planning = _Planning(standing, update=update)
    for entry in entries:
        planning.take(entry)
    planning.check_edges()
    faults = tuple(sorted(planning.faults, key=lambda fault: fault.line))
    return Plan(tuple(planning.created), tuple(planning.changed), tuple(planning.left), faults)


def once(ids: Sequence[str] | None) -> tuple[str, ...]:
    """Return ids in their order, each once."""
    return tuple(dict.fromkeys(ids or ()))


def card_of(entry: Entry) -> Card:
    """Return the new card that an entry makes; its edges are not counted yet."""
    draft, now = entry.draft, datetime.now(UTC)
    return Card(
        id=draft.id,
        title=draft.title or "",
        body=draft.body or "",
        phase=draft.phase or None,
        priority=draft.priority or 0,
        status=entry.status,
        depends_on=once(draft.depends_on),
        unmet_deps=0,
        claim_owner=None,
        claim_token=None,
        claim_ttl_seconds=None,
        claimed_at=None,
        claim_expires_at=None,
        archived_at=None,
        attempts=0,
        idempotency_key=draft.idempotency_key,
        acceptance=draft.acceptance,
        agent_class=draft.agent_class or None,
        agent=draft.agent or None,
        host=draft.host or None,
        block_reason=entry.block_reason,
        created_at=now,
        updated_at=now,
    )


class _Planning:
    def __init__(self, standing: Standing, *, update: bool) -> None:
        self._standing = standing
        self._update = update
        self._ids: dict[str, Entry] = {}
        self._keys: dict[str, Entry] = {}
        self._needs: dict[str, tuple[str, ...]] = {}
        self.created: list[Entry] = []
        self.changed: list[tuple[Card, Card]] = []
        self.left: list[str] = []
        self.faults: list[Fault] = []

    def take(self, entry: Entry) -> None:
        """Decide on one entry."""
        if self._is_repeated(entry):
            return
        key = entry.draft.idempotency_key
        owner = None if key is None else self._standing.keys.get(key)
        card = self._standing.cards.get(entry.draft.id)
        if owner is not None and owner != entry.draft.id:
            self._refuse(entry, "idempotency_key", f"{key!r} was said with card {owner} already")
        elif owner is not None:
            self.left.append(entry.draft.id)
        elif card is None:
            self._create(entry)
        else:
            self._compare(entry, card)

    def _is_repeated(self, entry: Entry) -> bool:
        draft = entry.draft
        first = self._ids.setdefault(draft.id, entry)
        if first is not entry:
            self._refuse(entry, "id", f"{draft.id!r} stands in line {first.line_of('id')} already")
            return True
        if draft.idempotency_key is not None:
            first = self._keys.setdefault(draft.idempotency_key, entry)
        if first is not entry:
            where = first.line_of("idempotency_key")
            said = f"{draft.idempotency_key!r} stands in line {where} already"
            self._refuse(entry, "idempotency_key", said)
        return first is not entry

    def _create(self, entry: Entry) -> None:
        if entry.draft.title is None:
            self._refuse(entry, "title", "a new card needs one")
        self.created.append(entry)
        self._needs[entry.draft.id] = once(entry.draft.depends_on)

    def _compare(self, entry: Entry, card: Card) -> None:
        wanted = merged(card, entry.draft)
        changes = _changes(card, wanted)
        if not changes:
            self.left.append(card.id)
        elif self._update:
            self.changed.append((card, wanted))
            if entry.draft.depends_on is not None:
                self._needs[card.id] = wanted.depends_on
        else:
            said = f"there is a card {card.id!r} already, and it differs ({', '.join(changes)})"
            self._refuse(entry, "id", f"{said}; --update changes it")

    def check_edges(self) -> None:
        """Refuse dependencies that are nowhere, and cycles."""
        for card_id, needs in self._needs.items():
            for needs_id in needs:
                if needs_id not in self._standing.known and needs_id not in self._needs:
                    said = f"there is no card {needs_id!r}, in the file or in the backlog"
                    self._refuse(self._ids[card_id], "depends_on", said)
        for cycle in _cycles({**self._needs, **self._standing.edges, **self._needs}):
            start = next(place for place, card_id in enumerate(cycle) if card_id in self._needs)
            told = [*cycle[start:], *cycle[1 : start + 1]]
            said = f"this closes the cycle {' → '.join(told)}"
            self._refuse(self._ids[told[0]], "depends_on", said)

    def _refuse(self, entry: Entry, name: str, reason: str) -> None:
        self.faults.append(Fault(entry.line_of(name), name, reason))


def merged(card: Card, draft: CardDraft) -> Card:
    """Return the card as an edit with this draft leaves it; what the draft does not say stays.

    Dependencies that stay keep their places, new ones come after them.
    """
    said: dict[str, Any] = {}
    for name in _COMPARED:
        if (value := getattr(draft, name)) is not None:
            said[name] = None if value == "" and name in _EMPTIED else value
    if draft.depends_on is not None:
        wanted = once(draft.depends_on)
        kept = [card_id for card_id in card.depends_on if card_id in wanted]
        said["depends_on"] = (*kept, *(one for one in wanted if one not in card.depends_on))
    if card.idempotency_key is None:
        said["idempotency_key"] = draft.idempotency_key
    return replace(card, **said)


def _changes(before: Card, after: Card) -> list[str]:
    names = (*_COMPARED, "depends_on", "idempotency_key")
    return [name for name in names if getattr(before, name) != getattr(after, name)]


def _cycles(edges: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Yield cycles, both ends included: one for every edge that leads back into the way that found it."""
    finished: set[str] = set()
    for start in edges:
        if start not in finished:
            yield from _cycles_below(start, edges, finished)


def _cycles_below(
    start: str, edges: Mapping[str, Sequence[str]], finished: set[str]
) -> Iterator[list[str]]:
    way = [start]
    places = {start: 0}
    pending = [iter(edges.get(start, ()))]
    while way:
        needs_id = next(pending[-1], None)
        if needs_id is None:
            done = way.pop()
            finished.add(done)
            del places[done]
            pending.pop()
        elif needs_id in places:
            yield [*way[places[needs_id] :], needs_id]
        elif needs_id not in finished:
            places[needs_id] = len(way)
            way.append(needs_id)
            pending.append(iter(edges.get(needs_id, ())))
