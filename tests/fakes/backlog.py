"""The backlog as a pure model: what the ports CardShelf, Claims and Dependencies mean, without a database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from bot.backlog.cards import BacklogStats, Card, CardDraft, CardEvent, CardFilter, CardStatus
from bot.backlog.checklist import refuse_open_items
from bot.errors import UserError
from bot.model import Caller
from bot.supervision.pause import heeds_pause
from tests.fakes.card_rules import (
    check,
    claimable,
    difference,
    expired,
    fits,
    rank,
    whole_seconds,
)
from tests.fakes.pauses import MemoryPauses

UNCLAIMED: dict[str, Any] = {
    "claim_owner": None,
    "claim_token": None,
    "claim_ttl_seconds": None,
    "claimed_at": None,
    "claim_expires_at": None,
}


class MemoryBacklog:
    """All ports of the backlog over dictionaries; its clock moves by a millisecond a look, or when told."""

    def __init__(self) -> None:
        self._cards: dict[str, Card] = {}
        self._keys: dict[str, str] = {}
        self._events: dict[str, list[CardEvent]] = {}
        self._tokens = count(1)
        self.pauses = MemoryPauses()
        self._now = datetime(2030, 1, 1, tzinfo=UTC)

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self._now += by

    def look(self) -> datetime:
        """Return what time it is."""
        return self._tick()

    def is_past(self, at: datetime) -> bool:
        """Return whether a moment is more than five minutes ago."""
        return self._now - at > timedelta(minutes=5)

    async def create(self, draft: CardDraft, by: Caller) -> Card:
        known = self._keys.get(draft.idempotency_key or "")
        if known is not None:
            return self._cards[known]
        check(draft)
        if draft.title is None:
            raise UserError("title: a new card needs one", code="invalid")
        if draft.id in self._cards:
            raise UserError("id: it is taken", code="card_exists")
        needs = tuple(dict.fromkeys(draft.depends_on or ()))
        self._check_edges(draft.id, needs)
        now = self._tick()
        card = Card(
            id=draft.id,
            title=draft.title,
            body=draft.body or "",
            phase=draft.phase or None,
            priority=draft.priority or 0,
            status=CardStatus.READY,
            depends_on=needs,
            unmet_deps=0,
            attempts=0,
            idempotency_key=draft.idempotency_key,
            acceptance=draft.acceptance,
            agent_class=draft.agent_class or None,
            agent=draft.agent or None,
            host=draft.host or None,
            block_reason=None,
            archived_at=None,
            created_at=now,
            updated_at=now,
            **UNCLAIMED,
        )
        if draft.idempotency_key is not None:
            self._keys[draft.idempotency_key] = draft.id
        return self.keep(None, card, by, "create")

    async def edit(self, draft: CardDraft, by: Caller) -> Card:
        known = self._keys.get(draft.idempotency_key or "", draft.id)
        if known != draft.id:
            raise UserError("idempotency_key: it is another card's", code="key_taken")
        before = self.find(draft.id)
        if draft.idempotency_key in self._keys:
            return before
        check(draft)
        said: dict[str, Any] = {
            name: value
            for name in ("title", "body", "priority", "acceptance")
            if (value := getattr(draft, name)) is not None
        }
        for name in ("phase", "agent_class", "agent", "host"):
            if (value := getattr(draft, name)) is not None:
                said[name] = value or None
        if draft.depends_on is not None:
            said["depends_on"] = self.reordered(before, draft.depends_on)
        if draft.idempotency_key is not None:
            self._keys[draft.idempotency_key] = draft.id
            said["idempotency_key"] = before.idempotency_key or draft.idempotency_key
        after = replace(before, **said)
        if not difference(before, after):
            self._cards[before.id] = after
            return after
        return self.keep(before, after, by, "edit")

    async def export(self) -> Sequence[Card]:
        return sorted(self._cards.values(), key=lambda card: (card.created_at, card.id))

    def reordered(self, card: Card, needs: Sequence[str]) -> tuple[str, ...]:
        wanted = tuple(dict.fromkeys(needs))
        kept = [card_id for card_id in card.depends_on if card_id in wanted]
        added = [card_id for card_id in wanted if card_id not in card.depends_on]
        self._check_edges(card.id, added)
        return (*kept, *added)

    async def show(self, card_id: str) -> tuple[Card, Sequence[CardEvent]]:
        return self.find(card_id), list(self._events[card_id])

    async def list(
        self, wanted: CardFilter, *, limit: int | None = None, cursor: str | None = None
    ) -> Sequence[Card]:
        cards = sorted(self._cards.values(), key=rank)
        if cursor is not None:
            after = rank(self.find(cursor))
            cards = [card for card in cards if rank(card) > after]
        return [card for card in cards if fits(card, wanted)][:limit]

    async def stats(self) -> BacklogStats:
        now = self._tick()
        cards = [card for card in self._cards.values() if not card.archived]
        ready = sorted(filter(claimable, cards), key=lambda card: (card.created_at, card.id))
        ages = [(now - card.created_at).total_seconds() for card in ready]
        return BacklogStats(
            counts={s.value: sum(card.status is s for card in cards) for s in CardStatus},
            total=len(cards),
            oldest_ready_age_seconds=max(ages, default=None),
            expired_claim_count=sum(expired(card, now) for card in cards),
            oldest_ready_id=ready[0].id if ready else None,
            blocked_chains=tuple(self._chains()[:5]),
        )

    async def claim(
        self,
        owner: str,
        ttl: timedelta,
        card_id: str | None,
        by: Caller,
        *,
        grace: timedelta | None = None,
    ) -> Card | None:
        seconds = whole_seconds(ttl)
        named = None if card_id is None else self.find(card_id)
        if (pause := self.pauses.strictest(work=heeds_pause(by.principal))) is not None:
            if heeds_pause(by.principal):
                return None
            raise UserError(f"nobody claims now: {pause.notice()}", code="paused")
        card = self._best(named)
        if card is None:
            self._reclaim_expired(by)
            card = self._best(None if named is None else self._cards[named.id])
        if card is None:
            return None
        after = replace(
            card,
            status=CardStatus.CLAIMED,
            claim_owner=owner,
            claim_token=f"token-{next(self._tokens)}",
            claim_ttl_seconds=seconds,
            claimed_at=(now := self._tick()),
            claim_expires_at=now + min(ttl, grace or ttl),
            attempts=card.attempts + 1,
        )
        return self.keep(card, after, by, "claim")

    def _chains(self) -> Sequence[tuple[str, int]]:
        blocked = [card.id for card in self.all() if card.status is CardStatus.BLOCKED]
        chains = [(card_id, self._behind(card_id)) for card_id in blocked]
        return sorted((one for one in chains if one[1]), key=lambda one: (-one[1], one[0]))

    def _behind(self, card_id: str) -> int:
        found: set[str] = set()
        pending = [card_id]
        while pending:
            here = pending.pop()
            above = {card.id for card in self.all() if here in card.depends_on} - found
            found |= above
            pending += above
        return sum(self.find(name).status is not CardStatus.DONE for name in found)

    def _best(self, named: Card | None) -> Card | None:
        cards = sorted(self._cards.values(), key=rank) if named is None else [named]
        return next((card for card in cards if claimable(card)), None)

    async def renew(self, card_id: str, token: str, ttl: timedelta | None, by: Caller) -> Card:
        seconds = None if ttl is None else whole_seconds(ttl)
        before = self._held_under(card_id, token)
        seconds = seconds or before.claim_ttl_seconds or 0
        now = self._tick()
        after = replace(
            before,
            claim_ttl_seconds=seconds,
            claimed_at=now,
            claim_expires_at=now + timedelta(seconds=seconds),
        )
        return self.keep(before, after, by, "renew")

    async def release(self, card_id: str, token: str, by: Caller) -> Card:
        return self._move(self._held_under(card_id, token), CardStatus.READY, by, "release")

    async def reclaim(self, card_id: str | None, by: Caller) -> Sequence[str]:
        if card_id is None:
            return self._reclaim_expired(by)
        card = self.find(card_id)
        if card.status is not CardStatus.CLAIMED:
            return []
        self._move(card, CardStatus.READY, by, "reclaim")
        return [card_id]

    def _reclaim_expired(self, by: Caller) -> Sequence[str]:
        now = self._tick()
        ids = sorted(card.id for card in self._cards.values() if expired(card, now))
        for card_id in ids:
            self._move(self._cards[card_id], CardStatus.READY, by, "reclaim")
        return ids

    async def complete(
        self, card_id: str, token: str | None, by: Caller, *, checked: bool = False
    ) -> Card:
        if token is None and by.principal.platform == "agent":
            raise UserError("token: an agent needs one", code="token_required")
        card = self.find(card_id) if token is None else self._held_under(card_id, token)
        if card.status is CardStatus.DONE:
            return card
        if checked:
            refuse_open_items(card)
        return self._move(card, CardStatus.DONE, by, "complete")

    async def link(self, from_id: str, to_id: str, by: Caller) -> Card:
        before = self.find(from_id)
        if to_id in before.depends_on:
            return before
        self._check_edges(from_id, [to_id])
        after = replace(before, depends_on=(*before.depends_on, to_id))
        return self.keep(before, after, by, "link")

    async def unlink(self, from_id: str, to_id: str, by: Caller) -> Card:
        before = self.find(from_id)
        self.find(to_id)
        if to_id not in before.depends_on:
            return before
        needs = tuple(card_id for card_id in before.depends_on if card_id != to_id)
        return self.keep(before, replace(before, depends_on=needs), by, "unlink")

    async def block(self, card_id: str, reason: str | None, by: Caller) -> Card:
        card = self.find(card_id)
        if card.status is CardStatus.DONE:
            raise UserError("status: it is done", code="wrong_status")
        if card.status is CardStatus.BLOCKED and reason in {None, card.block_reason}:
            return card
        return self._move(card, CardStatus.BLOCKED, by, "block", block_reason=reason)

    async def unblock(self, card_id: str, by: Caller, reason: str | None = None) -> Card:
        card = self.find(card_id)
        if card.status is CardStatus.READY:
            return card
        if card.status is not CardStatus.BLOCKED:
            raise UserError("status: it is not blocked", code="wrong_status")
        return self._move(card, CardStatus.READY, by, "unblock", reason=reason)

    def _move(
        self,
        card: Card,
        status: CardStatus,
        by: Caller,
        action: str,
        *,
        block_reason: str | None = None,
        reason: str | None = None,
    ) -> Card:
        after = replace(card, status=status, block_reason=block_reason, **UNCLAIMED)
        return self.keep(card, after, by, action, reason)

    def keep(
        self, before: Card | None, after: Card, by: Caller, action: str, reason: str | None = None
    ) -> Card:
        now = self._tick()
        detail = difference(before, after)
        if reason is not None:
            detail["reason"] = reason
        self._cards[after.id] = replace(after, updated_at=now)
        self._events.setdefault(after.id, []).append(
            CardEvent(now, by.principal.id, by.via.value, action, detail)
        )
        for card in self._cards.values():
            unmet = sum(self._cards[n].status is not CardStatus.DONE for n in card.depends_on)
            self._cards[card.id] = replace(card, unmet_deps=unmet)
        return self._cards[after.id]

    def _check_edges(self, card_id: str, needs: Sequence[str]) -> None:
        if card_id in needs:
            raise UserError("depends_on: it cannot wait for itself", code="self_link")
        pending = [self.find(needed).id for needed in needs]
        while pending:
            here = pending.pop()
            if here == card_id:
                raise UserError("depends_on: it would close a cycle", code="cycle")
            pending += [n for n in self._cards[here].depends_on if n not in pending]

    def _held_under(self, card_id: str, token: str) -> Card:
        card = self.find(card_id)
        if card.claim_token != token:
            raise UserError(
                f"token: it is stale, the card is held by {card.claim_owner}", code="stale_token"
            )
        return card

    def all(self) -> Sequence[Card]:
        """Return every card, put away or not."""
        return list(self._cards.values())

    def history(self) -> Sequence[tuple[str, Sequence[CardEvent]]]:
        """Return what was done to every card that ever was."""
        return list(self._events.items())

    def drop(self, card: Card, by: Caller) -> None:
        """Remove a card; its history stays."""
        detail = {
            name: {"from": change["to"], "to": None}
            for name, change in difference(None, card).items()
        }
        event = CardEvent(self._tick(), by.principal.id, by.via.value, "delete", detail)
        self._events[card.id].append(event)
        del self._cards[card.id]
        self._keys = {key: owner for key, owner in self._keys.items() if owner != card.id}

    def find(self, card_id: str) -> Card:
        if card_id not in self._cards:
            raise UserError(f"id: there is no card {card_id!r}", code="unknown_card")
        return self._cards[card_id]

    def _tick(self) -> datetime:
        self._now += timedelta(milliseconds=1)
        return self._now
