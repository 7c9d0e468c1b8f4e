"""A card gets one thread where a platform has them, and it is kept in step with the card until it is put away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.backlog.cards import CardDraft, CardStatus
from bot.backlog.kept_threads import ThreadLook
from bot.errors import TransientError, UserError
from bot.mail.mailbox import Mailbox
from bot.model import Address, Message
from bot.rooms.caretaker import Caretaker, Rhythm
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.keeping import MemoryKeeping
from tests.fakes.kept_threads import MemoryCardThreads, MemoryThreadBook
from tests.fakes.mailroom import MemoryOutbox, Room
from tests.fakes.threads import MemoryThreads
from tests.stages.backlog import ANN, MINUTE
from tests.waiting import until

CARDS = Address("memory", "cards")
SOON = timedelta(milliseconds=2)


class Stage:
    """A backlog, a mailbox and a platform in memory; ``show`` lets the platform show what was said."""

    def __init__(self, *, at_creation: bool = True) -> None:
        self.room = Room()
        self.backlog = MemoryBacklog()
        self.keeping = MemoryKeeping(self.backlog)
        self.threads = MemoryThreads(self.backlog)
        self.book = MemoryThreadBook(self.backlog, self.threads)
        self.mailbox = Mailbox(MemoryOutbox(self.room), lambda _kind: None)
        self.platform = MemoryCardThreads(CARDS)
        self.at_creation = at_creation
        self.told: list[str] = []
        self.is_open = True
        self.asked = 0

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Let the part look for as long as the block lasts; every block is another life of it."""
        part = Caretaker(
            self.book,
            self.threads,
            self.mailbox,
            self._grounds,
            at_creation=self.at_creation,
            tell=self.told.append,
            rhythm=Rhythm(look=SOON),
            clock=self.backlog.look,
        )
        ready = asyncio.Event()
        task = asyncio.create_task(part.run(lambda _detail: ready.set()))
        try:
            await ready.wait()
            await self.looked()
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _grounds(self) -> tuple[MemoryCardThreads, ...]:
        self.asked += 1
        return (self.platform,) if self.is_open else ()

    async def looked(self) -> None:
        """Wait until it looked once more from beginning to end."""
        before = self.book.looks
        await until(lambda: self.book.looks > before + 1, what="another look")

    async def create(self, card_id: str, title: str = "paint the shed") -> None:
        await self.backlog.create(CardDraft(id=card_id, title=title), ANN)

    def openings(self) -> list[Message]:
        return [one for one in self.room.messages.values() if one.replaces is None]

    def edits(self) -> list[Message]:
        return [one for one in self.room.messages.values() if one.replaces is not None]

    async def shown(self, card_id: str = "A1", event_id: str = "$1") -> None:
        """Wait for the opening of a card, let the platform show it, and wait for the thread."""

        (message, *_) = await until(
            lambda: [one for one in self.openings() if card_id in str(one.blocks)],
            what="the opening",
        )
        self.platform.openings.add(event_id)
        self.threads.shown[message.id] = event_id
        await until(lambda: event_id in self.platform.threads, what="the thread")

    def look(self, event_id: str = "$1") -> ThreadLook:
        return self.platform.threads[event_id]


async def test_a_created_card_gets_one_thread_whatever_dies_in_between() -> None:
    stage = Stage()
    async with stage.looking():
        await stage.create("A1")
        await until(stage.openings, what="the opening")
    async with stage.looking():
        await stage.shown()
    async with stage.looking():
        await stage.looked()
    (opening,) = stage.openings()
    assert opening.to == CARDS
    assert "A1: paint the shed" in str(opening.blocks)
    assert list(await stage.threads.find("A1")) == [Address("memory", "cards", "$1")]
    assert stage.look() == ThreadLook("A1: paint the shed", CardStatus.READY, archived=False)
    assert stage.platform.begun == {"$1": 1}
    assert stage.edits() == []


async def test_with_threads_for_claimed_cards_a_created_one_waits_for_its_claim() -> None:
    stage = Stage(at_creation=False)
    async with stage.looking():
        await stage.create("A1")
        await stage.looked()
        assert stage.openings() == []
        await stage.backlog.claim("box/coder0", MINUTE, "A1", ANN)
        await stage.shown()
    assert stage.look().status is CardStatus.CLAIMED
    assert "box/coder0" in str(stage.openings()[0].blocks)


async def test_who_has_the_platform_not_open_makes_no_thread() -> None:
    stage = Stage()
    async with stage.looking():
        stage.is_open = False
        await stage.create("A1")
        before = stage.asked
        await until(lambda: stage.asked > before + 2, what="some looks")
    assert stage.openings() == []


async def test_title_status_and_opening_follow_the_card() -> None:
    stage = Stage()
    async with stage.looking():
        await stage.create("A1")
        await stage.shown()
        await stage.backlog.edit(CardDraft(id="A1", title="paint it red"), ANN)
        await until(lambda: stage.look().title == "A1: paint it red", what="the title")
        await stage.backlog.block("A1", "no paint", ANN)
        await until(lambda: stage.look().status is CardStatus.BLOCKED, what="the status")
    assert [edit.replaces for edit in stage.edits()] == [stage.openings()[0].id] * 2
    assert "paint it red" in str(stage.edits()[0].blocks)
    assert "no paint" in str(stage.edits()[1].blocks)


