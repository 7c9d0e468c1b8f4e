"""Cards as things to write and read, in Postgres."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from bot.backlog.cards import BacklogStats, Card, CardDraft, CardEvent, CardFilter, CardStatus
from bot.errors import UserError
from bot.model import Caller
from storage.backlog.edges import Edges
from storage.backlog.limits import within_limits
from storage.backlog.rows import CardRows, difference, read_card, writable
from storage.database import Connection, Database
from storage.queries import Queries

_CHAINS = 5


class PostgresCardShelf:
    """The port CardShelf.

    A key that any create or edit was said with answers with the card that it made or changed, unchanged.
    In an edit an empty text takes phase, class, agent or host back to "any".
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("cards")
        self._inquiry = Queries.load("inquiry")
        self._rows = CardRows()
        self._edges = Edges()

    async def create(self, draft: CardDraft, by: Caller) -> Card:
        """Store a new card; UserError for a taken id, and for a dependency that is not there."""
        needs_ids = _once(draft.depends_on)
        with within_limits(asdict(draft)):
            async with self._database.transaction() as connection:
                if needs_ids:
                    await self._edges.hold(connection)
                known_id = await self._take_key(connection, draft)
                if known_id is not None:
                    return await self._rows.find(connection, known_id)
                await self._insert(connection, draft)
                if needs_ids:
                    await self._edges.change(connection, draft.id, add=needs_ids)
                return await self._rows.settle(connection, None, draft.id, by, "create")

    async def edit(self, draft: CardDraft, by: Caller) -> Card:
        """Change what the draft says; UserError as in ``create``, and for a cycle.

        An edit that changes nothing leaves no trace.
        """
        with within_limits(asdict(draft)):
            async with self._database.transaction() as connection:
                if draft.depends_on is not None:
                    await self._edges.hold(connection)
                if await self._is_repeated(connection, draft):
                    return await self._rows.find(connection, draft.id)
                before = await self._rows.hold(connection, draft.id)
                return await self._write(connection, before, draft, by)

    async def show(self, card_id: str) -> tuple[Card, Sequence[CardEvent]]:
        """Return a card with its history, oldest first; UserError when it is unknown."""
        async with self._database.transaction() as connection:
            card = await self._rows.find(connection, card_id)
            return card, await self._rows.history(connection, card_id)

    async def list(
        self, wanted: CardFilter, *, limit: int | None = None, cursor: str | None = None
    ) -> Sequence[Card]:
        """Return cards, highest priority first, then oldest, then by id; None for no limit.

        ``cursor`` is the id of the previous page's last card.
        """
        async with self._database.connection() as connection:
            after = None if cursor is None else await self._rows.find(connection, cursor, "cursor")
            if not wanted.ready_only:
                rows = await self._list_any(connection, wanted, limit, after)
            elif wanted.status in {None, CardStatus.READY} and not (
                wanted.owner or wanted.archived
            ):
                rows = await self._list_claimable(connection, wanted, limit, after)
            else:
                rows = []
        return [read_card(row) for row in rows]

    async def stats(self) -> BacklogStats:
        """Count the cards; ages are of the oldest claimable one, None when there is none."""
        async with self._database.connection() as connection:
            row = await self._queries.count_cards.fetchrow(connection)
            oldest = await self._inquiry.oldest_ready.fetchval(connection)
            chains = await self._inquiry.blocked_chains.fetch(connection, row_limit=_CHAINS)
        return BacklogStats(
            counts={status.value: row[status.value] for status in CardStatus},
            total=row["total"],
            oldest_ready_age_seconds=row["oldest_ready_age_seconds"],
            expired_claim_count=row["expired_claim_count"],
            oldest_ready_id=oldest,
            blocked_chains=tuple((chain["id"], chain["waiting"]) for chain in chains),
        )

    async def _take_key(self, connection: Connection, draft: CardDraft) -> str | None:
        """Take the draft's key for its card; return whose it was already, None when it was free."""
        key = draft.idempotency_key
        if key is None:
            return None
        taken = await self._queries.take_key.fetchval(connection, key=key, card_id=draft.id)
        if taken is not None:
            return None
        known_id: str = await self._queries.find_key.fetchval(connection, key=key)
        return known_id

    async def _is_repeated(self, connection: Connection, draft: CardDraft) -> bool:
        known_id = await self._take_key(connection, draft)
        if known_id not in {None, draft.id}:
            raise UserError(
                f"idempotency_key: {draft.idempotency_key!r} was said with card {known_id} already",
                code="key_taken",
                hint="use another key for another card",
            )
        return known_id is not None

    async def _insert(self, connection: Connection, draft: CardDraft) -> None:
        if draft.title is None:
            raise UserError("title: a new card needs one", code="invalid")
        inserted = await self._queries.insert_card.fetchval(
            connection,
            card_id=draft.id,
            title=draft.title,
            body=draft.body or "",
            phase=draft.phase or None,
            priority=draft.priority or 0,
            idempotency_key=draft.idempotency_key,
            acceptance=draft.acceptance,
            agent_class=draft.agent_class or None,
            agent=draft.agent or None,
            host=draft.host or None,
        )
        if inserted is None:
            raise UserError(
                f"id: there is a card {draft.id!r} already, and it was not made with this key",
                code="card_exists",
                hint="`backlog edit` changes it",
            )

    async def _write(
        self, connection: Connection, before: Card, draft: CardDraft, by: Caller
    ) -> Card:
        wanted = _merge(before, draft)
        if wanted != before:
            await self._queries.write_card.execute(connection, **writable(wanted))
        add = [card_id for card_id in wanted.depends_on if card_id not in before.depends_on]
        remove = [card_id for card_id in before.depends_on if card_id not in wanted.depends_on]
        if add or remove:
            await self._edges.change(connection, before.id, add=add, remove=remove)
        if not difference(before, wanted):
            return await self._rows.find(connection, before.id)
        return await self._rows.settle(connection, before, before.id, by, "edit")

    async def _list_any(
        self, connection: Connection, wanted: CardFilter, limit: int | None, after: Card | None
    ) -> Sequence[Any]:
        return await self._queries.list_cards.fetch(
            connection,
            status=None if wanted.status is None else wanted.status.value,
            **_meant_for(wanted),
            owner=wanted.owner,
            archived=wanted.archived,
            after_priority=None if after is None else after.priority,
            after_created_at=None if after is None else after.created_at,
            after_id=None if after is None else after.id,
            row_limit=limit,
        )

    async def _list_claimable(
        self, connection: Connection, wanted: CardFilter, limit: int | None, after: Card | None
    ) -> Sequence[Any]:
        if after is None:
            return await self._queries.list_claimable.fetch(
                connection, **_meant_for(wanted), row_limit=limit
            )
        return await self._queries.list_claimable_after.fetch(
            connection,
            **_meant_for(wanted),
            after_priority=after.priority,
            after_created_at=after.created_at,
            after_id=after.id,
            row_limit=limit,
        )


def _meant_for(wanted: CardFilter) -> dict[str, str | None]:
    return {
        "phase": wanted.phase,
        "agent_class": wanted.agent_class,
        "agent": wanted.agent,
        "host": wanted.host,
    }


def _once(ids: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids or ()))


def _merge(card: Card, draft: CardDraft) -> Card:
    """Return the card as the draft wants it; what the draft does not say stays."""
    return replace(
        card,
        title=_say(draft.title, card.title),
        body=_say(draft.body, card.body),
        phase=_say(draft.phase, card.phase) or None,
        priority=_say(draft.priority, card.priority),
        depends_on=card.depends_on if draft.depends_on is None else _once(draft.depends_on),
        acceptance=_say(draft.acceptance, card.acceptance),
        idempotency_key=_say(card.idempotency_key, draft.idempotency_key),
        agent_class=_say(draft.agent_class, card.agent_class) or None,
        agent=_say(draft.agent, card.agent) or None,
        host=_say(draft.host, card.host) or None,
    )


def _say(said: Any, kept: Any) -> Any:
    return kept if said is None else said
