"""About messages: what is known of one's fate, and those that were given up."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from bot.command.declare import EVERYONE, MEMBERS, OPERATORS, Call, Effect, Help, command, topic
from bot.errors import UserError
from bot.model import Delivery, Message, Receipt, ReceiptState
from bot.ports import Correspondence
from bot.reply import Fields, Reply, Table, Text, say

MessageId = Annotated[
    str,
    Field(pattern=r"^[0-9A-Fa-f]{4,32}$"),
    Help("a message's id, or its first characters (at least 4)"),
]
Limit = Annotated[int, Field(ge=1, le=500), Help("how many to list, newest first")]


@topic("")
class MailCommands:
    """Receipts and dead letters."""

    def __init__(self, correspondence: Correspondence) -> None:
        self._correspondence = correspondence

    @command("receipt", roles=EVERYONE)
    async def receipt(self, call: Call, message_id: MessageId) -> Reply:
        """Show what is known of a message's fate, with the evidence."""
        message = await self._find(message_id)
        receipts = await self._correspondence.receipts(message.id)
        data = receipt_data(message, receipts)
        pairs = tuple(
            (key.replace("_", " "), str(data[key]))
            for key in ("message_id", "from", "to", "class", "state", "by", "reason")
            if data[key] is not None
        )
        rows = tuple(
            (_time(receipt) or "", str(receipt.state), receipt.by or "", receipt.reason or "")
            for receipt in receipts
        )
        return Reply(data, (Fields(pairs), Table(("when", "state", "by", "reason"), rows)))

    @command("mail dead", roles=MEMBERS)
    async def dead(self, call: Call, *, limit: Limit = 20) -> Reply:
        """List messages that were given up, with the reason."""
        found = [_dead(*item) for item in await self._correspondence.dead(limit)]
        if not found:
            return say("No message was given up.", [])
        columns = ("message_id", "to", "attempts", "reason")
        rows = tuple(tuple(str(row[column]) for column in columns) for row in found)
        return Reply(found, (Table(("message", "to", "attempts", "reason"), rows),))

    @command("mail retry", roles=OPERATORS, effect=Effect.WRITE)
    async def retry(self, call: Call, message_id: MessageId) -> Reply:
        """Put a message that was given up back in line."""
        message = await self._find(message_id)
        count = await self._correspondence.retry(message.id)
        if not count:
            raise UserError(f"nothing of the message {message.id} was given up")
        text = f"{count} of its parts wait for delivery again."
        return Reply({"message_id": message.id, "retried": count}, (Text(text),))

    async def _find(self, id_prefix: str) -> Message:
        message = await self._correspondence.message(id_prefix.lower())
        if message is None:
            raise UserError(
                f"there is no message {id_prefix}", code="not_found", hint="`mail dead` lists some"
            )
        return message


def receipt_data(message: Message, receipts: Sequence[Receipt]) -> dict[str, Any]:
    """Return a message's story (spec 3-contracts, ``agent send --json``); receipts are oldest first."""
    last = receipts[-1] if receipts else Receipt(message.id, ReceiptState.STORED)
    return {
        "message_id": message.id,
        "from": message.author,
        "to": str(message.to),
        "class": message.tag,
        "state": last.state,
        "by": last.by,
        "evidence": last.evidence,
        "stored_at": _first_at(receipts, ReceiptState.STORED),
        "typed_at": _first_at(receipts, ReceiptState.TYPED),
        "accepted_at": _first_at(receipts, ReceiptState.ACCEPTED),
        "reason": last.reason,
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
