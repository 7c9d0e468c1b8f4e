"""What our messages offer to be chosen, in Postgres."""

from datetime import timedelta
from typing import Any

from bot.asked import Offered
from bot.model import Address, Inbound
from bot.reply import Offer
from storage.database import Database
from storage.queries import Queries, storable

_SELECTORS = str.maketrans("", "", "\ufe0e\ufe0f")


class PostgresOffers:
    """The port Offers. Lifetimes are measured by the database's clock; both methods may be repeated."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("offers")

    async def find(self, reaction: Inbound) -> Offered | None:
        """Return the offer that a reaction means; how a client chose to draw the mark does not matter."""
        async with self._database.connection() as connection:
            rows = await self._queries.find_offer.fetch(
                connection,
                kind=reaction.source.kind,
                place=reaction.source.place,
                event_id=reaction.stands_on,
                mark=bare_mark(reaction.text),
            )
        return _offered(rows[0]) if rows else None

    async def take(self, offered: Offered, reaction: Inbound) -> bool:
        """Choose an offer; the same reaction may choose it again."""
        async with self._database.connection() as connection:
            taken = await self._queries.take_offer.fetchval(
                connection,
                message_id=offered.message_id,
                mark=offered.offer.mark,
                event_id=reaction.id,
                principal_id=reaction.sender.id,
            )
        return bool(taken)


def bare_mark(mark: str) -> str:
    """Return a mark without variation selectors (U+FE0E, U+FE0F), which say only how it is drawn."""
    return str(storable(mark)).translate(_SELECTORS)


def offer_row(offer: Offer) -> dict[str, Any]:
    """Return an offer as a row of its letter."""
    return {
        "mark": bare_mark(offer.mark),
        "line": offer.line,
        "says": offer.says,
        "chooser": offer.chooser,
        "seconds": offer.lifetime / timedelta(seconds=1),
    }


def _offered(row: Any) -> Offered:
    offer = Offer(row["mark"], row["line"], row["says"], row["lifetime"], row["chooser"])
    to = Address(row["to_kind"], row["to_place"], row["to_thread"])
    return Offered(row["message_id"], to, offer, taken=row["taken"], expired=row["expired"])
