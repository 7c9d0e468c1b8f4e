"""The port Placards, for every implementation."""

from datetime import timedelta

from bot.model import Receipt, ReceiptState
from bot.rooms.placards import PinState
from tests.stages.mailroom import ROOM, Mailroom, letter

HOUR = timedelta(hours=1)


async def settle(mailroom: Mailroom, state: ReceiptState, platform_id: str | None) -> None:
    (delivery,) = await mailroom.outbox.claim(["memory"], "host 1", HOUR)
    receipt = Receipt(
        delivery.outbound.message_id, state, reason="no" if platform_id is None else None
    )
    await mailroom.outbox.settle(delivery, receipt, platform_id)


async def test_a_placard_is_known_before_its_message_is_and_then_with_the_platform_s_id(
    mailroom: Mailroom,
) -> None:
    assert await mailroom.placards.find(ROOM) is None
    await mailroom.placards.begin(ROOM, "p1", None)
    found = await mailroom.placards.find(ROOM)
    assert found is not None
    assert (found.message_id, found.stored, found.event_id, found.pin) == (
        "p1",
        False,
        None,
        PinState.DUE,
    )
    await mailroom.outbox.store([letter("p1")])
    found = await mailroom.placards.find(ROOM)
    assert found is not None
    assert (found.stored, found.event_id, found.dead) == (True, None, False)
    await settle(mailroom, ReceiptState.ACCEPTED, "$p1")
    await mailroom.placards.show(ROOM, "all is well")
    await mailroom.placards.pin(ROOM, PinState.DONE)
    found = await mailroom.placards.find(ROOM)
    assert found is not None
    assert (found.event_id, found.shown, found.pin) == ("$p1", "all is well", PinState.DONE)
    assert found.shown_at is not None


async def test_a_new_one_takes_the_place_of_the_one_that_was_found_and_of_no_other(
    mailroom: Mailroom,
) -> None:
    await mailroom.placards.begin(ROOM, "p1", None)
    await mailroom.outbox.store([letter("p1")])
    await settle(mailroom, ReceiptState.ACCEPTED, "$p1")
    await mailroom.placards.pin(ROOM, PinState.DONE)
    former = await mailroom.placards.find(ROOM)
    await mailroom.placards.begin(ROOM, "p2", former)
    await mailroom.placards.begin(ROOM, "p3", former)
    await mailroom.placards.begin(ROOM, "p4", None)
    found = await mailroom.placards.find(ROOM)
    assert found is not None
    assert (found.message_id, found.former_event) == ("p2", "$p1")
    assert (found.shown, found.shown_at, found.pin) == ("", None, PinState.DUE)


async def test_one_whose_message_was_given_up_says_so(mailroom: Mailroom) -> None:
    await mailroom.placards.begin(ROOM, "p1", None)
    await mailroom.outbox.store([letter("p1")])
    await settle(mailroom, ReceiptState.FAILED, None)
    found = await mailroom.placards.find(ROOM)
    assert found is not None
    assert found.dead
