"""Cards that an argument may name: those that its command can do something with."""

from collections.abc import Mapping, Sequence

from bot.backlog.cards import Card, CardFilter, CardStatus
from bot.backlog.ports import CardShelf, Inquiry
from bot.command.lobby import MOST, Suggestion

_LOOKED_AT = 4 * MOST
"""Cards that hold the words, of which some may stand where the command has no use for them."""

_CLAIMED = CardFilter(status=CardStatus.CLAIMED)
_OPEN = tuple(CardFilter(status=status) for status in CardStatus if status is not CardStatus.DONE)

_WANTED: Mapping[str, tuple[CardFilter, ...]] = {
    "backlog claim": (CardFilter(ready_only=True),),
    "backlog renew": (_CLAIMED,),
    "backlog release": (_CLAIMED,),
    "backlog reclaim": (_CLAIMED,),
    "backlog complete": (_CLAIMED, *(one for one in _OPEN if one != _CLAIMED)),
    "backlog block": tuple(one for one in _OPEN if one.status is not CardStatus.BLOCKED),
    "backlog unblock": (CardFilter(status=CardStatus.BLOCKED),),
    "backlog archive": (CardFilter(status=CardStatus.DONE),),
    "backlog why": _OPEN,
}
"""What is suggested first to last; any card, for a command that is not named here."""


class SuggestedCards:
    """Finds cards by any words of theirs; of what is not begun, by how they stand."""

    def __init__(self, shelf: CardShelf, inquiry: Inquiry) -> None:
        self._shelf = shelf
        self._inquiry = inquiry

    async def __call__(self, command: str, begun: str) -> Sequence[Suggestion]:
        """Return cards for a command, at most ``MOST``; raises what the backlog raises."""
        wanted = _WANTED.get(command, (CardFilter(),))
        cards = await self._holding(begun, wanted) if begun.split() else await self._first(wanted)
        return [
            Suggestion(card.id, f"{card.id} · {card.title} ({card.status.value})")
            for card in cards[:MOST]
        ]

    async def _holding(self, words: str, wanted: Sequence[CardFilter]) -> Sequence[Card]:
        found = await self._inquiry.search(words, _LOOKED_AT)
        return [card for card in found if any(_is_like(card, one) for one in wanted)]

    async def _first(self, wanted: Sequence[CardFilter]) -> Sequence[Card]:
        cards: list[Card] = []
        for one in wanted:
            if len(cards) < MOST:
                cards += await self._shelf.list(one, limit=MOST)
        return cards


def _is_like(card: Card, wanted: CardFilter) -> bool:
    """Return whether a card stands where it is wanted; archived ones are named by whoever knows them."""
    if wanted.ready_only:
        return card.status is CardStatus.READY and card.unmet_deps == 0
    return wanted.status is None or (card.status is wanted.status and not card.archived)
