"""What becomes of mail to agents, told where it came from: an answer, why there is none, a late arrival."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.agents.failure import TurnFailure, receipt_of
from bot.clock.pace import LONGEST_SHOW
from bot.mail.mailbox import Mailbox
from bot.mail.marks import Marks
from bot.mail.progress import Progress
from bot.model import Address, Delivery, Message, MessageKind, Receipt, ReceiptState, derived_id
from bot.ports import Correspondence, Outbox, Presence
from bot.reply import Markdown, Text

Home = Callable[[Message], Awaitable[Address | None]]


async def _homeless(_mail: Message) -> Address | None:
    return None


class Relay:
    """Carries an agent's answers, and the failures of mail, back to the origin of the mail, once each.

    Between mail's arrival and its answer the origin is shown that somebody works on it. ``home`` is asked for mail that
    has none, when its turn ends: a card's thread is often made after its work was handed out.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        outbox: Outbox,
        correspondence: Correspondence,
        presence: Presence,
        *,
        marks: Marks,
        progress: Progress,
        home: Home = _homeless,
    ) -> None:
        self._home = home
        self._mailbox = mailbox
        self._outbox = outbox
        self._correspondence = correspondence
        self._presence = presence
        self._marks = marks
        self._progress = progress
        self._shows: dict[str, asyncio.Task[None]] = {}

    async def answered(self, message_id: str, answer: str) -> None:
        """Send an agent's answer to the mail ``message_id`` back to its origin; repeatable."""
        evidence = {"answer": answer}
        receipt = Receipt(message_id, ReceiptState.ANSWERED, by="conversation", evidence=evidence)
        await self._end(receipt, "answered", lambda mail: _answer(mail, answer))

    async def failed(self, message_id: str, failure: TurnFailure) -> None:
        """Tell the origin of the mail ``message_id`` why its turn has no answer; repeatable."""
        receipt = receipt_of(message_id, failure)
        await self._end(receipt, "gave no answer", lambda mail: _failure(mail, failure))

    async def _end(
        self, receipt: Receipt, word: str, said: Callable[[Message], list[Message]]
    ) -> None:
        """Say what a turn came to, in one transaction, and write it down after that."""
        mail = await self._correspondence.message(receipt.message_id)
        if mail is None:
            return
        if mail.origin is None:
            mail = replace(mail, origin=await self._home(mail))
        if (show := self._shows.pop(mail.id, None)) is not None:
            show.cancel()
        if mail.origin is not None:
            end = await self._progress.end(mail, word)
            await self._marks.show(mail, receipt.state, *end, *said(mail))
        await self._outbox.record(receipt)

    async def arrived(self, message_id: str, evidence: dict[str, Any]) -> None:
        """Note that a program has mail of which nobody could say so before, and tell its origin; repeatable.

        What was said before stands: receipts are only added.
        """
        mail = await self._correspondence.message(message_id)
        if mail is None:
            return
        text = f"The message to {mail.to.place} has arrived after all."
        told = _to_origin(mail, "arrival", MessageKind.NOTICE, (Text(text),))
        await self._marks.show(mail, ReceiptState.ACCEPTED, *told)
        receipt = Receipt(mail.id, ReceiptState.ACCEPTED, by="submitted", evidence=evidence)
        await self._outbox.record(receipt)
        self._progress.begin(mail, datetime.now(UTC))

    async def moved(self, delivery: Delivery, receipt: Receipt) -> None:
        """Show the origin of mail where it is, and tell it of mail that did not, or may not have, arrived."""
        if delivery.outbound.kind is not MessageKind.MAIL:
            return
        mail = await self._correspondence.message(delivery.outbound.message_id)
        if mail is None or mail.origin is None:
            return
        await self._marks.moved(mail, receipt)
        if receipt.state in {ReceiptState.FAILED, ReceiptState.UNKNOWN}:
            await self._tell_failure(mail, receipt)
        elif receipt.state is ReceiptState.ACCEPTED:
            self._progress.begin(mail, receipt.at or datetime.now(UTC))
            self._shows[mail.id] = asyncio.create_task(self._show_work(mail.id, mail.origin))

    async def _show_work(self, message_id: str, origin: Address) -> None:
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_SHOW.total_seconds()):
                    async with self._presence.working(origin):
                        await asyncio.Event().wait()
        finally:
            self._shows.pop(message_id, None)

    async def _tell_failure(self, mail: Message, receipt: Receipt) -> None:
        verdict = (
            "was not delivered" if receipt.state is ReceiptState.FAILED else "may not have arrived"
        )
        text = (
            f"The message to {mail.to.place} {verdict}: {receipt.reason or 'no reason is known'}."
        )
        await self._mailbox.post(_to_origin(mail, "fate", MessageKind.NOTICE, (Text(text),)))


def _answer(mail: Message, answer: str) -> list[Message]:
    said = answer.strip() or "(the agent ended its turn without a word)"
    return _to_origin(mail, "answer", MessageKind.ANSWER, (Markdown(said),))


def _failure(mail: Message, failure: TurnFailure) -> list[Message]:
    name = mail.to.place.partition("/")[2]
    return _to_origin(mail, "failure", MessageKind.NOTICE, (Text(failure.sentence(name)),))


def _to_origin(
    mail: Message, what: str, kind: MessageKind, blocks: tuple[Markdown | Text, ...]
) -> list[Message]:
    if mail.origin is None:
        return []
    author = "mosaic" if kind is not MessageKind.ANSWER else f"agent:{mail.to.place}"
    return [
        Message(
            id=derived_id(what, mail.id),
            to=mail.origin,
            kind=kind,
            blocks=blocks,
            author=author,
            reply_to=mail.origin_event,
            cause=mail.id,
        )
    ]
