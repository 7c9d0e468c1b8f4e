"""Typing is shown for as long as anybody works in a room, and taken back once."""

import asyncio
from datetime import timedelta

from bot.mail.presence import Typing
from bot.model import Address
from tests.waiting import until

THREADS = [Address("memory", "ops", thread) for thread in ("$1", "$2")]


class Shower:
    """Takes down what it is told to show."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bool]] = []

    async def typing(self, address: Address, *, active: bool) -> None:
        self.told.append((address.place, active))


async def test_two_threads_share_their_room_s_typing_until_both_have_ended() -> None:
    shower = Shower()
    typing = Typing(lambda _kind: shower)
    async with typing.working(THREADS[0]):
        await until(lambda: shower.told == [("ops", True)])
        async with typing.working(THREADS[1]):
            await asyncio.sleep(0)
        assert shower.told == [("ops", True)]
    assert shower.told == [("ops", True), ("ops", False)]
    async with typing.working(THREADS[1]):
        await until(lambda: len(shower.told) == 3)
    assert shower.told[2:] == [("ops", True), ("ops", False)]


async def test_typing_is_refreshed_while_work_goes_on() -> None:
    shower = Shower()
    typing = Typing(lambda _kind: shower, refresh=timedelta(milliseconds=5))
    async with typing.working(THREADS[0]):
        await until(lambda: shower.told.count(("ops", True)) >= 3)
    assert shower.told[-1] == ("ops", False)


async def test_a_place_that_shows_no_typing_is_left_alone() -> None:
    async with Typing(lambda _kind: None).working(THREADS[0]):
        pass
