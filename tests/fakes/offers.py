"""The port Offers in memory, over the state of the other fakes."""

from bot.asked import Offered
from bot.model import Inbound, MessageKind
from storage.mail.offers import bare_mark
from tests.fakes.mailroom import Room


class MemoryOffers:
    """The port Offers, over a room."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def find(self, reaction: Inbound) -> Offered | None:
        self._room.look()
        lane = reaction.source.lane
        for row in self._room.rows:
            key = (row.outbound.message_id, bare_mark(reaction.text))
            words = row.outbound.kind is not MessageKind.REACTION
            here = row.outbound.to.lane == lane and row.platform_id == reaction.stands_on
            if words and here and row.platform_id is not None and key in self._room.offers:
                offer, stored_at = self._room.offers[key]
                return Offered(
                    row.outbound.message_id,
                    self._room.messages[row.outbound.message_id].to,
                    offer,
                    taken=row.outbound.message_id in self._room.chosen,
                    expired=stored_at + offer.lifetime <= self._room.now(),
                )
        return None

    async def take(self, offered: Offered, reaction: Inbound) -> bool:
        self._room.look()
        offer, stored_at = self._room.offers[offered.message_id, offered.offer.mark]
        if stored_at + offer.lifetime > self._room.now():
            self._room.chosen.setdefault(offered.message_id, reaction.id)
        return self._room.chosen.get(offered.message_id) == reaction.id
