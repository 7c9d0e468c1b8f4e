"""The rules of the pure backlog: what may be claimed, in which order, and what history tells."""

import re
from datetime import datetime, timedelta
from typing import Any

from bot.backlog.cards import Card, CardDraft, CardFilter, CardStatus
from bot.errors import UserError

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_HIDDEN = {"id", "unmet_deps", "claim_token", "claimed_at", "idempotency_key"} | {
    "attempts",
    "archived_at",
    "claim_expires_at",
    "created_at",
    "updated_at",
}


def fits(card: Card, wanted: CardFilter) -> bool:
    """Whether a list shows a card."""
    said = (
        (wanted.status, card.status),
        (wanted.phase, card.phase),
        (wanted.agent_class, card.agent_class),
        (wanted.agent, card.agent),
        (wanted.host, card.host),
        (wanted.owner, card.claim_owner),
    )
    return (
        all(asked in {None, has} for asked, has in said)
        and (not wanted.ready_only or claimable(card))
        and card.archived == wanted.archived
    )


def claimable(card: Card) -> bool:
    """Whether a card can be claimed now."""
    return card.status is CardStatus.READY and card.unmet_deps == 0


def expired(card: Card, now: datetime) -> bool:
    """Whether a claim is over."""
    return card.claim_expires_at is not None and card.claim_expires_at <= now


def rank(card: Card) -> tuple[int, datetime, str]:
    """The order of lists and claims."""
    return (-card.priority, card.created_at, card.id)


def whole_seconds(ttl: timedelta) -> int:
    """A claim's length in whole seconds; UserError out of bounds."""
    seconds = int(ttl.total_seconds())
    if not 1 <= seconds <= 604_800:
        raise UserError(f"claim_ttl_seconds: {seconds} is not allowed", code="invalid")
    return seconds


def check(draft: CardDraft) -> None:
    """Refuse what the database would refuse."""
    if _ID.match(draft.id) is None:
        raise UserError(f"id: {draft.id!r} is not allowed", code="invalid")
    if draft.title is not None and not 1 <= len(draft.title) <= 300:
        raise UserError(f"title: {draft.title!r} is not allowed", code="invalid")


def difference(before: Card | None, after: Card) -> dict[str, Any]:
    """What a line of history says."""
    changes = {}
    for name in (*(Card.__dataclass_fields__.keys() - _HIDDEN), "archived"):
        old, new = getattr(before, name, None), getattr(after, name)
        if old != new and (before is not None or new):
            changes[name] = {"from": plain(old), "to": plain(new)}
    return changes


def plain(value: Any) -> Any:
    """A value as JSON holds it."""
    return list(value) if isinstance(value, tuple) else value
