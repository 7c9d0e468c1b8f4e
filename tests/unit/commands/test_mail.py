"""Receipts and dead letters, over the mailroom in memory."""

from datetime import timedelta

import pytest

from bot.command.declare import Call
from bot.errors import UserError
from bot.model import Address, Caller, Principal, Receipt, ReceiptState, Via
from commands.mail import MailCommands
from tests.stages.mailroom import Mailroom, letter, memory_mailroom

CALL = Call(Caller(Principal("local:1", "ann"), Via.CLI), Address("cli", "local:1"), "call")


@pytest.fixture
async def room() -> Mailroom:
    return memory_mailroom()


async def give_up(room: Mailroom) -> str:
    """Store a letter and let its delivery be given up; return its message's id."""
    written = letter("ab12")
    await room.outbox.store([written])
    carrier = written.message.to.carrier
    (delivery,) = await room.outbox.claim([carrier], "host life", timedelta(minutes=1))
    id_ = delivery.outbound.message_id
    failed = Receipt(id_, ReceiptState.FAILED, reason="the room is gone")
    await room.outbox.settle(delivery, failed, None)
    return id_


async def test_a_receipt_tells_the_whole_story(room: Mailroom) -> None:
    id_ = await give_up(room)
    reply = await MailCommands(room.correspondence, room.post).receipt(CALL, id_[:4])
    assert (reply.data["message_id"], reply.data["state"]) == (id_, "failed")
    assert reply.data["reason"] == "the room is gone"
    assert reply.data["stored_at"] is not None
    assert [entry["state"] for entry in reply.data["receipts"]][-1] == "failed"


async def test_an_unknown_message_is_not_found(room: Mailroom) -> None:
    with pytest.raises(UserError, match="no message ffff") as missing:
        await MailCommands(room.correspondence, room.post).receipt(CALL, "ffff")
    assert missing.value.code == "not_found"


async def test_dead_letters_are_listed_with_their_reason_and_go_back_once(room: Mailroom) -> None:
    mail = MailCommands(room.correspondence, room.post)
    assert (await mail.dead(CALL)).data == []
    id_ = await give_up(room)
    (listed,) = (await mail.dead(CALL)).data
    assert (listed["message_id"], listed["reason"]) == (id_, "the room is gone")
    assert (await mail.retry(CALL, id_)).data == {"message_id": id_, "retried": 1}
    assert (await mail.dead(CALL)).data == []
    with pytest.raises(UserError, match="nothing of the message"):
        await mail.retry(CALL, id_)
