"""Keeping as a pure model: what the ports Keeping, Recount and Housekeeping mean."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.backlog.cards import Card, CardStatus, Drift, OldTransaction
from bot.backlog.undo import in_use, last_change, undone
from bot.errors import UserError
from bot.model import Caller
from tests.fakes.backlog import UNCLAIMED, MemoryBacklog


class MemoryKeeping:
    """All three ports over the model of the backlog, which cannot drift and has no sessions."""

    def __init__(self, backlog: MemoryBacklog) -> None:
        self._backlog = backlog

    async def archive(self, card_id: str, by: Caller) -> Card:
        card = self._backlog.find(card_id)
        if card.status is not CardStatus.DONE:
            raise UserError("status: it is not done", code="wrong_status")
        if card.archived:
            return card
        after = replace(card, archived_at=self._backlog.look())
        return self._backlog.keep(card, after, by, "archive")

    async def delete(self, card_id: str, by: Caller) -> Card:
        card = self._backlog.find(card_id)
        if card.status is CardStatus.CLAIMED:
            raise UserError("status: it is held", code="wrong_status")
        if dependents := self._dependents(card_id):
            raise UserError(f"{', '.join(dependents)} depend on it", code="in_use")
        self._backlog.drop(card, by)
        return card

    async def undo(self, card_id: str, by: Caller) -> Card:
        card = self._backlog.find(card_id)
        event = last_change(card_id, (await self._backlog.show(card_id))[1])
        wanted = undone(card, event)
        if card.status is CardStatus.DONE and wanted.status is not CardStatus.DONE:
            begun = [
                name
                for name in self._dependents(card_id)
                if self._backlog.find(name).status in {CardStatus.CLAIMED, CardStatus.DONE}
            ]
            if begun:
                raise in_use(card_id, begun)
        if wanted.status is not card.status:
            wanted = replace(wanted, **UNCLAIMED)
        wanted = replace(wanted, depends_on=self._backlog.reordered(card, wanted.depends_on))
        return self._backlog.keep(card, wanted, by, "undo", f"undoes {event.action}")

    async def recount(self, by: Caller) -> Sequence[Drift]:
        return []

    async def archive_finished(self, age: timedelta, by: Caller) -> int:
        limit = self._backlog.look() - age
        old = [
            card.id
            for card in await self._backlog.export()
            if card.status is CardStatus.DONE and not card.archived and card.updated_at < limit
        ]
        for card_id in old:
            await self.archive(card_id, by)
        return len(old)

    async def old_transactions(self, age: timedelta) -> Sequence[OldTransaction]:
        return []

    async def end(self, transaction: OldTransaction) -> bool:
        return False

    def _dependents(self, card_id: str) -> list[str]:
        return sorted(card.id for card in self._backlog.all() if card_id in card.depends_on)
