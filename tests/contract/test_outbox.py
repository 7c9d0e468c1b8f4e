"""The port Outbox, for every implementation."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import UserError
from bot.model import (
    Address,
    Delivery,
    Inbound,
    InboundBatch,
    MessageKind,
    Principal,
    Receipt,
    ReceiptState,
    agent_address,
)
from bot.reply import Board, Button, Column, Fields, Text
from tests.stages.mailroom import ROOM, Mailroom, letter

HOUR = timedelta(hours=1)
AT_ONCE = timedelta(0)
OTHER = Address("memory", "other")
ACCEPTED, FAILED = ReceiptState.ACCEPTED, ReceiptState.FAILED


async def claim(
    mailroom: Mailroom, owner: str = "host 1", lease: timedelta = HOUR
) -> Sequence[Delivery]:
    return await mailroom.outbox.claim(["memory"], owner, lease)


def names(deliveries: Sequence[Delivery]) -> list[tuple[str, int]]:
    return [(one.outbound.message_id, one.outbound.part) for one in deliveries]


def end(delivery: Delivery, state: ReceiptState = ACCEPTED, reason: str | None = None) -> Receipt:
    outbound = delivery.outbound
    return Receipt(outbound.message_id, state, outbound.part, by="platform", reason=reason)


async def settle(mailroom: Mailroom, delivery: Delivery, state: ReceiptState = ACCEPTED) -> None:
    await mailroom.outbox.settle(delivery, end(delivery, state), "$event")


async def test_a_claimed_delivery_is_what_was_stored(mailroom: Mailroom) -> None:
    given = letter("m", Address("memory", "room", "$thread"))
    await mailroom.outbox.store([given])
    (delivery,) = await claim(mailroom)
    assert delivery.outbound == given.parts[0]
    assert (delivery.attempts, delivery.typed) == (1, False)
    assert abs(datetime.now(UTC) - delivery.first_tried_at) < timedelta(minutes=1)


async def test_a_lane_moves_in_order(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("z", parts=2), letter("a")])
    moved = []
    while claimed := await claim(mailroom):
        moved += names(claimed)
        await settle(mailroom, claimed[0])
    assert moved == [("z", 0), ("z", 1), ("a", 0)]


async def test_lanes_do_not_wait_for_each_other(mailroom: Mailroom) -> None:
    threads = [letter(f"t{n}", Address("memory", "room", f"$t{n}")) for n in range(2)]
    await mailroom.outbox.store([*threads, letter("o1", OTHER), letter("o2", OTHER)])
    assert names(await claim(mailroom)) == [("t0", 0), ("o1", 0)]
    assert names(await claim(mailroom)) == []


async def test_only_the_asked_carriers_are_served(mailroom: Mailroom) -> None:
    here, there = agent_address("here", "coder0"), agent_address("there", "coder0")
    await mailroom.outbox.store([letter("h", here), letter("t", there), letter("m")])
    claimed = await mailroom.outbox.claim(["agent:here", "memory"], "host 1", HOUR)
    assert names(claimed) == [("h", 0), ("m", 0)]
    assert list(await mailroom.outbox.claim([], "host 1", HOUR)) == []


async def test_a_postponed_head_holds_its_lane(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m1"), letter("m2")])
    (first,) = await claim(mailroom)
    await mailroom.outbox.postpone(first, HOUR, "platform away")
    assert names(await claim(mailroom)) == []


async def test_a_postponed_delivery_comes_back_with_its_history(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m1")])
    (first,) = await claim(mailroom)
    await mailroom.outbox.postpone(first, AT_ONCE, "platform away")
    (second,) = await claim(mailroom)
    assert (second.id, second.attempts) == (first.id, 2)
    assert second.first_tried_at == first.first_tried_at
    assert second.outbound == first.outbound


async def test_a_lease_runs_out(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m")])
    await claim(mailroom, lease=AT_ONCE)
    (again,) = await claim(mailroom, "other 1")
    assert again.attempts == 2
    assert names(await claim(mailroom, "third 1")) == []


async def test_a_new_life_voids_the_leases_of_the_old_one(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m")])
    await claim(mailroom, "host 1")
    assert names(await claim(mailroom, "hos 2")) == []
    assert names(await claim(mailroom, "host 2")) == [("m", 0)]


async def test_many_claimers_never_share_a_delivery(mailroom: Mailroom) -> None:
    lanes = [letter(f"m{n}", Address("memory", f"room {n}")) for n in range(12)]
    await mailroom.outbox.store(lanes)
    claims = await asyncio.gather(*(claim(mailroom, f"host{n} 1") for n in range(6)))
    claimed = [name for one in claims for name in names(one)]
    claimed += names(await claim(mailroom, "last 1"))  # what two of them passed over at once
    assert sorted(claimed) == sorted((f"m{n}", 0) for n in range(12))


async def test_a_settled_delivery_is_done(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m")])
    (delivery,) = await claim(mailroom)
    await settle(mailroom, delivery)
    assert names(await claim(mailroom)) == []
    stored, accepted = await mailroom.correspondence.receipts("m")
    assert (stored.state, accepted.state, accepted.by) == (
        ReceiptState.STORED,
        ACCEPTED,
        "platform",
    )


async def test_settling_again_adds_nothing(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m")])
    (delivery,) = await claim(mailroom)
    for _ in range(2):
        await settle(mailroom, delivery)
    assert len(await mailroom.correspondence.receipts("m")) == 2


async def test_a_dead_letter_lets_its_lane_go_on(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m1"), letter("m2")])
    (first,) = await claim(mailroom)
    await mailroom.outbox.settle(first, end(first, FAILED, "no such room"), None)
    assert names(await claim(mailroom)) == [("m2", 0)]
    (buried,) = await mailroom.correspondence.dead(10)
    assert (names([buried[0]]), buried[1]) == ([("m1", 0)], "no such room")


async def test_a_late_failure_of_a_lost_lease_is_not_heard(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m")])
    (old,) = await claim(mailroom, lease=AT_ONCE)
    (new,) = await claim(mailroom, "other 1")
    await settle(mailroom, old, FAILED)
    await mailroom.outbox.postpone(old, AT_ONCE, "away")
    assert names(await claim(mailroom, "third 1")) == []
    await settle(mailroom, new)
    states = [receipt.state for receipt in await mailroom.correspondence.receipts("m")]
    assert states == [ReceiptState.STORED, ACCEPTED]


async def test_a_late_success_of_a_lost_lease_is_the_truth(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m")])
    (old,) = await claim(mailroom, lease=AT_ONCE)
    (new,) = await claim(mailroom, "other 1")
    await settle(mailroom, old)
    await settle(mailroom, new, FAILED)
    assert list(await mailroom.correspondence.dead(10)) == []


async def test_a_typed_part_says_so_ever_after(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m", parts=2)])
    (delivery,) = await claim(mailroom)
    await mailroom.outbox.record(Receipt("m", ReceiptState.TYPED, part=0))
    await mailroom.outbox.postpone(delivery, AT_ONCE, "unclear")
    (again,) = await claim(mailroom)
    assert again.typed
    await settle(mailroom, again)
    (other,) = await claim(mailroom)
    assert (names([other]), other.typed) == ([("m", 1)], False)


async def test_a_stored_message_is_left_alone(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m"), letter("m", OTHER, parts=3)])
    await mailroom.outbox.store([letter("m", OTHER, parts=2), letter("n")])
    assert names(await claim(mailroom)) == [("m", 0)]
    assert len(await mailroom.correspondence.receipts("m")) == 1
    assert await mailroom.correspondence.message("n") is not None


async def test_a_letter_without_parts_is_refused_with_all_beside_it(mailroom: Mailroom) -> None:
    with pytest.raises(ValueError, match="no parts"):
        await mailroom.outbox.store([letter("m1"), letter("m2", parts=0)])
    assert await mailroom.correspondence.message("m1") is None


async def test_a_receipt_without_a_message_is_refused(mailroom: Mailroom) -> None:
    with pytest.raises(UserError, match="no message nowhere"):
        await mailroom.outbox.record(Receipt("nowhere", ReceiptState.TYPED))


async def test_no_letters_are_no_work(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([])
    assert names(await claim(mailroom)) == []


async def test_an_edit_names_the_event_whose_place_it_takes(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m", kind=MessageKind.PROGRESS)])
    await mailroom.outbox.store([letter("e1", replaces="m")])
    (first,) = await claim(mailroom)
    assert (first.outbound.replaces, first.outbound.replaced_event) == (None, None)
    await mailroom.outbox.settle(first, end(first), "$shown")
    (edit,) = await claim(mailroom)
    assert (edit.outbound.replaces, edit.outbound.replaced_event) == ("m", "$shown")


async def test_an_edit_of_what_was_never_shown_has_no_event(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m")])
    (first,) = await claim(mailroom)
    await mailroom.outbox.settle(first, end(first, FAILED, "no such room"), None)
    await mailroom.outbox.store([letter("e1", replaces="m")])
    (edit,) = await claim(mailroom)
    assert edit.outbound.replaced_event is None


async def test_of_edits_that_wait_only_the_newest_is_said(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m"), letter("other")])
    for number in range(3):
        await mailroom.outbox.store([letter(f"e{number}", replaces="m")])
        await mailroom.outbox.store([letter(f"e{number}", replaces="m")])
    await mailroom.outbox.store([letter("o1", replaces="other"), letter("after")])
    moved = []
    while claimed := await claim(mailroom):
        moved += names(claimed)
        await settle(mailroom, claimed[0])
    assert moved == [("m", 0), ("other", 0), ("e2", 0), ("o1", 0), ("after", 0)]
    receipts = await mailroom.correspondence.receipts("e0")
    assert [one.state for one in receipts] == [ReceiptState.STORED, FAILED]
    assert receipts[-1].reason == "a newer edit took its place"
    assert list(await mailroom.correspondence.dead(10)) == [], "nobody need look after it"


async def test_an_edit_on_its_way_is_let_through(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m")])
    (first,) = await claim(mailroom)
    await settle(mailroom, first)
    await mailroom.outbox.store([letter("e1", replaces="m")])
    (held,) = await claim(mailroom)
    await mailroom.outbox.store([letter("e2", replaces="m")])
    assert names([held]) == [("e1", 0)]
    await settle(mailroom, held)
    assert names(await claim(mailroom)) == [("e2", 0)]
    states = [one.state for one in await mailroom.correspondence.receipts("e1")]
    assert states == [ReceiptState.STORED, ACCEPTED]


async def test_an_edit_that_was_put_off_makes_room_for_a_newer_one(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m")])
    (first,) = await claim(mailroom)
    await settle(mailroom, first)
    await mailroom.outbox.store([letter("e1", replaces="m")])
    (held,) = await claim(mailroom)
    await mailroom.outbox.postpone(held, HOUR, "platform away")
    await mailroom.outbox.store([letter("e2", replaces="m")])
    assert names(await claim(mailroom)) == [("e2", 0)]


async def test_a_message_knows_whom_it_answers(mailroom: Mailroom) -> None:
    ann = Principal("memory:ann", "Ann")
    asked = Inbound("$asked", ROOM, ann, "!help", datetime.now(UTC))
    await mailroom.journal.accept(InboundBatch("memory", (asked,)))
    await mailroom.outbox.store([letter("m1", reply_to="$asked"), letter("m2", reply_to="$other")])
    for expected in (ann.id, None):
        (delivery,) = await mailroom.outbox.claim(["memory"], "host 1", HOUR)
        assert delivery.outbound.answers == expected
        await mailroom.outbox.settle(delivery, end(delivery), "$said")


async def test_a_part_keeps_the_blocks_that_its_platform_shows_itself(mailroom: Mailroom) -> None:
    blocks = (Text("A1"), Fields((("status", "ready"),)), Board((Column("ready", 0, ()),)))
    sealed = letter("m1")
    await mailroom.outbox.store([replace(sealed, parts=(replace(sealed.parts[0], blocks=blocks),))])
    await mailroom.outbox.store([letter("m2")])
    (delivery,) = await mailroom.outbox.claim(["memory"], "host 1", HOUR)
    assert delivery.outbound.blocks == blocks
    await mailroom.outbox.settle(delivery, Receipt("m1", ReceiptState.FAILED, reason="no"), None)
    ((dead, _),) = await mailroom.correspondence.dead(1)
    assert dead.outbound.blocks == blocks
    (delivery,) = await mailroom.outbox.claim(["memory"], "host 1", HOUR)
    assert delivery.outbound.blocks == ()


async def test_a_part_keeps_its_buttons(mailroom: Mailroom) -> None:
    buttons = (
        Button("✅", "go on"),
        Button("🚧", "hold it back", "backlog block --id A1", is_form=True),
    )
    sealed = letter("m1")
    await mailroom.outbox.store(
        [replace(sealed, parts=(replace(sealed.parts[0], buttons=buttons),)), letter("m2")]
    )
    (delivery,) = await mailroom.outbox.claim(["memory"], "host 1", HOUR)
    assert delivery.outbound.buttons == buttons
    await mailroom.outbox.settle(delivery, end(delivery), "$said")
    (delivery,) = await mailroom.outbox.claim(["memory"], "host 1", HOUR)
    assert delivery.outbound.buttons == ()


async def test_what_stands_on_a_platform_is_known_once_its_delivery_has_ended(
    mailroom: Mailroom,
) -> None:
    await mailroom.outbox.store([letter("m1")])
    assert await mailroom.outbox.shown("memory", ["$1", "$2"]) == frozenset()
    (delivery,) = await claim(mailroom)
    await mailroom.outbox.settle(delivery, end(delivery), "$1")
    assert await mailroom.outbox.shown("memory", ["$1", "$2"]) == {"$1"}
    assert await mailroom.outbox.shown("matrix", ["$1"]) == frozenset()
