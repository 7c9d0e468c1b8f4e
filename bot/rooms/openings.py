"""Opens the thread of a card in its project's room, when an agent of the project takes it and it has none yet."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bot.backlog.cards import Card, CardFilter, CardStatus
from bot.backlog.ports import CardShelf, Threads
from bot.mail.mailbox import Mailbox
from bot.model import Address, Message, MessageKind, derived_id
from bot.reply import Text

_LOOK = timedelta(seconds=2)


class Openings:
    """The part ``openings``. ``room_of`` says in which room cards of a claim's owner are talked about, None for none.

    The message that opens a thread has an id made from the card and the room, so it is said once, whatever dies in
    between; the thread is the card's as soon as the platform has shown it.
    """

    name = "openings"

    def __init__(
        self,
        shelf: CardShelf,
        threads: Threads,
        mailbox: Mailbox,
        room_of: Callable[[str], Address | None],
        *,
        look: timedelta = _LOOK,
    ) -> None:
        self._shelf = shelf
        self._threads = threads
        self._mailbox = mailbox
        self._room_of = room_of
        self._look = look
        self._settled: set[tuple[str, str]] = set()

    async def run(self, ready: Callable[[str], None]) -> None:
        """Look until cancelled; TransientError when the database is away."""
        ready("opening the threads of cards")
        while True:
            await self._look_round()
            await asyncio.sleep(self._look.total_seconds())

    async def _look_round(self) -> None:
        claimed = await self._shelf.list(CardFilter(status=CardStatus.CLAIMED))
        wanted = {
            (card.id, room.kind): (card, room)
            for card in claimed
            if (room := self._room_of(card.claim_owner or "")) is not None
        }
        self._settled &= wanted.keys()
        for key in wanted.keys() - self._settled:
            if await self._open(*wanted[key]):
                self._settled.add(key)

    async def _open(self, card: Card, room: Address) -> bool:
        """Return whether the card has a thread there now, or can have none."""
        if any(thread.kind == room.kind for thread in await self._threads.find(card.id)):
            return True
        message = _opening(card, room)
        event_id = await self._threads.opened(message.id)
        if event_id is None:
            await self._mailbox.post([message])
            return False
        await self._threads.bind(card.id, replace(room, thread=event_id))
        return True


def _opening(card: Card, room: Address) -> Message:
    who = (card.claim_owner or "").rpartition("/")[2]
    return Message(
        id=derived_id("card opening", card.id, room.lane),
        to=room,
        kind=MessageKind.NOTICE,
        blocks=(
            Text(f"{card.id}: {card.title}\nTaken by {who}. What becomes of it is told below."),
        ),
    )
