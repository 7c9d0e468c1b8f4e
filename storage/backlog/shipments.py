"""Cards in bulk, in Postgres: a whole file in one transaction, in a handful of statements."""

import json
from collections.abc import Sequence
from typing import Any

from bot.backlog.cards import Card
from bot.backlog.shipment import Entry, Landing, Plan, Standing, card_of, landing_of, once, plan
from bot.model import Caller
from storage.backlog.edges import Edges
from storage.backlog.rows import difference, read_card, writable
from storage.database import Connection, Database
from storage.queries import Queries, storable


class _Stop(Exception):  # noqa: N818 - a way out of the transaction, no fault
    """Rolls the transaction back; ``landing`` is the answer, None when it must be tried again."""

    def __init__(self, landing: Landing | None) -> None:
        super().__init__()
        self.landing = landing


class PostgresShipments:
    """The port Shipments. It holds the graph's lock, so edges and completions wait; claims do not."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("shipments")
        self._cards = Queries.load("cards")
        self._edges = Edges()

    async def bring(
        self, entries: Sequence[Entry], by: Caller, *, update: bool, dry_run: bool
    ) -> Landing:
        """Bring in all entries or none; a dry run does everything and then takes it back."""
        while True:
            try:
                return await self._bring(entries, by, update=update, dry_run=dry_run)
            except _Stop as stop:
                if stop.landing is not None:
                    return stop.landing

    async def export(self) -> Sequence[Card]:
        """Return all cards, oldest first."""
        async with self._database.connection() as connection:
            return [read_card(row) for row in await self._queries.export_cards.fetch(connection)]

    async def _bring(
        self, entries: Sequence[Entry], by: Caller, *, update: bool, dry_run: bool
    ) -> Landing:
        async with self._database.transaction() as connection:
            await self._edges.hold(connection)
            standing = await self._look(connection, entries)
            planned = plan(entries, standing, update=update)
            landing = landing_of(planned)
            if planned.faults:
                raise _Stop(landing)
            await self._create(connection, planned.created, by)
            await self._change(connection, planned, by)
            if dry_run:
                raise _Stop(landing)
            return landing

    async def _look(self, connection: Connection, entries: Sequence[Entry]) -> Standing:
        """Take the keys, hold the cards, and read what the shipment's edges lead to."""
        keys = await self._take_keys(connection, entries)
        ids = [entry.draft.id for entry in entries]
        rows = await self._queries.lock_cards.fetch(connection, ids=ids)
        needs = list({one for entry in entries for one in entry.draft.depends_on or ()})
        known = await self._queries.find_ids.fetch(connection, ids=needs)
        edges: dict[str, list[str]] = {}
        for row in await self._queries.find_edges_below.fetch(connection, ids=needs):
            edges.setdefault(row["card_id"], []).append(row["needs_id"])
        return Standing(
            cards={row["id"]: read_card(row) for row in rows},
            known=frozenset(row["id"] for row in (*known, *rows)),
            keys=keys,
            edges=edges,
        )

    async def _take_keys(self, connection: Connection, entries: Sequence[Entry]) -> dict[str, str]:
        """Take the entries' keys; return those that were taken before, with their cards."""
        said: dict[str, str] = {}
        for entry in entries:
            if entry.draft.idempotency_key is not None:
                said.setdefault(entry.draft.idempotency_key, entry.draft.id)
        if not said:
            return {}
        taken = await self._queries.take_keys.fetch(
            connection, keys=list(said), card_ids=list(said.values())
        )
        before = said.keys() - {row["key"] for row in taken}
        rows = await self._queries.find_keys.fetch(connection, keys=list(before))
        return {row["key"]: row["card_id"] for row in rows}

    async def _create(self, connection: Connection, entries: Sequence[Entry], by: Caller) -> None:
        """Write new cards; when another made one of them just now, all is tried again."""
        if not entries:
            return
        inserted = await self._queries.insert_cards.fetch(connection, **_columns(entries))
        if len(inserted) < len(entries):
            raise _Stop(None)
        await self._link(connection, {e.draft.id: once(e.draft.depends_on) for e in entries})
        ids = [entry.draft.id for entry in entries]
        await self._note(
            connection, ids, [difference(None, card_of(entry)) for entry in entries], by
        )

    async def _change(self, connection: Connection, planned: Plan, by: Caller) -> None:
        """Write what existing cards now say, one by one: few are changed at a time."""
        ended: list[tuple[str, str]] = []
        begun: dict[str, tuple[str, ...]] = {}
        for before, after in planned.changed:
            await self._cards.write_card.execute(connection, **writable(after))
            kept = set(before.depends_on)
            ended += [(after.id, one) for one in before.depends_on if one not in after.depends_on]
            begun[after.id] = tuple(one for one in after.depends_on if one not in kept)
        if not begun:
            return
        await self._queries.delete_edges.execute(
            connection,
            card_ids=[card_id for card_id, _ in ended],
            needs_ids=[needs_id for _, needs_id in ended],
        )
        await self._link(connection, begun)
        details = [difference(before, after) for before, after in planned.changed]
        await self._note(connection, list(begun), details, by)

    async def _link(self, connection: Connection, needs: dict[str, tuple[str, ...]]) -> None:
        edges = [(card_id, one) for card_id, ids in needs.items() for one in ids]
        await self._queries.insert_edges.execute(
            connection,
            card_ids=[card_id for card_id, _ in edges],
            needs_ids=[needs_id for _, needs_id in edges],
        )
        await self._queries.count_unmet_of.execute(connection, ids=list(needs))

    async def _note(
        self, connection: Connection, ids: list[str], details: list[Any], by: Caller
    ) -> None:
        await self._cards.note_events.execute(
            connection,
            ids=ids,
            details=details,
            actor=by.principal.id,
            via=by.via.value,
            action="import",
        )


def _columns(entries: Sequence[Entry]) -> dict[str, list[Any]]:
    drafts = [entry.draft for entry in entries]
    return {
        "ids": [draft.id for draft in drafts],
        "titles": [draft.title for draft in drafts],
        "bodies": [draft.body or "" for draft in drafts],
        "phases": [draft.phase or None for draft in drafts],
        "priorities": [draft.priority or 0 for draft in drafts],
        "statuses": [entry.status.value for entry in entries],
        "reasons": [entry.block_reason for entry in entries],
        "keys": [draft.idempotency_key for draft in drafts],
        "acceptances": [_json(draft.acceptance) for draft in drafts],
        "classes": [draft.agent_class or None for draft in drafts],
        "agents": [draft.agent or None for draft in drafts],
        "hosts": [draft.host or None for draft in drafts],
    }


def _json(value: Any) -> str | None:
    """Return a value as JSON text: the driver would take a list in a list for one more dimension."""
    return None if value is None else json.dumps(storable(value), ensure_ascii=False)
