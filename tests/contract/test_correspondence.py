"""The port Correspondence, for every implementation."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import UserError
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
    agent_address,
)
from bot.reply import Code, Fields, Markdown, Table, Text
from tests.stages.mailroom import Mailroom, letter

HOUR = timedelta(hours=1)
CODER = agent_address("here", "coder0")
BLOCKS = (
    Text("plain"),
    Markdown("*x* \u202e"),
    Code("\tprint()\n", "python"),
    Table(("a", "b"), (("1", "\\u0000"), ("", "é"))),
    Fields((("name", "value"),)),
)


def mail(name: str) -> Letter:
    return letter(name, CODER, kind=MessageKind.MAIL)


async def bury(mailroom: Mailroom, reason: str) -> Delivery:
    (delivery,) = await mailroom.outbox.claim(["memory"], "host 1", HOUR)
    outbound = delivery.outbound
    receipt = Receipt(outbound.message_id, ReceiptState.FAILED, outbound.part, reason=reason)
    await mailroom.outbox.settle(delivery, receipt, None)
    return delivery


async def state(mailroom: Mailroom, name: str, *states: ReceiptState) -> None:
    for one in states:
        await mailroom.outbox.record(Receipt(name, one))


async def open_mail(mailroom: Mailroom) -> list[tuple[str, ReceiptState]]:
    found = await mailroom.correspondence.unanswered(CODER.carrier)
    return [(message.id, standing) for message, standing in found]


async def test_a_message_comes_back_unchanged(mailroom: Mailroom) -> None:
    message = Message(
        id="0123abcd",
        to=CODER,
        kind=MessageKind.MAIL,
        blocks=BLOCKS,
        author="matrix:@ann:example.org",
        reply_to="$r",
        origin=Address("matrix", "!room:example.org", "$thread"),
        origin_event="$e",
        cause="c0",
        tag="card",
        queueing=Queueing.NOW,
        chain="c1",
        hops=3,
    )
    part = OutboundMessage("0123abcd", 0, "t", CODER, MessageKind.MAIL, "x", tag="card")
    await mailroom.outbox.store([Letter(message, (part,))])
    assert await mailroom.correspondence.message("0123abcd") == message
    (delivery,) = await mailroom.outbox.claim(["agent:here"], "host 1", HOUR)
    assert delivery.outbound == part


async def test_a_message_is_found_by_the_beginning_of_its_id(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("abc1"), letter("abd2"), letter("ab%")])
    found = await mailroom.correspondence.message("abc")
    assert found is not None
    assert found.id == "abc1"
    assert await mailroom.correspondence.message("b") is None
    assert await mailroom.correspondence.message("ABC") is None
    assert await mailroom.correspondence.message("%") is None


async def test_a_beginning_that_several_share_is_refused(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("abc1"), letter("abc2"), letter("abc")])
    with pytest.raises(UserError, match="several messages begin with 'ab'"):
        await mailroom.correspondence.message("ab")
    whole = await mailroom.correspondence.message("abc")
    assert whole is not None
    assert whole.id == "abc"


async def test_receipts_come_in_the_order_of_the_facts(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m", parts=2)])
    at = datetime(2026, 1, 1, tzinfo=UTC)
    first = Receipt("m", ReceiptState.TYPED, 1, "screen", {"row": [1, None]}, "because", at)
    await mailroom.outbox.record(first)
    await mailroom.outbox.record(Receipt("m", ReceiptState.UNKNOWN, evidence={"nul": "\x00"}))
    stored, typed, unknown = await mailroom.correspondence.receipts("m")
    assert (stored.state, stored.part, stored.evidence) == (ReceiptState.STORED, 0, {})
    assert typed == first
    assert unknown.at is not None
    assert abs(datetime.now(UTC) - unknown.at) < timedelta(minutes=1)
    assert list(await mailroom.correspondence.receipts("nowhere")) == []


async def test_dead_letters_are_listed_newest_first(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m1"), letter("m2"), letter("m3")])
    for number in range(3):
        await bury(mailroom, f"reason {number}")
    reasons = [reason for _, reason in await mailroom.correspondence.dead(2)]
    assert reasons == ["reason 2", "reason 1"]


async def test_a_dead_letter_can_be_put_back_in_line(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m1"), letter("m2")])
    buried = await bury(mailroom, "no such room")
    assert await mailroom.correspondence.retry("m1") == 1
    assert await mailroom.correspondence.retry("m1") == 0
    (again,) = await mailroom.outbox.claim(["memory"], "host 1", HOUR)
    assert again == buried
    states = [one.state for one in await mailroom.correspondence.receipts("m1")]
    assert states == [ReceiptState.STORED, ReceiptState.FAILED, ReceiptState.STORED]
    assert list(await mailroom.correspondence.dead(10)) == []


async def test_retrying_what_is_not_dead_does_nothing(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m1")])
    assert await mailroom.correspondence.retry("m1") == 0
    assert await mailroom.correspondence.retry("nowhere") == 0


async def test_mail_is_open_from_typed_to_answered(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([mail("m1"), mail("m2"), mail("m3"), mail("m4")])
    await state(mailroom, "m1", ReceiptState.TYPED)
    await state(mailroom, "m2", ReceiptState.TYPED, ReceiptState.ACCEPTED)
    await state(mailroom, "m3", ReceiptState.ACCEPTED, ReceiptState.ANSWERED)
    await state(mailroom, "m4", ReceiptState.WAITING)
    assert await open_mail(mailroom) == [
        ("m1", ReceiptState.TYPED),
        ("m2", ReceiptState.ACCEPTED),
    ]
    assert list(await mailroom.correspondence.unanswered("agent:there")) == []


async def test_mail_of_unknown_fate_stays_open(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([mail("m1")])
    await state(mailroom, "m1", ReceiptState.TYPED, ReceiptState.UNKNOWN)
    assert await open_mail(mailroom) == [("m1", ReceiptState.UNKNOWN)]


async def test_mail_without_proof_waits_and_may_be_accepted_late(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([mail("m1")])
    (delivery,) = await mailroom.outbox.claim([CODER.carrier], "host 1", HOUR)
    await state(mailroom, "m1", ReceiptState.TYPED, ReceiptState.WAITING)
    assert await open_mail(mailroom) == [("m1", ReceiptState.WAITING)]
    await mailroom.outbox.settle(delivery, Receipt("m1", ReceiptState.UNKNOWN), None)
    await state(mailroom, "m1", ReceiptState.ACCEPTED)
    assert await open_mail(mailroom) == [("m1", ReceiptState.ACCEPTED)]
    assert list(await mailroom.outbox.claim([CODER.carrier], "host 1", HOUR)) == []
    assert list(await mailroom.correspondence.dead(10)) == []
    states = [one.state for one in await mailroom.correspondence.receipts("m1")]
    assert states == [
        ReceiptState.STORED,
        ReceiptState.TYPED,
        ReceiptState.WAITING,
        ReceiptState.UNKNOWN,
        ReceiptState.ACCEPTED,
    ]


async def test_a_failure_closes_mail_until_it_is_typed_again(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([mail("m1")])
    await state(mailroom, "m1", ReceiptState.ACCEPTED, ReceiptState.FAILED)
    assert await open_mail(mailroom) == []
    await state(mailroom, "m1", ReceiptState.UNKNOWN)
    assert await open_mail(mailroom) == []
    await state(mailroom, "m1", ReceiptState.TYPED)
    assert await open_mail(mailroom) == [("m1", ReceiptState.TYPED)]


async def test_an_answer_seen_before_the_end_of_the_delivery_is_an_answer(
    mailroom: Mailroom,
) -> None:
    await mailroom.outbox.store([mail("m1")])
    await state(mailroom, "m1", ReceiptState.TYPED, ReceiptState.ANSWERED, ReceiptState.ACCEPTED)
    assert await open_mail(mailroom) == []


async def test_only_mail_waits_for_an_answer(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m1", CODER, kind=MessageKind.NOTICE)])
    await state(mailroom, "m1", ReceiptState.TYPED, ReceiptState.ACCEPTED)
    assert await open_mail(mailroom) == []
