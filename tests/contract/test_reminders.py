"""The port Reminders, for every implementation."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import UserError
from bot.model import Address, Principal
from bot.news.reminders import MOST, Reminder, Request
from tests.stages.mailroom import Mailroom, letter

NOON = datetime(2026, 12, 1, 12, 0, 0, 123456, tzinfo=UTC)
ANN, BEN = Principal("matrix:@ann:example.org", "Ann"), Principal("local:1000", "ben")
ROOM = Address("matrix", "!ops:example.org", "$thread")


def wish(text: str = "tea", minutes: int = 0, owner: Principal = ANN) -> Request:
    return Request(owner, text, ROOM, NOON + timedelta(minutes=minutes))


def texts(reminders: list[Reminder]) -> list[str]:
    return [reminder.request.text for reminder in reminders]


async def waiting(mailroom: Mailroom, owner: Principal | None = None) -> list[str]:
    return texts(list(await mailroom.reminders.waiting(owner.id if owner else None)))


async def test_a_reminder_is_kept_as_it_was_asked_for(mailroom: Mailroom) -> None:
    asked = replace(
        wish("'; DROP TABLE reminder; --"),
        rule="day at 09:00",
        timezone="Asia/Tokyo",
        reply_to="$e",
    )
    kept = await mailroom.reminders.add(asked)
    assert kept.request == asked
    assert kept.due_at == NOON
    assert await mailroom.reminders.waiting(ANN.id) == [kept]
    assert await mailroom.reminders.next(5) == [kept]


async def test_what_waits_is_listed_by_owner_the_next_one_first(mailroom: Mailroom) -> None:
    for text, minutes, owner in (("later", 9, ANN), ("soon", 1, ANN), ("bens", 5, BEN)):
        await mailroom.reminders.add(wish(text, minutes, owner))
    assert await waiting(mailroom, ANN) == ["soon", "later"]
    assert await waiting(mailroom) == ["soon", "bens", "later"]
    assert texts(list(await mailroom.reminders.next(2))) == ["soon", "bens"]


async def test_a_reminder_is_cancelled_by_its_owner_or_by_whoever_may_end_all(
    mailroom: Mailroom,
) -> None:
    one = await mailroom.reminders.add(wish("one"))
    two = await mailroom.reminders.add(wish("two"))
    assert not await mailroom.reminders.cancel(one.id, BEN.id)
    assert await mailroom.reminders.cancel(one.id, ANN.id)
    assert not await mailroom.reminders.cancel(one.id, ANN.id)
    assert await mailroom.reminders.cancel(two.id, None)
    assert not await mailroom.reminders.cancel(2**62, None)
    assert await waiting(mailroom) == []
    assert not await mailroom.reminders.fire(two, None, [letter("m")])
    assert await mailroom.correspondence.message("m") is None


async def test_of_several_who_fire_one_is_heard(mailroom: Mailroom) -> None:
    kept = await mailroom.reminders.add(wish())
    fires = [mailroom.reminders.fire(kept, None, [letter(f"m{n}")]) for n in range(8)]
    fired = [n for n, done in enumerate(await asyncio.gather(*fires)) if done]
    stored = [n for n in range(8) if await mailroom.correspondence.message(f"m{n}")]
    assert stored == fired
    assert len(fired) == 1
    assert await waiting(mailroom) == []


async def test_one_that_comes_again_waits_for_its_next_time(mailroom: Mailroom) -> None:
    kept = await mailroom.reminders.add(replace(wish(), rule="day at 12:00"))
    tomorrow = NOON + timedelta(days=1)
    assert await mailroom.reminders.fire(kept, tomorrow, [letter("m1")])
    assert not await mailroom.reminders.fire(kept, tomorrow, [letter("m2")])
    (again,) = await mailroom.reminders.next(5)
    assert (again.id, again.due_at) == (kept.id, tomorrow)
    assert again.request == replace(kept.request, due_at=tomorrow)
    assert await mailroom.reminders.fire(again, None, [])


async def test_nobody_has_too_many(mailroom: Mailroom) -> None:
    for number in range(MOST):
        await mailroom.reminders.add(wish(str(number)))
    with pytest.raises(UserError, match=f"{MOST} reminders"):
        await mailroom.reminders.add(wish("one more"))
    await mailroom.reminders.add(wish("bens", owner=BEN))
    first, *_ = await mailroom.reminders.next(1)
    await mailroom.reminders.cancel(first.id, ANN.id)
    await mailroom.reminders.add(wish("one more"))
