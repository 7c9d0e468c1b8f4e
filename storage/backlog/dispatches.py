"""Cards on their way through agents, in Postgres: claimed, dispatched and ended in one step each."""

import secrets
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg

from bot.backlog.cards import Card, CardStatus
from bot.model import Caller, Receipt, ReceiptState, Via, derived_id
from bot.supervision.pause import SUPERVISOR
from bot.supervision.ports import Demand, Dispatch, OpenDispatch, Outcome, Worker
from storage.backlog.rows import CardRows, read_card
from storage.database import Connection, Database
from storage.queries import Queries

_BY = Caller(SUPERVISOR, Via.SCHEDULE)
_FIRST_REST, _LONGEST_REST = timedelta(seconds=15), timedelta(minutes=15)


class PostgresDemands:
    """The port Demands."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("dispatches")

    async def all(self) -> Sequence[Demand]:
        """Return whom claimable cards ask for."""
        async with self._database.connection() as connection:
            rows = await self._queries.list_demand.fetch(connection)
        return [Demand(**dict(row)) for row in rows]

    async def last_completion(self) -> str:
        """Return a name for the newest completion."""
        async with self._database.connection() as connection:
            found = await self._queries.last_completion.fetchval(connection)
        return "" if found is None else str(found)


class PostgresDispatches:
    """The port Dispatches. What no two may hold is kept by unique indexes, whoever believes to be the leader."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("dispatches")
        self._rows = CardRows()

    async def assign(self, worker: Worker, ttl: timedelta, grace: timedelta) -> OpenDispatch | None:
        """Claim the best card for an agent and open its dispatch."""
        id_ = uuid.uuid4().hex
        values = {
            "id": id_,
            "token": secrets.token_hex(16),
            "message_id": derived_id("card prompt", id_),
            "ask_id": derived_id("card question", id_),
            "ttl_seconds": int(ttl.total_seconds()),
            "grace_seconds": int(grace.total_seconds()),
            "actor": _BY.principal.id,
            "via": _BY.via.value,
        }
        sighting = worker.sighting
        try:
            async with self._database.connection() as connection:
                row = await self._queries.assign_card.fetchrow(
                    connection,
                    place=worker.place,
                    name=worker.name,
                    host=worker.host,
                    agent_class=sighting.agent_class,
                    takes_cards=sighting.takes_cards,
                    **values,
                )
        except asyncpg.UniqueViolationError:
            return None  # another leader was a moment faster: nothing of ours was written
        return None if row is None else OpenDispatch(_opened(row), read_card(row))

    async def open(self) -> Sequence[OpenDispatch]:
        """Return all open dispatches, the oldest first."""
        async with self._database.connection() as connection:
            rows = await self._queries.list_open.fetch(connection)
        return [_progress(row) for row in rows]

    async def end(self, dispatch: Dispatch, outcome: Outcome, reason: str | None) -> bool:
        """End a dispatch, and give its card back if the claim still stands."""
        async with self._database.transaction() as connection:
            # The card first, as assignments do: else an end and an assignment may wait for each other.
            card = await self._rows.hold_if_there(connection, dispatch.card_id)
            row = await self._queries.end_dispatch.fetchrow(
                connection, id=dispatch.id, outcome=outcome.value, reason=reason
            )
            if row is None:
                return False
            good = outcome is Outcome.COMPLETED
            await self._queries.rate_worker.execute(
                connection,
                place=dispatch.place,
                good=good,
                typed=outcome is not Outcome.REFUSED,
                first_rest=_FIRST_REST,
                longest_rest=_LONGEST_REST,
            )
            await self._give_back(connection, dispatch, card, outcome, reason)
        return True

    async def _give_back(
        self,
        connection: Connection,
        dispatch: Dispatch,
        before: Card | None,
        outcome: Outcome,
        reason: str | None,
    ) -> None:
        if outcome is Outcome.COMPLETED:
            await self._queries.wake_card.execute(connection, card_id=dispatch.card_id)
            return
        await self._queries.rest_card.fetchval(
            connection,
            card_id=dispatch.card_id,
            first_rest=_FIRST_REST,
            longest_rest=_LONGEST_REST,
        )
        if before is None or before.claim_token != dispatch.claim_token:
            return
        if outcome is Outcome.LIMITED:
            await self._queries.refund_attempt.execute(connection, card_id=dispatch.card_id)
        await self._rows.move(connection, dispatch.card_id, CardStatus.READY)
        await self._rows.settle(connection, before, dispatch.card_id, _BY, "release", reason=reason)

    async def history(self, subject: str, limit: int) -> Sequence[Dispatch]:
        """Return the newest dispatches of a card or an agent."""
        kind, _, name = subject.partition(":")
        async with self._database.connection() as connection:
            rows = await self._queries.list_history.fetch(
                connection,
                card_id=name if kind == "card" else None,
                place=name if kind == "agent" else None,
                row_limit=limit,
            )
        return [_dispatch(row) for row in rows]


def _dispatch(row: Any) -> Dispatch:
    values = {name: row[name] for name in Dispatch.__dataclass_fields__}
    values["outcome"] = None if row["outcome"] is None else Outcome(row["outcome"])
    return Dispatch(**values)


def _opened(row: Any) -> Dispatch:
    """Return the open dispatch of a row that holds its card too."""
    return Dispatch(
        id=row["dispatch_id"],
        card_id=row["dispatched_card"],
        place=row["place"],
        claim_token=row["dispatch_token"],
        message_id=row["message_id"],
        ask_id=row["ask_id"],
        begun_at=row["begun_at"],
    )


def _progress(row: Any) -> OpenDispatch:
    dispatch = _opened(row)
    return OpenDispatch(
        dispatch=dispatch,
        card=None if row["id"] is None else read_card(row),
        prompt=_receipt(row, "prompt", dispatch.message_id),
        prompt_at=row["prompt_stored_at"],
        ask=_receipt(row, "ask", dispatch.ask_id),
        ask_at=row["ask_stored_at"],
    )


def _receipt(row: Any, which: str, message_id: str) -> Receipt | None:
    if row[f"{which}_state"] is None:
        return None
    return Receipt(
        message_id,
        ReceiptState(row[f"{which}_state"]),
        by=row[f"{which}_by"],
        evidence=row[f"{which}_failure"] or {},
        reason=row[f"{which}_reason"],
        at=row[f"{which}_stated_at"],
    )
