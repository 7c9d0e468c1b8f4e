"""The port Offers, for every implementation."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.model import Address, Inbound, InboundKind, MessageKind, Principal, Receipt, ReceiptState
from bot.reply import Offer
from tests.stages.mailroom import ROOM, Mailroom, letter

ANN = Principal("memory:ann", "Ann")
HOUR = timedelta(hours=1)
YES = Offer("👍", "agent answer coder0 y", "press y", HOUR)
ONE = Offer("1\ufe0f\u20e3", "agent answer coder0 1", "press 1", HOUR, chooser=ANN.id)


def mark(text: str, stands_on: str = "$m.0", event_id: str = "$r", place: str = "room") -> Inbound:
    return Inbound(
        event_id,
        Address("memory", place),
        ANN,
        text,
        datetime.now(UTC),
        InboundKind.REACTION,
        stands_on=stands_on,
    )


async def show(mailroom: Mailroom) -> None:
    """Let everything be shown that waits; a part's id there is made of its transaction id."""
    while claimed := await mailroom.outbox.claim(["memory"], "host 1", HOUR):
        for delivery in claimed:
            outbound = delivery.outbound
            shown = Receipt(outbound.message_id, ReceiptState.ACCEPTED, outbound.part)
            await mailroom.outbox.settle(delivery, shown, f"${outbound.transaction_id}")


@pytest.fixture
async def offering(mailroom: Mailroom) -> Mailroom:
    to = Address("memory", "room", "$thread")
    await mailroom.outbox.store([letter("m", to, parts=2, offers=(YES, ONE)), letter("plain")])
    await show(mailroom)
    return mailroom


async def test_an_offer_is_found_on_any_part_of_its_message(offering: Mailroom) -> None:
    for part in ("$m.0", "$m.1"):
        found = await offering.offers.find(mark("👍", part))
        assert found is not None
        assert (found.message_id, found.offer, found.to.thread) == ("m", YES, "$thread")
        assert (found.taken, found.expired) == (False, False)


@pytest.mark.parametrize("drawn", ["1\ufe0f\u20e3", "1\u20e3", "1\ufe0e\u20e3"])
async def test_how_a_client_draws_a_mark_does_not_matter(offering: Mailroom, drawn: str) -> None:
    found = await offering.offers.find(mark(drawn))
    assert found is not None
    assert (found.offer.line, found.offer.chooser) == (ONE.line, ANN.id)
    assert found.offer.lifetime == HOUR


@pytest.mark.parametrize(
    "reaction",
    [
        mark("👎"),
        mark(YES.line),
        mark("!agent answer coder0 y"),
        mark("👍", "$plain.0"),
        mark("👍", "$nowhere"),
        mark("👍", "$m.2"),  # our own mark below the words
        mark("👍", place="elsewhere"),
        mark("\x00"),
    ],
)
async def test_any_other_mark_anywhere_else_is_none(offering: Mailroom, reaction: Inbound) -> None:
    assert await offering.offers.find(reaction) is None


async def test_of_a_messages_offers_one_is_taken_once(offering: Mailroom) -> None:
    one, other = mark("👍", event_id="$r1"), mark(ONE.mark, event_id="$r2")
    found = [await offering.offers.find(reaction) for reaction in (one, other)]
    taken = await asyncio.gather(
        *(
            offering.offers.take(offered, reaction)
            for offered, reaction in zip(found, (one, other), strict=True)
            if offered is not None
        )
    )
    assert sorted(taken) == [False, True]
    later = await offering.offers.find(mark("👍", event_id="$r3"))
    assert later is not None
    assert later.taken
    assert not await offering.offers.take(later, mark("👍", event_id="$r3"))


async def test_the_same_reaction_may_take_it_again(offering: Mailroom) -> None:
    reaction = mark("👍")
    found = await offering.offers.find(reaction)
    assert found is not None
    assert await offering.offers.take(found, reaction)
    assert await offering.offers.take(found, reaction)


async def test_an_expired_offer_says_so_and_is_not_taken(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m", offers=(replace(YES, lifetime=timedelta(0)),))])
    await show(mailroom)
    found = await mailroom.offers.find(mark("👍"))
    assert found is not None
    assert found.expired
    assert not await mailroom.offers.take(found, mark("👍"))


async def test_a_message_stored_again_offers_what_it_offered(offering: Mailroom) -> None:
    await offering.outbox.store([letter("m", offers=(replace(YES, line="fleet stop"),))])
    found = await offering.offers.find(mark("👍"))
    assert found is not None
    assert found.offer == YES


async def test_the_marks_of_offers_stand_on_the_last_words(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m", parts=2, offers=(YES, ONE))])
    stood: list[tuple[str, str | None, str | None]] = []
    while claimed := await mailroom.outbox.claim(["memory"], "host 1", HOUR):
        (delivery,) = claimed
        outbound = delivery.outbound
        if outbound.kind is MessageKind.REACTION:
            stood.append((outbound.text, outbound.reply_to, outbound.former_mark))
        shown = Receipt("m", ReceiptState.ACCEPTED, outbound.part)
        await mailroom.outbox.settle(delivery, shown, f"${outbound.transaction_id}")
    assert stood == [(YES.mark, "$m.1", None), (ONE.mark, "$m.1", None)]


async def test_a_mark_takes_the_place_of_our_last_one_on_the_same_event(mailroom: Mailroom) -> None:
    names = {"a1": "$a", "b1": "$b", "a2": "$a", "a3": "$a"}
    kind = MessageKind.REACTION
    letters = [letter(name, kind=kind, reply_to=on) for name, on in names.items()]
    elsewhere = letter("x1", Address("memory", "elsewhere"), kind=kind, reply_to="$a")
    await mailroom.outbox.store([elsewhere, *letters])
    replaced: dict[str, str | None] = {}
    while claimed := await mailroom.outbox.claim(["memory"], "host 1", HOUR):
        for delivery in claimed:
            outbound = delivery.outbound
            replaced[outbound.message_id] = outbound.former_mark
            lost = outbound.message_id == "a2"
            state = ReceiptState.FAILED if lost else ReceiptState.ACCEPTED
            end = Receipt(outbound.message_id, state, reason="lost" if lost else None)
            await mailroom.outbox.settle(delivery, end, None if lost else f"${outbound.message_id}")
    assert replaced == {"x1": None, "a1": None, "b1": None, "a2": "$a1", "a3": "$a1"}
    assert ROOM.place != "elsewhere"
