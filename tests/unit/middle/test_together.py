"""Steps that run until the first one ends leave nothing behind."""

import asyncio

import pytest

from bot.clock.together import until_one_ends


async def test_the_first_to_end_ends_the_others() -> None:
    ended: list[str] = []

    async def waits_for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("the other")

    async def ends() -> None:
        await asyncio.sleep(0)
        ended.append("the first")

    await until_one_ends(waits_for_ever(), ends())
    assert ended == ["the first", "the other"]


async def test_what_the_first_raises_is_raised_once_all_have_ended() -> None:
    others = asyncio.Event()

    async def cleans_up() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            others.set()

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("it fell")

    with pytest.raises(ValueError, match="it fell"):
        await until_one_ends(cleans_up(), fails())
    assert others.is_set()


async def test_who_is_cancelled_cancels_all_of_it() -> None:
    ended = asyncio.Event()
    began = asyncio.Event()

    async def waits() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(until_one_ends(waits(), asyncio.Event().wait()))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