async def test_an_opening_that_was_stored_before_the_card_changed_is_edited() -> None:
    stage = Stage()
    async with stage.looking():
        await stage.create("A1")
        await until(stage.openings, what="the opening")
    await stage.backlog.edit(CardDraft(id="A1", title="another"), ANN)
    async with stage.looking():
        await stage.shown()
        await until(stage.edits, what="the edit")
    assert "another" in str(stage.edits()[0].blocks)


async def test_a_done_card_s_thread_is_put_away_once_its_end_was_told_and_new_work_opens_it() -> (
    None
):
    stage = Stage()
    async with stage.looking():
        await stage.create("A1")
        await stage.shown()
        await stage.backlog.complete("A1", None, ANN)
        await until(lambda: stage.look().status is CardStatus.DONE, what="the tag")
        assert not stage.look().archived
        stage.backlog.advance(MINUTE)
        await until(lambda: stage.look().archived, what="the archive")
        await stage.keeping.undo("A1", ANN)
        await until(lambda: not stage.look().archived, what="the thread again")
    assert stage.look().status is CardStatus.READY


async def test_while_somebody_speaks_a_thread_is_not_put_away() -> None:
    stage = Stage()
    stage.platform.spoken.add("$1")
    async with stage.looking():
        await stage.create("A1")
        await stage.shown()
        await stage.backlog.complete("A1", None, ANN)
        stage.backlog.advance(MINUTE)
        before = stage.platform.shows
        await until(lambda: stage.platform.shows > before, what="a try")
        assert not stage.look().archived
        stage.platform.spoken.clear()
        stage.backlog.advance(MINUTE)
        await until(lambda: stage.look().archived, what="the archive")


async def test_a_late_answer_opens_a_thread_and_it_is_put_away_again_for_some_hours() -> None:
    stage = Stage()
    async with stage.looking():
        await stage.create("A1")
        await stage.shown()
        await stage.backlog.complete("A1", None, ANN)
        stage.backlog.advance(MINUTE)
        await until(lambda: stage.look().archived, what="the archive")
        for _ in range(8):
            before = stage.platform.shows
            stage.backlog.advance(timedelta(hours=4))
            await stage.looked()
            if stage.platform.shows == before:
                break
        assert stage.platform.shows == before, "it is left alone in the end"
        assert before == 3, "the tag, the archive, and the archive again"


async def test_a_platform_that_is_away_is_asked_again() -> None:
    stage = Stage()
    stage.platform.away = [TransientError("away", retry_after=MINUTE)]
    async with stage.looking():
        await stage.create("A1")
        message = (await until(stage.openings, what="the opening"))[0]
        stage.platform.openings.add("$1")
        stage.threads.shown[message.id] = "$1"
        await until(lambda: not stage.platform.away, what="a try")
        await stage.looked()
        assert stage.platform.threads == {}
        stage.backlog.advance(2 * MINUTE)
        await until(lambda: stage.platform.threads, what="the thread")
    assert stage.platform.begun == {"$1": 1}


async def test_what_we_have_no_power_for_is_told_once_and_a_thread_that_is_gone_not_at_all() -> (
    None
):
    stage = Stage()
    no_power = UserError("I may not change threads", hint="give me Manage Threads")
    async with stage.looking():
        await stage.create("A1")
        await stage.shown()
        for title in ("one", "two"):
            stage.platform.away = [no_power]
            await stage.backlog.edit(CardDraft(id="A1", title=title), ANN)
            await until(lambda: not stage.platform.away, what="a try")
        stage.platform.openings.clear()
        await stage.backlog.edit(CardDraft(id="A1", title="three"), ANN)
        await stage.looked()
    assert stage.told == [
        "The thread of card A1 is not as it should be: I may not change threads (give me Manage Threads)"
    ]


async def test_the_thread_of_a_deleted_card_is_put_away_and_the_next_card_of_that_id_gets_its_own() -> (
    None
):
    stage = Stage()
    async with stage.looking():
        await stage.create("A1")
        await stage.shown()
        await stage.keeping.delete("A1", ANN)
        del stage.threads.threads["A1", "memory"]  # as the database does with its card
        await until(lambda: stage.look().archived, what="the archive")
        await stage.create("A1", "dig the pond")
        await until(lambda: len(stage.openings()) == 2, what="its own opening")
        stage.threads.shown[stage.openings()[1].id] = "$2"
        stage.platform.openings.add("$2")
        await until(lambda: "$2" in stage.platform.threads, what="its thread")
    assert stage.look("$2").title == "A1: dig the pond"


async def test_a_card_that_was_bound_to_another_thread_meanwhile_keeps_that_one() -> None:
    stage = Stage()
    async with stage.looking():
        await stage.create("A1")
        message = (await until(stage.openings, what="the opening"))[0]
        await stage.threads.bind("A1", Address("memory", "talk", "$9"))
        stage.threads.shown[message.id] = "$1"
        await stage.looked()
        await stage.looked()
    assert stage.platform.threads == {}
    assert list(await stage.threads.find("A1")) == [Address("memory", "talk", "$9")]
