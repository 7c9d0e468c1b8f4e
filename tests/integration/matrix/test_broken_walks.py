"""A walk back that fails in the middle: nothing is lost or told twice, and one room's trouble is not every room's."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.model import Address, Gap
from connectors.matrix.gaps import Bounds
from tests.stages.bad_line import BadLine
from tests.stages.matrix import Ear, meet
from tests.stages.synapse import Town
from tests.waiting import until

SMALL = Bounds(recent=5, page=4)
MISSED = 14


@pytest.fixture
async def line(matrix_town: Town) -> AsyncIterator[BadLine]:
    bad = BadLine(matrix_town.url)
    await bad.open()
    yield bad
    await bad.close()


async def test_pages_that_fail_are_read_again_and_each_room_has_one_account(
    matrix_town: Town, line: BadLine
) -> None:
    ann, bot = await meet(matrix_town)
    other = await matrix_town.room(bot.account, ann.account)
    ear = Ear()
    async with bot.listening(ear):
        pass
    texts = [f"{number:02}" for number in range(MISSED)]
    for text in texts:
        await ann.say(bot.room_id, text)
        await ann.say(other, f"other {text}")
    bot.url = line.url
    pages = 0

    def second_page_fails(path: str) -> bool:
        nonlocal pages
        pages += "/messages" in path
        return "/messages" in path and pages in {2, 3, 5}

    line.fails = second_page_fails
    async with bot.listening(ear, bounds=SMALL):
        await ann.say(bot.room_id, "live")
        await until(lambda: "live" in ear.texts, what="a live text")
    assert pages > 5
    assert [t for t in ear.texts if not t.startswith("other")] == [*texts, "live"]
    assert [t for t in ear.texts if t.startswith("other")] == [f"other {text}" for text in texts]
    accounts = {gap.source: gap for gap in ear.gaps}
    assert len(accounts) == len(ear.gaps) == 2
    assert accounts[Address("matrix", bot.room_id)] == Gap(
        Address("matrix", bot.room_id), recovered=MISSED, lost=0
    )
    assert bot.reports == []


async def test_a_room_whose_history_cannot_be_read_does_not_hold_up_the_others_for_ever(
    matrix_town: Town, line: BadLine
) -> None:
    ann, bot = await meet(matrix_town)
    broken = await matrix_town.room(bot.account, ann.account)
    ear = Ear()
    async with bot.listening(ear):
        pass
    for number in range(MISSED):
        await ann.say(broken, f"broken {number}")
    await ann.say(bot.room_id, "sound")
    bot.url = line.url
    line.fails = lambda path: "/messages" in path
    bounds = Bounds(recent=5, page=4, patience=timedelta(milliseconds=300))
    async with bot.listening(ear, bounds=bounds):
        await until(lambda: "sound" in ear.texts, what="the sound room's text")
    assert [text for text in ear.texts if text != "sound"] == [
        f"broken {number}" for number in range(MISSED - 5, MISSED)
    ]
    (report,) = bot.reports
    assert broken in report
    assert "nobody can count" in report
