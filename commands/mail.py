"""About messages: what is known of one's fate, and those that were given up."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from bot.command.declare import EVERYONE, MEMBERS, OPERATORS, Call, Effect, Help, command, topic
from bot.errors import UserError
from bot.mail.post import Post, spoken, spoken_principal
from bot.model import Delivery, Message, Receipt, ReceiptState
from bot.ports import Correspondence
from bot.reply import Fields, Offer, Reply, Table, Text, say, standing_offer

MessageId = Annotated[
    str,
    Field(pattern=r"^[0-9A-Fa-f]{4,32}$"),
    Help("a message's id, or its first characters (at least 4)"),
]
Limit = Annotated[int, Field(ge=1, le=500), Help("how many to list, newest first")]
_OFFERED = 5


@topic("")
class MailCommands:
    """Receipts and dead letters."""

    def __init__(self, correspondence: Correspondence, post: Post) -> None:
        self._correspondence = correspondence
        self._story = Story(correspondence, post)

    @command("receipt", roles=EVERYONE)
    async def receipt(self, call: Call, message_id: MessageId) -> Reply:
        """Show what is known of a message's fate, with the evidence."""
        message = await find_message(self._correspondence, message_id)
        receipts = await self._correspondence.receipts(message.id)
        return await self._story.tell(message, receipts)

    @command("mail dead", roles=MEMBERS)
    async def dead(self, call: Call, *, limit: Limit = 20) -> Reply:
        """List messages that were given up, with the reason."""
        found = [_dead(*item) for item in await self._correspondence.dead(limit)]
        if not found:
            return say("No message was given up.", [])
        columns = ("message_id", "to", "attempts", "reason")
        rows = tuple(tuple(str(row[column]) for column in columns) for row in found)
        table = Table(("message", "to", "attempts", "reason"), rows)
        ids = dict.fromkeys(str(row["message_id"]) for row in found)
        return Reply(found, (table,), tuple(map(_again, [*ids][:_OFFERED])))

    @command("mail retry", roles=OPERATORS, effect=Effect.WRITE)
    async def retry(self, call: Call, message_id: MessageId) -> Reply:
        """Put a message that was given up back in line."""
        message = await find_message(self._correspondence, message_id)
        count = await self._correspondence.retry(message.id)
        if not count:
            raise UserError(f"nothing of the message {message.id} was given up")
        text = f"{count} of its parts wait for delivery again."
        return Reply({"message_id": message.id, "retried": count}, (Text(text),))


def _again(message_id: str) -> Offer:
    return standing_offer(f"mail retry {message_id}", f"send {message_id[:8]} again", "🔁")


class Story:
    """Tells what is known of a message."""

    def __init__(self, correspondence: Correspondence, post: Post) -> None:
        self._correspondence = correspondence
        self._post = post

    async def tell(self, message: Message, receipts: Sequence[Receipt]) -> Reply:
        """Return a message's story; ``receipts`` are its own, oldest first."""
        data = receipt_data(message, receipts, await self._post.attempts(message.id))
        pairs = tuple(
            (key.replace("_", " "), str(data[key]))
            for key in ("message_id", "from", "to", "class", "state", "by", "reason", "answer")
            if data[key] is not None
        )
        rows = tuple(
            (_time(receipt) or "", str(receipt.state), receipt.by or "", receipt.reason or "")
            for receipt in receipts
        )
        return Reply(data, (Fields(pairs), Table(("when", "state", "by", "reason"), rows)))


async def find_message(correspondence: Correspondence, id_prefix: str) -> Message:
    """Return the message whose id begins so; UserError when there is none, or more than one."""
    message = await correspondence.message(id_prefix.lower())
    if message is None:
        raise UserError(
            f"there is no message {id_prefix}", code="not_found", hint="`mail dead` lists some"
        )
    return message


def receipt_data(message: Message, receipts: Sequence[Receipt], attempts: int) -> dict[str, Any]:
    """Return a message's story (spec 3-contracts, ``agent send --json``); receipts are oldest first."""
    last = receipts[-1] if receipts else Receipt(message.id, ReceiptState.STORED)
    return {
        "message_id": message.id,
        "from": spoken_principal(message.author),
        "to": spoken(message.to.place) if message.to.kind == "agent" else str(message.to),
        "class": message.tag,
        "state": last.state,
        "by": last.by,
        "evidence": last.evidence,
        "attempts": attempts,
        "stored_at": _first_at(receipts, ReceiptState.STORED),
        "typed_at": _first_at(receipts, ReceiptState.TYPED),
        "accepted_at": _first_at(receipts, ReceiptState.ACCEPTED),
        "reason": last.reason,
        "answer": next(
            (one.evidence.get("answer") for one in receipts if one.state is ReceiptState.ANSWERED),
            None,
        ),
        "receipts": [
            {
                "state": receipt.state,
                "part": receipt.part,
                "by": receipt.by,
                "evidence": receipt.evidence,
                "reason": receipt.reason,
                "at": _time(receipt),
            }
            for receipt in receipts
        ],
    }


def _first_at(receipts: Sequence[Receipt], state: ReceiptState) -> str | None:
    return next((_time(receipt) for receipt in receipts if receipt.state is state), None)


def _time(receipt: Receipt) -> str | None:
    return None if receipt.at is None else receipt.at.isoformat()


def _dead(delivery: Delivery, reason: str) -> dict[str, Any]:
    outbound = delivery.outbound
    return {
        "message_id": outbound.message_id,
        "part": outbound.part,
        "to": str(outbound.to),
        "attempts": delivery.attempts,
        "first_tried_at": delivery.first_tried_at.isoformat(),
        "reason": reason,
    }
