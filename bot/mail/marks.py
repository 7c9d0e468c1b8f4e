"""The marks on people's events: how far a command is, and where their mail to an agent is (docs/howto/agents.md).

A mark takes the place of the one before where the platform can withdraw it; each state is shown once.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import structlog

from bot.errors import TransientError
from bot.mail.mailbox import Mailbox
from bot.model import (
    Address,
    Message,
    MessageKind,
    Receipt,
    ReceiptState,
    derived_id,
    event_key,
)
from bot.ports import Correspondence
from bot.reply import Text

TAKEN, DONE, FAILED = "👀", "✅", "❌"

MAIL_MARKS: Mapping[ReceiptState, str] = {
    ReceiptState.STORED: TAKEN,
    ReceiptState.WAITING: "⏳",
    ReceiptState.ACCEPTED: "📬",
    ReceiptState.ANSWERED: DONE,
    ReceiptState.FAILED: FAILED,
    ReceiptState.UNKNOWN: "❓",
}
"""What shows a receipt's state; ``typed`` lasts a moment and has none."""

LONG = timedelta(seconds=5)
"""Mail that waits longer shows it; nearly all of it is taken sooner."""


def mark_on(
    to: Address, event_id: str, mark: str, cause: str | None = None, retries: int = 0
) -> Message:
    """Return a mark on somebody's event; the same one again is the same message, until something is retried."""
    again = (str(retries),) if retries else ()
    return Message(
        id=derived_id("mark", event_key(to.kind, event_id), mark, *again),
        to=to,
        kind=MessageKind.REACTION,
        blocks=(Text(mark),),
        reply_to=event_id,
        cause=cause,
    )


def mail_marks(mail: Message, state: ReceiptState, retries: int = 0) -> list[Message]:
    """Return what shows a mail's state on the event that asked for it; nothing when no event did."""
    if mail.origin is None or mail.origin_event is None or state not in MAIL_MARKS:
        return []
    return [mark_on(mail.origin, mail.origin_event, MAIL_MARKS[state], mail.id, retries)]


class Marks:
    """Shows where mail is, on the event that asked for it; ``long`` is how long it waits before that is shown."""

    def __init__(
        self, mailbox: Mailbox, correspondence: Correspondence, long: timedelta = LONG
    ) -> None:
        self._mailbox = mailbox
        self._correspondence = correspondence
        self._long = long
        self._turn = asyncio.Lock()
        self._waiting: dict[str, asyncio.Task[None]] = {}
        self._log = structlog.get_logger(part="marks")

    async def moved(self, mail: Message, receipt: Receipt) -> None:
        """Take note of a mail's newest receipt; repeatable."""
        if mail.origin_event is None:
            return
        if receipt.state is ReceiptState.WAITING:
            if mail.id not in self._waiting:
                self._waiting[mail.id] = asyncio.create_task(self._show_wait(mail))
            return
        await self._end_wait(mail)
        await self.show(mail, receipt.state)

    async def show(self, mail: Message, state: ReceiptState, *said: Message) -> None:
        """Say something of a mail and show its state, both or neither.

        What is answered or failed stays so: a turn's end may be seen before the delivery's own is written down.
        """
        async with self._turn:
            marks = await self._marks(mail, state)
            if marks or said:
                await self._mailbox.post([*said, *marks])

    async def _marks(self, mail: Message, state: ReceiptState) -> list[Message]:
        marks = mail_marks(mail, state)
        if not marks or state is ReceiptState.ANSWERED:
            return marks
        (answered,) = mail_marks(mail, ReceiptState.ANSWERED)
        if await self._correspondence.message(answered.id) is not None:
            return []
        receipts = await self._correspondence.receipts(mail.id)
        retries = sum(receipt.state is ReceiptState.STORED for receipt in receipts) - 1
        (failed,) = mail_marks(mail, ReceiptState.FAILED, retries)
        if await self._correspondence.message(failed.id) is not None:
            return []
        return mail_marks(mail, state, retries)

    async def _show_wait(self, mail: Message) -> None:
        await asyncio.sleep(self._long.total_seconds())
        try:
            await self.show(mail, ReceiptState.WAITING)
        except TransientError as error:
            self._log.info("waiting not shown", message=mail.id, error=error.message)

    async def _end_wait(self, mail: Message) -> None:
        waiting = self._waiting.pop(mail.id, None)
        if waiting is not None:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
