"""The port Shipments over the model of the backlog."""

from collections.abc import Sequence
from dataclasses import replace

from bot.backlog.cards import Card
from bot.backlog.shipment import Entry, Landing, Standing, card_of, landing_of, plan
from bot.model import Caller
from tests.fakes.backlog import MemoryBacklog


class MemoryShipments:
    """Plans as every store does, and writes into the model's dictionaries."""

    def __init__(self, backlog: MemoryBacklog) -> None:
        self._backlog = backlog

    async def bring(
        self, entries: Sequence[Entry], by: Caller, *, update: bool, dry_run: bool
    ) -> Landing:
        backlog = self._backlog
        edges = {card.id: card.depends_on for card in backlog._cards.values()}
        standing = Standing(backlog._cards, frozenset(backlog._cards), backlog._keys, edges)
        planned = plan(entries, standing, update=update)
        if planned.faults or dry_run:
            return landing_of(planned)
        for entry in planned.created:
            backlog._cards[entry.draft.id] = card_of(entry)
        for entry in planned.created:
            now = backlog._tick()
            card = replace(card_of(entry), created_at=now)
            backlog.keep(None, card, by, "import")
        for before, after in planned.changed:
            backlog.keep(before, replace(after, unmet_deps=0), by, "import")
        for entry in entries:
            if entry.draft.idempotency_key is not None:
                backlog._keys.setdefault(entry.draft.idempotency_key, entry.draft.id)
        return landing_of(planned)

    async def export(self) -> Sequence[Card]:
        return await self._backlog.export()
