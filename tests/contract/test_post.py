"""The port Post, for every implementation."""

from datetime import timedelta

from bot.model import MessageKind, Receipt, ReceiptState, agent_address
from tests.stages.mailroom import Mailroom, letter

HOUR, MOMENT = timedelta(hours=1), timedelta(microseconds=1)
ANN, BEN = agent_address("here", "ann"), agent_address("here", "ben")


async def write(mailroom: Mailroom, name: str, author: str, to: str) -> None:
    """Store mail from one agent to another."""
    address = agent_address("here", to)
    mail = letter(name, address, kind=MessageKind.MAIL, author=f"agent:here/{author}")
    await mailroom.outbox.store([mail])


async def state(mailroom: Mailroom, name: str, *states: ReceiptState) -> None:
    for one in states:
        said = {"answer": f"about {name}"} if one is ReceiptState.ANSWERED else {}
        await mailroom.outbox.record(Receipt(name, one, evidence=said))


async def inbox(
    mailroom: Mailroom, name: str, limit: int = 10
) -> list[tuple[str, str, str | None]]:
    place = f"here/{name}"
    items = await mailroom.post.inbox(f"agent:{place}", place, limit)
    return [(item.message.id, str(item.state), item.answer) for item in items]


async def test_an_inbox_holds_mail_to_its_owner_and_answers_to_the_owners_own(
    mailroom: Mailroom,
) -> None:
    await write(mailroom, "m1", "ann", "ben")
    await write(mailroom, "m2", "ben", "ann")
    await write(mailroom, "m3", "ann", "ben")
    await state(mailroom, "m1", ReceiptState.TYPED, ReceiptState.ACCEPTED, ReceiptState.ANSWERED)
    assert await inbox(mailroom, "ann") == [
        ("m1", "answered", "about m1"),
        ("m2", "stored", None),
    ]
    assert await inbox(mailroom, "ben") == [
        ("m1", "answered", "about m1"),
        ("m3", "stored", None),
    ]
    assert await inbox(mailroom, "eve") == []


async def test_an_inbox_shows_the_newest_ones_oldest_first(mailroom: Mailroom) -> None:
    for number in range(5):
        await write(mailroom, f"m{number}", "ann", "ben")
    assert [item[0] for item in await inbox(mailroom, "ben", limit=2)] == ["m3", "m4"]


async def test_what_was_put_away_is_gone_for_its_reader_alone(mailroom: Mailroom) -> None:
    await write(mailroom, "m1", "ann", "ben")
    await state(mailroom, "m1", ReceiptState.ACCEPTED, ReceiptState.ANSWERED)
    for _ in range(2):
        await mailroom.post.acknowledge("m1", "agent:here/ben")
    assert await inbox(mailroom, "ben") == []
    assert [item[0] for item in await inbox(mailroom, "ann")] == ["m1"]


async def test_the_cause_is_the_newest_mail_that_was_given(mailroom: Mailroom) -> None:
    assert await mailroom.post.cause("here/ben", HOUR) is None
    await write(mailroom, "m1", "ann", "ben")
    assert await mailroom.post.cause("here/ben", HOUR) is None, "it only waits"
    await state(mailroom, "m1", ReceiptState.TYPED)
    await write(mailroom, "m2", "ann", "ben")
    await state(mailroom, "m2", ReceiptState.TYPED, ReceiptState.ACCEPTED)
    cause = await mailroom.post.cause("here/ben", HOUR)
    assert cause is not None
    assert cause.id == "m2"
    assert await mailroom.post.cause("here/ann", HOUR) is None


async def test_a_turn_that_ended_is_a_cause_for_a_while_only(mailroom: Mailroom) -> None:
    await write(mailroom, "m1", "ann", "ben")
    await state(mailroom, "m1", ReceiptState.ACCEPTED, ReceiptState.ANSWERED)
    assert await mailroom.post.cause("here/ben", HOUR) is not None
    assert await mailroom.post.cause("here/ben", timedelta(0)) is None


async def test_what_two_wrote_to_each_other_is_counted_both_ways(mailroom: Mailroom) -> None:
    await write(mailroom, "m1", "ann", "ben")
    await write(mailroom, "m2", "ben", "ann")
    await write(mailroom, "m3", "ann", "eve")
    assert await mailroom.post.between("here/ann", "here/ben", HOUR) == 2
    assert await mailroom.post.between("here/ben", "here/ann", HOUR) == 2
    assert await mailroom.post.between("here/ann", "here/ben", timedelta(0)) == 0


async def test_attempts_are_those_of_the_deliveries(mailroom: Mailroom) -> None:
    assert await mailroom.post.attempts("m1") == 0
    await write(mailroom, "m1", "ann", "ben")
    assert await mailroom.post.attempts("m1") == 0
    await mailroom.outbox.claim([BEN.carrier], "host life", HOUR)
    assert await mailroom.post.attempts("m1") == 1


async def test_an_inbox_tells_its_owner_that_own_mail_failed_and_why(mailroom: Mailroom) -> None:
    await write(mailroom, "m1", "ann", "ben")
    await state(mailroom, "m1", ReceiptState.TYPED, ReceiptState.ACCEPTED)
    await mailroom.outbox.record(Receipt("m1", ReceiptState.FAILED, reason="limit: until Monday"))
    (item,) = await mailroom.post.inbox("agent:here/ann", "here/ann", 10)
    assert (item.state, item.answer, item.reason) == (
        ReceiptState.FAILED,
        None,
        "limit: until Monday",
    )
    await state(mailroom, "m1", ReceiptState.STORED)
    assert await inbox(mailroom, "ann") == [], "it is tried again"


async def test_a_turn_that_failed_is_a_cause_for_a_while_only(mailroom: Mailroom) -> None:
    await write(mailroom, "m1", "ann", "ben")
    await state(mailroom, "m1", ReceiptState.ACCEPTED, ReceiptState.FAILED)
    assert await mailroom.post.cause("here/ben", HOUR) is not None
    assert await mailroom.post.cause("here/ben", MOMENT) is None
    await state(mailroom, "m1", ReceiptState.TYPED)
    assert await mailroom.post.cause("here/ben", MOMENT) is not None, "it was typed again"
