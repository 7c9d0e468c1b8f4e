"""Taking back the last change of a card: what it was before, read from its history (ADR 18)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.backlog.cards import Card, CardEvent, CardStatus
from bot.errors import UserError

_NO_CHANGE = frozenset({"renew", "recount"})
_ATTRIBUTES = {"archived": "archived_at"}
_CLAIM = frozenset({"claim_owner", "claim_ttl_seconds"})
_FIELDS = frozenset(
    {"title", "body", "phase", "priority", "acceptance", "agent_class", "agent", "host"}
    | {"block_reason"}
)


def last_change(card_id: str, events: Sequence[CardEvent]) -> CardEvent:
    """Return the newest event that changed what a card says or where it stands; UserError when none did."""
    for event in reversed(events):
        if event.action not in _NO_CHANGE:
            return event
    raise _cannot(card_id, "nothing was changed")


def undone(card: Card, event: CardEvent) -> Card:
    """Return a card as it was before its last change; UserError when that cannot be had back.

    Undoing an undo does the change again. A claim is never given back: what was claimed becomes ready.
    ``archived_at`` of the answer says only whether, not when.
    """
    changes = {
        name: change
        for name, change in event.detail.items()
        if isinstance(change, dict) and change.keys() == {"from", "to"}
    }
    if changes.get("title", {"from": ""})["from"] is None:
        raise _cannot(card.id, f"{event.action} made the card", hint="`backlog delete` removes it")
    wanted = {
        _ATTRIBUTES.get(name, name): _before(card, event, name, change)
        for name, change in changes.items()
        if name not in _CLAIM
    }
    if not wanted:
        raise _cannot(card.id, f"{event.action} changed nothing that can be taken back")
    return replace(card, **wanted)


def _before(card: Card, event: CardEvent, name: str, change: dict[str, Any]) -> Any:
    match name:
        case "depends_on":
            return tuple(change["from"])
        case "archived":
            return card.updated_at if change["from"] else None
        case "status":
            return _status(card.id, event.action, change)
    if name not in _FIELDS:
        raise _cannot(card.id, f"{event.action} changed {name}")
    return change["from"]


def _status(card_id: str, action: str, change: dict[str, Any]) -> CardStatus:
    before, after = CardStatus(change["from"]), CardStatus(change["to"])
    if before is not CardStatus.CLAIMED:
        return before
    if after is CardStatus.READY:
        raise _cannot(card_id, f"{action} ended a claim", hint="`backlog claim` makes a new one")
    return CardStatus.READY


def in_use(card_id: str, dependents: Sequence[str]) -> UserError:
    """Return the refusal to take back a completion on which others have begun to build."""
    return _cannot(
        card_id, f"{', '.join(dependents)} went on from there and would have to wait again"
    )


def _cannot(card_id: str, why: str, hint: str | None = None) -> UserError:
    return UserError(
        f"the last change of {card_id} cannot be undone: {why}", code="not_undoable", hint=hint
    )
