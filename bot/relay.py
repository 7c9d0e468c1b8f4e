"""What becomes of mail to agents, told where it came from: an answer, or why there is none."""

from bot.mailbox import Mailbox
from bot.model import Delivery, Message, MessageKind, Receipt, ReceiptState, derived_id
from bot.ports import Correspondence, Outbox
from bot.reply import Markdown, Text

_DONE, _FAILED = "✅", "❌"


class Relay:
    """Carries an agent's answers, and the failures of mail, back to the origin of the mail, once each."""

    def __init__(self, mailbox: Mailbox, outbox: Outbox, correspondence: Correspondence) -> None:
        self._mailbox = mailbox
        self._outbox = outbox
        self._correspondence = correspondence

    async def answered(self, message_id: str, answer: str) -> None:
        """Send an agent's answer to the mail ``message_id`` back to its origin; repeatable."""
        mail = await self._correspondence.message(message_id)
        if mail is None:
            return
        if mail.origin is not None:
            await self._mailbox.post([*_answer(mail, answer), *_mark(mail, _DONE)])
        receipt = Receipt(
            mail.id, ReceiptState.ANSWERED, by="conversation", evidence={"answer": answer}
        )
        await self._outbox.record(receipt)

    async def settled(self, delivery: Delivery, receipt: Receipt) -> None:
        """Tell the origin of mail that did not arrive, or of which nobody can say whether it did."""
        if delivery.outbound.kind is not MessageKind.MAIL:
            return
        if receipt.state not in {ReceiptState.FAILED, ReceiptState.UNKNOWN}:
            return
        mail = await self._correspondence.message(delivery.outbound.message_id)
        if mail is None or mail.origin is None:
            return
        verdict = (
            "was not delivered" if receipt.state is ReceiptState.FAILED else "may not have arrived"
        )
        text = (
            f"The message to {mail.to.place} {verdict}: {receipt.reason or 'no reason is known'}."
        )
        told = _to_origin(mail, "fate", MessageKind.NOTICE, (Text(text),))
        await self._mailbox.post([*told, *_mark(mail, _FAILED)])


def _answer(mail: Message, answer: str) -> list[Message]:
    said = answer.strip() or "(the agent ended its turn without a word)"
    return _to_origin(mail, "answer", MessageKind.ANSWER, (Markdown(said),))


def _mark(mail: Message, mark: str) -> list[Message]:
    return _to_origin(mail, f"mark {mark}", MessageKind.REACTION, (Text(mark),))


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
