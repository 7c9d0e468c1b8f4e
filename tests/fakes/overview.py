"""The port Overview over the model of the backlog."""

from collections.abc import Sequence

from bot.backlog.cards import Card, CardStatus
from bot.backlog.overview import STATES, Excerpt, Glance, Lane, LaneKind, state_of
from tests.fakes.backlog import MemoryBacklog


class MemoryOverview:
    """Looks at every card."""

    def __init__(self, backlog: MemoryBacklog) -> None:
        self._backlog = backlog

    async def lanes(self, by: LaneKind, per_lane: int) -> Sequence[Lane]:
        cards = await self._shown()
        done = {card.id for card in cards if card.status is CardStatus.DONE}
        blocked = {card.id for card in cards if card.status is CardStatus.BLOCKED}
        lanes: dict[str, list[Glance]] = {}
        for card in sorted(cards, key=_place):
            name = state_of(card) if by is LaneKind.STATUS else card.phase or ""
            waits_for = tuple(needed for needed in card.depends_on if needed not in done)
            blocked_by = tuple(needed for needed in waits_for if needed in blocked)
            lanes.setdefault(name, []).append(Glance(card, waits_for, blocked_by))
        names = STATES if by is LaneKind.STATUS else (*sorted(filter(None, lanes)), "")
        return [
            Lane(name, len(lanes[name]), tuple(lanes[name][:per_lane]))
            for name in names
            if name in lanes
        ]

    async def _shown(self) -> list[Card]:
        return [card for card in await self._backlog.export() if not card.archived]

    async def around(self, card_id: str, depth: int, limit: int) -> Excerpt:
        await self._backlog.show(card_id)
        cards = {card.id: card for card in await self._backlog.export()}
        below = {card.id: list(card.depends_on) for card in cards.values()}
        above: dict[str, list[str]] = {card_id: [] for card_id in cards}
        for card in cards.values():
            for needed in card.depends_on:
                above[needed].append(card.id)
        steps = {card_id: 0}
        for ways in (below, above):
            reached = {card_id}
            for step in range(1, depth + 2):
                reached = {far for near in reached for far in ways[near]}
                for far in reached:
                    steps[far] = min(step, steps.get(far, step))
        ids = sorted((step, found) for found, step in steps.items() if step <= depth)[:limit]
        return Excerpt(tuple(cards[found] for _, found in ids), len(steps) - len(ids))

    async def whole(self, limit: int) -> Excerpt:
        cards = await self._shown()
        cards.sort(
            key=lambda card: (
                card.status is CardStatus.DONE,
                -card.priority,
                card.created_at,
                card.id,
            )
        )
        return Excerpt(tuple(cards[:limit]), len(cards) - len(cards[:limit]))


def _place(card: Card) -> tuple[bool, float, int, float, str]:
    done = card.status is CardStatus.DONE
    ended = -card.updated_at.timestamp() if done else 0.0
    return (done, ended, -card.priority, card.created_at.timestamp(), card.id)
