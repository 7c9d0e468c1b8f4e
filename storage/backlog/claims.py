"""Cards as work, in Postgres: who holds which, under which token, until when."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypeAlias

from bot.backlog.cards import Card, CardStatus
from bot.backlog.checklist import refuse_open_items
from bot.errors import UserError
from bot.model import Caller
from bot.supervision.pause import heeds_pause
from storage.backlog.edges import Edges
from storage.backlog.limits import within_limits
from storage.backlog.rows import CardRows, holder, read_card
from storage.database import Connection, Database
from storage.pauses import read_pause
from storage.queries import Queries

Take: TypeAlias = Callable[[Connection, str | None], Awaitable[Card | None]]


class PostgresClaims:
    """The port Claims (spec 5-real-parts, "Claims: what is fast and what is right").

    A claim ends at ``claim_expires_at``: ``claim_ttl_seconds`` after ``claimed_at``, or sooner while a
    ``grace`` runs. A renewal sets both anew and ends the grace. The claim is still its holder's until somebody
    reclaims it. Durations count whole seconds.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("claims")
        self._pauses = Queries.load("pause")
        self._rows = CardRows()
        self._edges = Edges()

    async def claim(
        self,
        owner: str,
        ttl: timedelta,
        card_id: str | None,
        by: Caller,
        *,
        grace: timedelta | None = None,
    ) -> Card | None:
        """Claim the best card, or this one; None when nothing is claimable, expired claims included.

        With a ``grace`` the claim counts as started only once it is renewed, and ends with the grace if it
        is not. While a pause stands nothing is claimable for agents and for the supervisor; a freeze
        refuses everybody else with the code ``paused``. UserError when ``card_id`` is unknown.
        """
        seconds = int(ttl.total_seconds())
        take = partial(self._take, _claim_values(owner, seconds, grace, by))
        with within_limits({"claim_owner": owner, "claim_ttl_seconds": seconds}):
            async with self._database.connection() as connection:
                card = await take(connection, card_id)
                if card is not None:
                    return card
                if card_id is not None:
                    await self._rows.find(connection, card_id)
                if not heeds_pause(by.principal):
                    await self._refuse_frozen(connection)
                if await self._reclaim_expired(connection, by):
                    card = await take(connection, card_id)
                if card is not None or card_id is not None:
                    return card
                return await self._take_held(connection, take, by)

    async def renew(self, card_id: str, token: str, ttl: timedelta | None, by: Caller) -> Card:
        """Let the claim's time run anew, by default as long as before; UserError for a stale token."""
        seconds = None if ttl is None else int(ttl.total_seconds())
        with within_limits({"claim_ttl_seconds": seconds}):
            async with self._database.transaction() as connection:
                before = await self._held_under(connection, card_id, token)
                await self._queries.extend_claim.execute(
                    connection,
                    card_id=card_id,
                    ttl_seconds=before.claim_ttl_seconds if seconds is None else seconds,
                )
                return await self._rows.settle(connection, before, card_id, by, "renew")

    async def release(self, card_id: str, token: str, by: Caller) -> Card:
        """Give a card back; UserError for a stale token."""
        async with self._database.transaction() as connection:
            before = await self._held_under(connection, card_id, token)
            await self._rows.move(connection, card_id, CardStatus.READY)
            return await self._rows.settle(connection, before, card_id, by, "release")

    async def reclaim(self, card_id: str | None, by: Caller) -> Sequence[str]:
        """End all expired claims, or this card's claim whatever its time; return the ids, sorted."""
        if card_id is None:
            async with self._database.connection() as connection:
                return await self._reclaim_expired(connection, by)
        async with self._database.transaction() as connection:
            before = await self._rows.hold(connection, card_id)
            if before.status is not CardStatus.CLAIMED:
                return []
            await self._rows.move(connection, card_id, CardStatus.READY)
            await self._rows.settle(connection, before, card_id, by, "reclaim")
            return [card_id]

    async def complete(
        self, card_id: str, token: str | None, by: Caller, *, checked: bool = False
    ) -> Card:
        """Mark a card done, from every status; an agent must give its claim's token.

        UserError for a stale token, for an agent without one, and with ``checked`` for open items. A done
        card stays as it is.
        """
        if token is None and by.principal.platform == "agent":
            raise UserError(
                f"token: an agent completes {card_id} with its claim's token, and none was given",
                code="token_required",
                hint="`backlog claim` answers with it",
            )
        complete = partial(self._complete, card_id, token, by, checked=checked)
        card = await complete(alone=False) or await complete(alone=True)
        if card is None:
            raise AssertionError("a completion that runs alone always ends")
        return card

    async def _complete(
        self, card_id: str, token: str | None, by: Caller, *, checked: bool, alone: bool
    ) -> Card | None:
        """Complete a card; None when it must be done ``alone``.

        That is so for one that waits for others itself: it may be another completion's dependent, and the
        two would lock the same rows in two orders.
        """
        async with self._database.transaction() as connection:
            await (self._edges.hold if alone else self._edges.share)(connection)
            if token is None:
                before = await self._rows.hold(connection, card_id)
            else:
                before = await self._held_under(connection, card_id, token)
            if before.status is CardStatus.DONE:
                return before
            if checked:
                refuse_open_items(before)
            if before.unmet_deps and not alone:
                return None
            await self._rows.move(connection, card_id, CardStatus.DONE)
            await self._queries.release_dependents.execute(connection, card_id=card_id)
            return await self._rows.settle(connection, before, card_id, by, "complete")

    async def _take(
        self, values: dict[str, Any], connection: Connection, card_id: str | None
    ) -> Card | None:
        row = await self._queries.claim_card.fetchrow(
            connection, card_id=card_id, token=secrets.token_hex(16), **values
        )
        return None if row is None else read_card(row)

    async def _refuse_frozen(self, connection: Connection) -> None:
        row = await self._pauses.find_pause.fetchrow(connection)
        if row is not None and row["is_freeze"]:
            raise UserError(
                f"nobody claims now: {read_pause(row).notice()}",
                code="paused",
                hint="`resume` lets everything go on",
            )

    async def _take_held(self, connection: Connection, take: Take, by: Caller) -> Card | None:
        """Wait for cards that somebody is just looking at; each turn that fails is another's success."""
        heeds = heeds_pause(by.principal)
        while True:
            best: str | None = await self._queries.find_claimable.fetchval(
                connection, heeds_pause=heeds
            )
            if best is None:
                return None
            card = await take(connection, best)
            if card is not None:
                return card

    async def _reclaim_expired(self, connection: Connection, by: Caller) -> Sequence[str]:
        async with connection.transaction():
            expired = await self._queries.hold_expired.fetch(connection)
            ids = [row["id"] for row in expired]
            if ids:
                await self._rows.move_all(connection, ids, CardStatus.READY)
                details = [_reclaim_detail(row) for row in expired]
                await self._rows.note_all(connection, ids, details, by, "reclaim")
        return ids

    async def _held_under(self, connection: Connection, card_id: str, token: str) -> Card:
        card = await self._rows.hold(connection, card_id)
        if card.claim_token is None or not secrets.compare_digest(
            card.claim_token.encode(), token.encode()
        ):
            raise UserError(
                f"token: this is not the token of {card_id}'s claim; {holder(card)}",
                code="stale_token",
                hint="the claim was ended or taken over: drop this attempt",
            )
        return card


def _claim_values(owner: str, seconds: int, grace: timedelta | None, by: Caller) -> dict[str, Any]:
    """Return what every try of one claim says."""
    return {
        "owner": owner,
        "ttl_seconds": seconds,
        "grace_seconds": None if grace is None else int(grace.total_seconds()),
        "actor": by.principal.id,
        "via": by.via.value,
        "heeds_pause": heeds_pause(by.principal),
        "detail": {
            "status": {"from": CardStatus.READY, "to": CardStatus.CLAIMED},
            "claim_owner": {"from": None, "to": owner},
            "claim_ttl_seconds": {"from": None, "to": seconds},
        },
    }


def _reclaim_detail(row: Any) -> dict[str, Any]:
    return {
        "status": {"from": CardStatus.CLAIMED, "to": CardStatus.READY},
        "claim_owner": {"from": row["claim_owner"], "to": None},
        "claim_ttl_seconds": {"from": row["claim_ttl_seconds"], "to": None},
    }
