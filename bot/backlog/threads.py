"""What is said of a card in its thread."""

from dataclasses import dataclass
from typing import Any

from bot.backlog.cards import CardEvent
from bot.model import Address


@dataclass(frozen=True, slots=True)
class CardNews:
    """A change of a card's status, and a thread where it is news; ``position`` orders all news."""

    position: int
    card_id: str
    title: str
    event: CardEvent
    thread: Address


def sentence_of(news: CardNews) -> str:
    """Return news in one sentence: which card, what became of it, by whom and why."""
    detail = news.event.detail
    status = detail["status"]["to"]
    who = news.event.actor
    match status, news.event.action:
        case "claimed", _:
            owner = detail.get("claim_owner", {}).get("to") or who
            said = f"is claimed by {owner}"
        case "done", _:
            said = f"was completed by {who}"
        case "blocked", _:
            said = f"was blocked by {who}"
        case "ready", "reclaim":
            said = f"is ready again: {who} took the claim back"
        case "ready", _:
            said = f"is ready again: {news.event.action} by {who}"
        case _:
            said = f"is {status} now: {news.event.action} by {who}"
    reason = _reason(detail)
    return f"{news.card_id} {said}{f': {reason}' if reason else ''}. ({news.title})"


def _reason(detail: dict[str, Any]) -> str:
    blocked = detail.get("block_reason", {})
    return str(blocked.get("to") or detail.get("reason") or "")
