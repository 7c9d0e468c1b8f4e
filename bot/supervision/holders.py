"""Who holds which card, for those who look at agents: a database that is away hides cards and nothing else."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace

from bot.agent_record import AgentRecord
from bot.backlog.cards import CardFilter, CardStatus
from bot.backlog.ports import CardShelf
from bot.errors import TransientError


class Holders:
    """Joins agents with their claims. An owner is an agent's name, with or without its host before it."""

    def __init__(self, shelf: CardShelf) -> None:
        self._shelf = shelf

    async def join(self, observed: Awaitable[Sequence[AgentRecord]]) -> Sequence[AgentRecord]:
        """Return records, once observed, with the card that each agent holds (the one claimed last)."""
        cards, records = await asyncio.gather(self._cards(), observed)
        found = ((record, _card_of(record, cards)) for record in records)
        return [record if card is None else replace(record, card=card) for record, card in found]

    async def _cards(self) -> Mapping[str, str]:
        try:
            claimed = await self._shelf.list(CardFilter(status=CardStatus.CLAIMED))
        except TransientError:
            return {}
        in_order = sorted(claimed, key=lambda card: (card.claimed_at is not None, card.claimed_at))
        return {card.claim_owner or "": card.id for card in in_order}


def _card_of(record: AgentRecord, cards: Mapping[str, str]) -> str | None:
    here = f"{record.host}/{record.name}"
    found = (cards.get(owner) for owner in (record.name, here, f"agent:{here}"))
    return next((card for card in found if card is not None), None)
