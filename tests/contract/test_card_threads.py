"""What the port CardThreads promises, on every platform that has threads for cards."""

from collections.abc import AsyncIterator

import pytest

from bot.backlog.cards import CardStatus
from bot.backlog.kept_threads import ThreadLook
from bot.errors import UserError
from tests.stages.card_threads import (
    DiscordThreadStage,
    MemoryThreadStage,
    ThreadStage,
    discord_stage,
)

READY = ThreadLook("A1: paint", CardStatus.READY, archived=False)
CLAIMED = ThreadLook("A1: paint", CardStatus.CLAIMED, archived=False)
DONE = ThreadLook("A1: paint", CardStatus.DONE, archived=True)


class CardThreadsContract:
    """The suite; every implementation gives it a stage."""

    async def test_a_thread_is_begun_once_and_looks_as_it_should(self, stage: ThreadStage) -> None:
        thread = await stage.opening("A1: paint")
        for _ in range(2):
            assert await stage.threads.show(thread, READY)
        seen = await stage.look(thread)
        assert seen is not None
        assert (seen.name, seen.archived) == ("A1: paint", False)
        assert seen.tags == ({"ready"} if stage.has_tags else frozenset())
        assert await stage.begun() == 1

    async def test_title_and_status_follow(self, stage: ThreadStage) -> None:
        thread = await stage.opening("A1: paint")
        await stage.threads.show(thread, READY)
        await stage.threads.show(thread, ThreadLook("A1: red", CardStatus.BLOCKED, archived=False))
        seen = await stage.look(thread)
        assert seen is not None
        assert seen.name == "A1: red"
        assert seen.tags == ({"blocked"} if stage.has_tags else frozenset())

    async def test_a_title_that_is_too_long_is_cut(self, stage: ThreadStage) -> None:
        thread = await stage.opening("A1: paint")
        look = ThreadLook("A1: " + "long " * 100, CardStatus.READY, archived=False)
        for _ in range(2):
            assert await stage.threads.show(thread, look)
        seen = await stage.look(thread)
        assert seen is not None
        assert seen.name.startswith("A1: long")
        assert len(seen.name) == 100

    async def test_it_is_put_away_and_opened_again(self, stage: ThreadStage) -> None:
        thread = await stage.opening("A1: paint")
        await stage.threads.show(thread, READY)
        await stage.quiet()
        for _ in range(2):
            assert await stage.threads.show(thread, DONE)
            seen = await stage.look(thread)
            assert seen is not None
            assert seen.archived
            assert seen.tags == ({"done"} if stage.has_tags else frozenset())
        assert await stage.threads.show(thread, CLAIMED)
        seen = await stage.look(thread)
        assert seen is not None
        assert not seen.archived
        assert seen.tags == ({"claimed"} if stage.has_tags else frozenset())
        assert await stage.begun() == 1

    async def test_it_is_not_put_away_while_somebody_speaks(self, stage: ThreadStage) -> None:
        thread = await stage.opening("A1: paint")
        await stage.threads.show(thread, READY)
        await stage.quiet()
        await stage.speak(thread)
        assert not await stage.threads.show(thread, DONE)
        seen = await stage.look(thread)
        assert seen is not None
        assert not seen.archived
        await stage.quiet()
        assert await stage.threads.show(thread, DONE)

    async def test_a_thread_whose_first_message_is_gone_is_refused(
        self, stage: ThreadStage
    ) -> None:
        thread = await stage.opening("A1: paint")
        await stage.remove(thread)
        with pytest.raises(UserError) as refused:
            await stage.threads.show(thread, READY)
        assert refused.value.code == "gone"


class TestMemoryThreads(CardThreadsContract):
    @pytest.fixture
    async def stage(self) -> ThreadStage:
        return MemoryThreadStage()


class TestThreadsOfATextChannel(CardThreadsContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[DiscordThreadStage]:
        async with discord_stage(forum=False) as found:
            yield found


class TestPostsOfAForum(CardThreadsContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[DiscordThreadStage]:
        async with discord_stage(forum=True) as found:
            yield found
