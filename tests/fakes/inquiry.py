"""The ports Inquiry and Checklists as a pure model."""

from collections.abc import Sequence
from dataclasses import replace

from bot.backlog.cards import Card, CardFilter, CardStatus
from bot.backlog.checklist import tick
from bot.backlog.inquiry import Situation
from bot.model import Caller
from tests.fakes.backlog import MemoryBacklog


class MemoryInquiry:
    """Both ports over the model of the backlog."""

    def __init__(self, backlog: MemoryBacklog) -> None:
        self._backlog = backlog

    async def situation(self, card_id: str) -> Situation:
        card = self._backlog.find(card_id)
        events = (await self._backlog.show(card_id))[1]
        moves = [event for event in events if "status" in event.detail]
        below = sorted(self._open_below(card), key=lambda one: one.id)
        queue = await self._backlog.list(CardFilter(ready_only=True))
        ids = [one.id for one in queue]
        return Situation(
            card=card,
            waits_for=tuple(
                self._backlog.find(name)
                for name in card.depends_on
                if self._backlog.find(name).status is not CardStatus.DONE
            ),
            roots=tuple(one for one in below if one.unmet_deps == 0),
            ahead=ids.index(card_id) if card_id in ids else 0,
            since=moves[-1].at if moves else None,
            who=moves[-1].actor if moves else None,
        )

    def _open_below(self, card: Card) -> list[Card]:
        found: dict[str, Card] = {}
        pending = list(card.depends_on)
        while pending:
            one = self._backlog.find(pending.pop())
            if one.status is not CardStatus.DONE and one.id not in found:
                found[one.id] = one
                pending += one.depends_on
        return list(found.values())

    async def search(self, text: str, limit: int) -> Sequence[Card]:
        words = text.lower().split()
        first = words[0]
        found = [
            card
            for card in self._backlog.all()
            if all(word in f"{card.id} {card.title} {card.body}".lower() for word in words)
        ]
        found.sort(
            key=lambda card: (
                card.id.lower() != first,
                not card.id.lower().startswith(first),
                first not in card.title.lower(),
                card.archived,
                card.status is CardStatus.DONE,
                -card.priority,
                card.created_at,
                card.id,
            )
        )
        return found[:limit]

    async def tick(self, card_id: str, number: int, by: Caller, *, done: bool) -> Card:
        card = self._backlog.find(card_id)
        acceptance = tick(card, number, done=done)
        if acceptance == card.acceptance:
            return card
        return self._backlog.keep(card, replace(card, acceptance=acceptance), by, "check")
