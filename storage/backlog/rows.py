"""Card rows as values, and the history that every change of one leaves."""

from collections.abc import Sequence
from typing import Any

from bot.backlog.cards import Card, CardEvent, CardStatus
from bot.errors import UserError
from bot.model import Caller
from storage.database import Connection
from storage.queries import Queries

_TOLD = (
    "title",
    "body",
    "phase",
    "priority",
    "status",
    "depends_on",
    "claim_owner",
    "claim_ttl_seconds",
    "acceptance",
    "agent_class",
    "agent",
    "host",
    "block_reason",
    "archived",
)
"""What history tells of. A token is never in it: whoever reads history must not be able to act by it."""


class CardRows:
    """Reads, holds and settles single cards on a connection that the caller lends."""

    def __init__(self) -> None:
        self._queries = Queries.load("cards")

    async def find(self, connection: Connection, card_id: str, field: str = "id") -> Card:
        """Return a card; UserError when there is none, which names the ``field`` that asked for it."""
        row = await self._queries.find_card.fetchrow(connection, card_id=card_id)
        return _known(row, card_id, field)

    async def hold(self, connection: Connection, card_id: str, field: str = "id") -> Card:
        """Return a card that nobody else can change until the transaction ends; UserError as ``find``."""
        row = await self._queries.lock_card.fetchrow(connection, card_id=card_id)
        return _known(row, card_id, field)

    async def hold_if_there(self, connection: Connection, card_id: str) -> Card | None:
        """Return a card as ``hold`` does, None when it was deleted."""
        row = await self._queries.lock_card.fetchrow(connection, card_id=card_id)
        return None if row is None else read_card(row)

    async def move(
        self,
        connection: Connection,
        card_id: str,
        status: CardStatus,
        block_reason: str | None = None,
    ) -> None:
        """Give a card that the caller holds another status; what belongs to the old one goes with it."""
        await self.move_all(connection, [card_id], status, block_reason)

    async def move_all(
        self,
        connection: Connection,
        ids: Sequence[str],
        status: CardStatus,
        block_reason: str | None = None,
    ) -> None:
        """Move several cards that the caller holds."""
        await self._queries.move_cards.execute(
            connection, ids=list(ids), status=status.value, block_reason=block_reason
        )

    async def note_all(
        self,
        connection: Connection,
        ids: Sequence[str],
        details: Sequence[dict[str, Any]],
        by: Caller,
        action: str,
    ) -> None:
        """Note what one action changed of several cards, in the order given."""
        await self._queries.note_events.execute(
            connection,
            ids=list(ids),
            details=list(details),
            actor=by.principal.id,
            via=by.via.value,
            action=action,
        )

    async def settle(
        self,
        connection: Connection,
        before: Card | None,
        card_id: str,
        by: Caller,
        action: str,
        *,
        reason: str | None = None,
    ) -> Card:
        """Return the card as it now is, having noted what ``action`` changed of it since ``before``."""
        after = await self.find(connection, card_id)
        detail = difference(before, after)
        if reason is not None:
            detail["reason"] = reason
        await self._queries.note_event.execute(
            connection,
            card_id=card_id,
            actor=by.principal.id,
            via=by.via.value,
            action=action,
            detail=detail,
        )
        return after

    async def history(self, connection: Connection, card_id: str) -> Sequence[CardEvent]:
        """Return a card's history, oldest first."""
        rows = await self._queries.find_events.fetch(connection, card_id=card_id)
        return [CardEvent(**dict(row)) for row in rows]


def read_card(row: Any) -> Card:
    """Return the card that a row with ``depends_on`` holds."""
    values = {name: row[name] for name in Card.__dataclass_fields__}
    values["status"] = CardStatus(row["status"])
    values["depends_on"] = tuple(row["depends_on"])
    return Card(**values)


def difference(before: Card | None, after: Card) -> dict[str, Any]:
    """Return ``{field: {"from", "to"}}`` for all that changed, of a new card for all that it has."""
    changes = {}
    for name in _TOLD:
        old = None if before is None else _plain(getattr(before, name))
        new = _plain(getattr(after, name))
        if old != new and (before is not None or new):
            changes[name] = {"from": old, "to": new}
    return changes


def writable(card: Card) -> dict[str, Any]:
    """Return what the query ``write_card`` writes of a card."""
    return {
        "card_id": card.id,
        "title": card.title,
        "body": card.body,
        "phase": card.phase,
        "priority": card.priority,
        "idempotency_key": card.idempotency_key,
        "acceptance": card.acceptance,
        "agent_class": card.agent_class,
        "agent": card.agent,
        "host": card.host,
    }


def holder(card: Card) -> str:
    """Say who holds a card now, for refusals."""
    if card.claim_owner is None:
        return f"{card.id} is {card.status.value} and nobody holds it"
    return (
        f"{card.id} is held by {card.claim_owner} until {card.claim_expires_at:%Y-%m-%dT%H:%M:%SZ}"
    )


def unknown(card_id: str, field: str = "id") -> UserError:
    """Return the refusal of an id that no card has."""
    return UserError(
        f"{field}: there is no card {card_id!r}",
        code="unknown_card",
        hint="`backlog list` shows all cards",
    )


def _known(row: Any, card_id: str, field: str = "id") -> Card:
    if row is None:
        raise unknown(card_id, field)
    return read_card(row)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
