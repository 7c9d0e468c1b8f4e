"""What people choose by a mark on a message of ours: the same line, rights and record as if they had typed it."""

from dataclasses import replace

from bot.asked import Offered
from bot.command.declare import Call
from bot.command.interpreter import Interpreter
from bot.errors import UserError
from bot.mail.mailbox import Mailbox
from bot.model import Address, Inbound, InboundKind
from bot.ports import Offers


class Choices:
    """Finds the offer that a mark means, and takes it for whoever may."""

    def __init__(self, offers: Offers, interpreter: Interpreter, mailbox: Mailbox) -> None:
        self._offers = offers
        self._interpreter = interpreter
        self._mailbox = mailbox

    async def find(self, event: Inbound) -> Offered | None:
        """Return what an event chooses, None for anything but a mark that its message offers."""
        if event.kind is not InboundKind.REACTION or event.stands_on is None:
            return None
        return await self._offers.find(event)

    def place(self, offered: Offered, event: Inbound) -> Address:
        """Return where the choice is answered: in the thread of the message that offered it."""
        said = replace(event, source=offered.to, event_id=event.stands_on or event.event_id)
        return self._mailbox.thread_of(said)

    async def take(self, offered: Offered, event: Inbound, call: Call) -> None:
        """Choose an offer; UserError for who was not asked, or when it is too late. It is chosen once."""
        await self._interpreter.require_chooser(offered.offer.chooser, call, offered.offer.line)
        if offered.expired:
            raise UserError(f"the offer to {offered.offer.says} has expired", code="offer_expired")
        if offered.taken or not await self._offers.take(offered, event):
            raise UserError("one of these was chosen before", code="offer_taken")
