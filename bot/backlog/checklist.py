"""Acceptance criteria as a checklist: a JSON list of texts, or of ``{"text": …, "done": …}``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.backlog.cards import Card
from bot.errors import UserError


@dataclass(frozen=True, slots=True)
class Item:
    """One criterion, and whether it is met."""

    text: str
    done: bool = False


def read_checklist(acceptance: Any) -> tuple[Item, ...] | None:
    """Return the items of acceptance criteria, None for criteria of another form (they are shown as they are)."""
    if not isinstance(acceptance, list) or not acceptance:
        return None
    items = [_item(value) for value in acceptance]
    return None if None in items else tuple(item for item in items if item is not None)


def _item(value: Any) -> Item | None:
    match value:
        case str():
            return Item(value)
        case {"text": str(text), **rest} if rest.keys() <= {"done"}:
            done = rest.get("done", False)
            return Item(text, done) if isinstance(done, bool) else None
    return None


def tick(card: Card, number: int, *, done: bool) -> list[dict[str, Any]]:
    """Return a card's criteria with one of them met or open; UserError says which numbers there are."""
    items = read_checklist(card.acceptance)
    if items is None:
        raise UserError(
            f"acceptance: {card.id} has no checklist",
            code="invalid",
            hint='write one: --acceptance \'["tests pass", "docs say so"]\'',
        )
    if not 1 <= number <= len(items):
        raise UserError(
            f"item: {number} is not allowed: {card.id} has items 1 to {len(items)}", code="invalid"
        )
    return [
        {"text": item.text, "done": done if place == number else item.done}
        for place, item in enumerate(items, start=1)
    ]


def refuse_open_items(card: Card) -> None:
    """Raise UserError when criteria of a card are open, naming them."""
    items: Sequence[Item] = read_checklist(card.acceptance) or ()
    still = [f"{n}. {item.text}" for n, item in enumerate(items, start=1) if not item.done]
    if still:
        raise UserError(
            f"acceptance: {card.id} has open items: {'; '.join(still)}",
            code="not_accepted",
            hint=f"`backlog check {card.id} --item N` marks one as met",
        )
