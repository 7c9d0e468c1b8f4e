"""The permit to type, and taking mail back, for every implementation of the port Outbox."""

import asyncio
from datetime import timedelta

import pytest

from bot.errors import PausedError, UserError
from bot.model import Delivery, MessageKind, Principal, Receipt, ReceiptState, agent_address
from bot.supervision.pause import SUPERVISOR
from tests.stages.mailroom import Mailroom, letter

ANN = Principal("matrix:@ann:example.org", "Ann")
CODER = agent_address("here", "coder0")
HOUR, AT_ONCE = timedelta(hours=1), timedelta(0)
STORED, TYPED, FAILED = ReceiptState.STORED, ReceiptState.TYPED, ReceiptState.FAILED


async def write(mailroom: Mailroom, *names: str, author: str = ANN.id) -> None:
    mail = [letter(name, CODER, kind=MessageKind.MAIL, author=author) for name in names]
    await mailroom.outbox.store(mail)


async def ask(mailroom: Mailroom, name: str) -> None:
    await mailroom.outbox.record(Receipt(name, TYPED))


async def states(mailroom: Mailroom, name: str) -> list[ReceiptState]:
    return [receipt.state for receipt in await mailroom.correspondence.receipts(name)]


async def claim(mailroom: Mailroom) -> list[Delivery]:
    return list(await mailroom.outbox.claim([CODER.carrier], "here 1", HOUR))


async def test_a_pause_forbids_to_type_what_the_supervisor_says(mailroom: Mailroom) -> None:
    await write(mailroom, "work", author=SUPERVISOR.id)
    await write(mailroom, "word")
    await mailroom.pauses.pause(ANN, "deploy", freeze=False)
    with pytest.raises(PausedError, match=r"by Ann since .* UTC \(deploy\)") as caught:
        await ask(mailroom, "work")
    assert caught.value.retry_after == timedelta(seconds=1)
    assert await states(mailroom, "work") == [STORED]
    await ask(mailroom, "word")
    assert await states(mailroom, "word") == [STORED, TYPED]
    await mailroom.pauses.resume(ANN)
    await ask(mailroom, "work")
    assert await states(mailroom, "work") == [STORED, TYPED]


async def test_a_freeze_forbids_to_type_anything(mailroom: Mailroom) -> None:
    await write(mailroom, "word")
    await mailroom.pauses.pause(ANN, None, freeze=False)
    await mailroom.pauses.pause(ANN, "leak", freeze=True)
    with pytest.raises(PausedError, match=r"\(leak\); freeze"):
        await ask(mailroom, "word")
    assert await states(mailroom, "word") == [STORED]


async def test_mail_that_was_taken_back_is_not_typed(mailroom: Mailroom) -> None:
    await write(mailroom, "m", "n")
    assert await mailroom.outbox.withdraw("m", "the claim ended")
    with pytest.raises(UserError) as caught:
        await ask(mailroom, "m")
    assert caught.value.code == "withdrawn"
    receipts = await mailroom.correspondence.receipts("m")
    assert [(one.state, one.reason) for one in receipts] == [
        (STORED, None),
        (FAILED, "withdrawn: the claim ended"),
    ]
    assert not await mailroom.outbox.withdraw("m", "again")
    assert [one.outbound.message_id for one in await claim(mailroom)] == ["n"]
    assert list(await mailroom.correspondence.dead(10)) == [], "nobody puts it in line again"
    assert await mailroom.correspondence.retry("m") == 0


async def test_mail_under_way_is_taken_back_until_it_is_typed(mailroom: Mailroom) -> None:
    await write(mailroom, "m", "n")
    (held,) = await claim(mailroom)
    assert await mailroom.outbox.withdraw("m", "too late")
    await mailroom.outbox.postpone(held, AT_ONCE, "refused")
    (second,) = await claim(mailroom)
    assert second.outbound.message_id == "n"
    await ask(mailroom, "n")
    assert not await mailroom.outbox.withdraw("n", "too late")
    assert await states(mailroom, "n") == [STORED, TYPED]
    await mailroom.outbox.settle(second, Receipt("n", ReceiptState.ACCEPTED), None)
    assert not await mailroom.outbox.withdraw("n", "too late")


async def test_what_is_said_in_a_room_is_not_taken_back(mailroom: Mailroom) -> None:
    await mailroom.outbox.store([letter("m")])
    assert not await mailroom.outbox.withdraw("m", "no")
    assert not await mailroom.outbox.withdraw("nowhere", "no")
    assert await states(mailroom, "m") == [STORED]


async def test_a_message_is_taken_back_or_typed_and_never_both(mailroom: Mailroom) -> None:
    names = [f"m{number}" for number in range(20)]
    await write(mailroom, *names)

    async def permitted(name: str) -> bool:
        try:
            await ask(mailroom, name)
        except UserError:
            return False
        return True

    for name in names:
        typed, back = await asyncio.gather(
            permitted(name), mailroom.outbox.withdraw(name, "changed my mind")
        )
        assert typed is not back
        assert await states(mailroom, name) == [STORED, TYPED if typed else FAILED]


async def test_work_that_waits_for_a_pause_lets_a_persons_words_pass(mailroom: Mailroom) -> None:
    await write(mailroom, "work", "more work", author=SUPERVISOR.id)
    await write(mailroom, "word")
    await mailroom.pauses.pause(ANN, None, freeze=False)
    passed = []
    while claimed := await claim(mailroom):
        (held,) = claimed
        passed.append(held.outbound.message_id)
        if held.outbound.author == SUPERVISOR.id:
            await mailroom.outbox.postpone(held, AT_ONCE, "paused", anew=True)
        else:
            await mailroom.outbox.settle(held, Receipt("word", ReceiptState.ACCEPTED), None)
    assert passed == ["work", "more work", "word"]
    await mailroom.pauses.resume(ANN)
    assert [one.outbound.message_id for one in await claim(mailroom)] == ["work"]


async def test_work_that_is_under_way_keeps_its_lane_through_a_pause(mailroom: Mailroom) -> None:
    await write(mailroom, "work", author=SUPERVISOR.id)
    await write(mailroom, "word")
    assert len(await claim(mailroom)) == 1
    await mailroom.pauses.pause(ANN, None, freeze=False)
    assert await claim(mailroom) == []


async def test_time_spent_in_a_pause_does_not_count(mailroom: Mailroom) -> None:
    await write(mailroom, "m")
    (first,) = await claim(mailroom)
    await mailroom.outbox.postpone(first, AT_ONCE, "busy")
    (second,) = await claim(mailroom)
    assert second.first_tried_at == first.first_tried_at
    await mailroom.outbox.postpone(second, AT_ONCE, "paused", anew=True)
    (third,) = await claim(mailroom)
    assert third.first_tried_at > first.first_tried_at
    assert third.attempts == 3
