"""Cards as answers: the JSON of the contract, and what people read."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bot.backlog.cards import BacklogStats, Card, CardEvent, CardStatus
from bot.backlog.checklist import read_checklist
from bot.enclosure import size_text
from bot.files.uploads import CardFile
from bot.model import Caller
from bot.reply import Block, Fields, Table, Text

_TIMES = ("claimed_at", "claim_expires_at", "archived_at", "created_at", "updated_at")
_SHOWN_EVENTS = 20
_SHOWN_CHANGE = 80


def card_data(card: Card, token: str | None) -> dict[str, Any]:
    """Return a card as JSON-ready values with exactly the contract's keys; ``token`` is what is shown of it."""
    data: dict[str, Any] = {name: getattr(card, name) for name in Card.__dataclass_fields__}
    data |= {name: rfc3339(data[name]) for name in _TIMES}
    data["status"] = card.status.value
    data["depends_on"] = list(card.depends_on)
    data["claim_token"] = token
    return data


def token_for(caller: Caller, card: Card) -> str | None:
    """Return the claim's token if the caller is its owner, None for everybody else, operators too.

    Owning goes by the stable id: ``matrix:@ann:example.org``, ``agent:HOST/NAME``.
    """
    return card.claim_token if card.claim_owner == caller.principal.id else None


def event_data(event: CardEvent) -> dict[str, Any]:
    """Return a line of history as JSON-ready values."""
    return {
        "at": rfc3339(event.at),
        "actor": event.actor,
        "via": event.via,
        "action": event.action,
        "detail": event.detail,
    }


def file_data(file: CardFile) -> dict[str, Any]:
    """Return a file in a card's folder as JSON-ready values."""
    return {
        "name": file.name,
        "media_type": file.media_type,
        "bytes": file.size,
        "sender": file.sender,
        "at": rfc3339(file.at),
        "removed_at": rfc3339(file.removed_at),
    }


def files_table(files: Sequence[CardFile]) -> Table:
    """Return what lies in a card's folder."""
    rows = (
        (
            file.name,
            file.media_type,
            size_text(file.size) if file.removed_at is None else "removed",
            file.sender,
        )
        for file in files
    )
    return Table(("file", "type", "size", "from"), tuple(rows))


def stats_data(stats: BacklogStats) -> dict[str, Any]:
    """Return the backlog's numbers as JSON-ready values."""
    return {
        "counts": dict(stats.counts),
        "total": stats.total,
        "oldest_ready_age_seconds": stats.oldest_ready_age_seconds,
        "expired_claim_count": stats.expired_claim_count,
        "oldest_ready_id": stats.oldest_ready_id,
        "blocked_chains": [
            {"id": card_id, "waiting": waiting} for card_id, waiting in stats.blocked_chains
        ],
    }


def rfc3339(at: datetime | None) -> str | None:
    """Return a time as RFC 3339 in UTC, with ``Z``."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def card_fields(card: Card) -> Fields:
    """Return a card for people, without what is not set."""
    pairs = [
        ("id", card.id),
        ("title", card.title),
        ("status", _status(card)),
        ("priority", str(card.priority)),
        ("phase", card.phase),
        ("depends on", ", ".join(card.depends_on)),
        ("held by", card.claim_owner),
        ("held since", _short(card.claimed_at)),
        ("held until", _short(card.claim_expires_at)),
        ("attempts", str(card.attempts) if card.attempts else None),
        ("blocked because", card.block_reason),
        ("archived", _short(card.archived_at)),
        ("for class", card.agent_class),
        ("for agent", card.agent),
        ("on host", card.host),
        ("acceptance", _criteria(card)),
        ("created", _short(card.created_at)),
        ("changed", _short(card.updated_at)),
    ]
    return Fields(tuple((name, value) for name, value in pairs if value))


def card_blocks(card: Card, events: Sequence[CardEvent]) -> tuple[Block, ...]:
    """Return a card with its story: the newest events last."""
    blocks: list[Block] = [card_fields(card)]
    if card.body:
        blocks.append(Text(card.body))
    if lines := checklist_lines(card):
        blocks.append(Text("\n".join(lines)))
    shown = events[-_SHOWN_EVENTS:]
    rows = tuple(
        (_short(event.at) or "", event.actor, event.via, event.action, _change(event))
        for event in shown
    )
    blocks.append(Table(("when", "who", "through", "what", "change"), rows))
    if len(shown) < len(events):
        blocks.append(Text(f"{len(events) - len(shown)} earlier events are left out."))
    return tuple(blocks)


def checklist_lines(card: Card) -> list[str]:
    """Return a card's checklist, a line an item."""
    items = read_checklist(card.acceptance) or ()
    return [
        f"{'☑' if item.done else '☐'} {n}. {item.text}" for n, item in enumerate(items, start=1)
    ]


def _criteria(card: Card) -> str | None:
    """Return criteria that are no checklist; a checklist stands in lines of its own."""
    if card.acceptance is None or read_checklist(card.acceptance) is not None:
        return None
    return _compact(card.acceptance)


def cards_table(cards: Sequence[Card]) -> Table:
    """Return cards as rows, in the order given."""
    rows = tuple(
        (card.id, str(card.priority), _status(card), card.phase or "", card.title) for card in cards
    )
    return Table(("id", "priority", "status", "phase", "title"), rows)


def stats_fields(stats: BacklogStats) -> Fields:
    """Return the backlog's numbers for people."""
    age = stats.oldest_ready_age_seconds
    pairs = [(status, str(count)) for status, count in stats.counts.items()]
    pairs += [
        ("total", str(stats.total)),
        (
            "oldest claimable",
            "none" if age is None else f"{stats.oldest_ready_id}, {age:.0f} s old",
        ),
        ("expired claims", str(stats.expired_claim_count)),
    ]
    pairs += [
        (f"behind {card_id} (blocked)", f"{waiting} open")
        for card_id, waiting in stats.blocked_chains
    ]
    return Fields(tuple(pairs))


def _status(card: Card) -> str:
    match card.status:
        case CardStatus.READY | CardStatus.BLOCKED if card.unmet_deps:
            return f"{card.status.value}, waits for {card.unmet_deps}"
        case CardStatus.CLAIMED:
            return f"claimed by {card.claim_owner}"
        case _:
            return card.status.value


def _short(at: datetime | None) -> str | None:
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _change(event: CardEvent) -> str:
    parts = []
    for name, change in event.detail.items():
        if isinstance(change, dict) and change.keys() == {"from", "to"}:
            parts.append(f"{name}: {_compact(change['from'])} → {_compact(change['to'])}")
        else:
            parts.append(f"{name}: {_compact(change)}")
    return "; ".join(parts)


def _compact(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list):
        text = ", ".join(_compact(item) for item in value) or "none"
    else:
        text = str(value)
    return text if len(text) <= _SHOWN_CHANGE else text[: _SHOWN_CHANGE - 1] + "…"
