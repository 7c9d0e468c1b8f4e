"""Letters, deliveries and receipts as rows, and back."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bot.enclosure import enclosures_from_json, files_to_json
from bot.model import (
    Address,
    Delivery,
    Letter,
    Message,
    MessageKind,
    OutboundMessage,
    Queueing,
    Receipt,
    ReceiptState,
)
from bot.reply import Button, from_json, to_json
from storage.database import Connection
from storage.mail.offers import offer_row
from storage.queries import Queries


async def store_letters(
    connection: Connection, mailbox: Queries, letters: Sequence[Letter]
) -> None:
    """Store letters with receipt ``stored``, in order; a message whose id is there is left alone.

    ValueError for a letter without parts, which could never end.
    """
    if letters:
        await mailbox.store_letters.execute(
            connection, letters=_letter_rows(letters), event_id=None, outcome=None
        )


async def end_event(
    connection: Connection,
    mailbox: Queries,
    event_id: str,
    outcome: str,
    letters: Sequence[Letter],
) -> bool:
    """End an event and store letters with it, unless it had ended before; false if it is unknown."""
    known = await mailbox.store_letters.fetchval(
        connection, letters=_letter_rows(letters), event_id=event_id, outcome=outcome
    )
    return bool(known)


def _letter_rows(letters: Sequence[Letter]) -> list[dict[str, Any]]:
    # From the end, so that of two with one id the first stays.
    rows = {letter.message.id: _letter_row(letter) for letter in reversed(letters)}
    return list(reversed(rows.values()))


def _letter_row(letter: Letter) -> dict[str, Any]:
    if not letter.parts:
        raise ValueError(f"message {letter.message.id} has no parts")
    message = letter.message
    origin = message.origin
    return {
        "id": message.id,
        "kind": message.kind,
        **_address_row("to", message.to),
        "blocks": to_json(message.blocks),
        "author": message.author,
        "reply_to": message.reply_to,
        **(_address_row("origin", origin) if origin is not None else {}),
        "origin_event": message.origin_event,
        "cause": message.cause,
        "tag": message.tag,
        "queueing": message.queueing,
        "chain": message.chain,
        "hops": message.hops,
        "replaces": message.replaces,
        "files": files_to_json(message.files),
        "parts": [_part_row(part) for part in letter.parts],
        **({"offers": [offer_row(offer) for offer in message.offers]} if message.offers else {}),
    }


def _part_row(part: OutboundMessage) -> dict[str, Any]:
    return {
        "part": part.part,
        "lane": part.to.lane,
        "carrier": part.to.carrier,
        "transaction_id": part.transaction_id,
        "kind": part.kind,
        **_address_row("to", part.to),
        "body": part.text,
        "html": part.html,
        "reply_to": part.reply_to,
        "author": part.author,
        "tag": part.tag,
        "queueing": part.queueing,
        "replaces": part.replaces,
        "files": files_to_json(part.files),
        **({"blocks": to_json(part.blocks)} if part.blocks else {}),
        **({"buttons": [asdict(one) for one in part.buttons]} if part.buttons else {}),
    }


def _address_row(prefix: str, address: Address) -> dict[str, Any]:
    return {
        f"{prefix}_kind": address.kind,
        f"{prefix}_place": address.place,
        f"{prefix}_thread": address.thread,
    }


def read_message(row: Any) -> Message:
    """Return the message of a row of ``message``; what it offers is asked of the port Offers."""
    origin = None
    if row["origin_kind"] is not None:
        origin = Address(row["origin_kind"], row["origin_place"], row["origin_thread"])
    return Message(
        id=row["id"],
        to=Address(row["to_kind"], row["to_place"], row["to_thread"]),
        kind=MessageKind(row["kind"]),
        blocks=from_json(row["blocks"]),
        author=row["author"],
        reply_to=row["reply_to"],
        origin=origin,
        origin_event=row["origin_event"],
        cause=row["cause"],
        tag=row["tag"],
        queueing=Queueing(row["queueing"]),
        chain=row["chain"],
        hops=row["hops"],
        replaces=row["replaces"],
        files=enclosures_from_json(row["files"]),
    )


def read_delivery(row: Any) -> Delivery:
    """Return the delivery of a row of ``delivery`` with its derived ``typed``."""
    outbound = OutboundMessage(
        message_id=row["message_id"],
        part=row["part"],
        transaction_id=row["transaction_id"],
        to=Address(row["to_kind"], row["to_place"], row["to_thread"]),
        kind=MessageKind(row["kind"]),
        text=row["body"],
        html=row["html"],
        reply_to=row["reply_to"],
        author=row["author"],
        tag=row["tag"],
        queueing=Queueing(row["queueing"]),
        replaces=row["replaces"],
        replaced_event=row["replaced_event"],
        former_mark=row["former_mark"],
        files=enclosures_from_json(row["files"]),
        answers=row["answers"],
        blocks=from_json(row["blocks"] or ()),
        buttons=tuple(Button(**one) for one in row["buttons"] or ()),
    )
    return Delivery(row["id"], outbound, row["attempts"], row["first_tried_at"], row["typed"])


def receipt_values(receipt: Receipt) -> dict[str, Any]:
    """Return a receipt as a query's keywords."""
    return {
        "message_id": receipt.message_id,
        "part": receipt.part,
        "state": receipt.state,
        "by_what": receipt.by,
        "evidence": receipt.evidence,
        "reason": receipt.reason,
        "stated_at": receipt.at,
    }


def read_receipt(row: Any) -> Receipt:
    """Return the receipt of a row."""
    return Receipt(
        message_id=row["message_id"],
        state=ReceiptState(row["state"]),
        part=row["part"],
        by=row["by_what"],
        evidence=row["evidence"],
        reason=row["reason"],
        at=row["stated_at"],
    )
