"""What a person sees while an agent works: one message, edited, and gone over into how it ended."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.agents.failure import FailureKind, TurnFailure
from bot.clock.pace import Pace
from bot.errors import TransientError
from bot.mail.progress import spoken_time
from bot.model import Address, Message, MessageKind, OutboundMessage, Receipt, ReceiptState
from bot.reply import Text
from connectors.memory import MemoryPlatform
from tests.fakes.mailroom import Room
from tests.stages.middle import ANN, OPS, Middle
from tests.waiting import until

AT_ONCE = Pace(after=timedelta(0), between=timedelta(milliseconds=50))
LATER = Pace(after=timedelta(hours=1))


@pytest.fixture
async def middle() -> AsyncIterator[Middle]:
    async with Middle(Room(), MemoryPlatform(), pace=AT_ONCE).running() as found:
        yield found


async def asked(middle: Middle, text: str = "hello", thread: str | None = "t1") -> str:
    """Say something to the orchestrator; return the id of the mail that it took."""
    known = len(middle.terminal.taken)
    middle.platform.speak(OPS, ANN, text, thread=thread)
    await until(lambda: len(middle.terminal.taken) > known)
    return middle.terminal.taken[-1].outbound.message_id


def said(middle: Middle) -> list[str]:
    """Return what stands in the room, without the seconds."""
    return [re.sub(r"\d+ s", "N s", one) for one in middle.said()]


def progress(middle: Middle) -> list[OutboundMessage]:
    shown = (one.message for one in middle.platform.standing if one.message)
    return [one for one in shown if one.kind is MessageKind.PROGRESS]


async def test_one_message_says_what_the_agent_is_at_until_it_answers(middle: Middle) -> None:
    middle.doing = "using Read"
    mail_id = await asked(middle)
    await until(lambda: said(middle) == ["orchestrator has been at it for N s: using Read"])
    middle.doing = "I have read <b>it</b>"
    await until(lambda: said(middle)[0].endswith("for N s: I have read <b>it</b>"))
    assert len(said(middle)) == 1
    assert middle.platform.standing[-1].thread == "t1"
    for _ in range(2):
        await middle.relay.answered(mail_id, "done")
    await until(lambda: said(middle) == ["orchestrator answered after N s.", "done"])
    assert progress(middle) == []


async def test_nothing_is_edited_after_the_answer(middle: Middle) -> None:
    mail_id = await asked(middle)
    await until(lambda: progress(middle))
    await middle.relay.answered(mail_id, "done")
    stored = len(middle.room.rows)
    after = await asked(middle, "another")
    await until(lambda: progress(middle), what="progress of another turn goes on")
    later = [row.outbound for row in middle.room.rows[stored:]]
    assert all(middle.room.messages[one.message_id].cause != mail_id for one in later)
    await middle.relay.answered(after, "done too")
    await until(lambda: said(middle)[-1] == "done too")


async def test_a_quick_answer_shows_no_progress() -> None:
    async with Middle(Room(), MemoryPlatform(), pace=LATER).running() as middle:
        mail_id = await asked(middle)
        await middle.relay.answered(mail_id, "done")
        await until(lambda: said(middle) == ["done"])


async def test_progress_ends_with_a_turn_that_failed(middle: Middle) -> None:
    mail_id = await asked(middle)
    await until(lambda: progress(middle))
    await middle.relay.failed(mail_id, TurnFailure(FailureKind.INTERRUPTED))
    await until(lambda: len(said(middle)) == 2)
    assert said(middle) == [
        "orchestrator gave no answer after N s.",
        "orchestrator has the message and gave no answer: its turn was interrupted.",
    ]


async def test_an_answer_that_comes_before_the_end_of_the_delivery_ends_progress_for_good(
    middle: Middle,
) -> None:
    mail_id = await asked(middle)
    await until(lambda: progress(middle))
    await middle.relay.answered(mail_id, "done")
    (delivery,) = middle.terminal.taken
    await middle.relay.moved(delivery, Receipt(mail_id, ReceiptState.ACCEPTED))
    await asked(middle, "another")
    await until(lambda: progress(middle))
    assert len(progress(middle)) == 1
    assert len(said(middle)) == 3
    assert said(middle)[:2] == ["orchestrator answered after N s.", "done"]


async def test_the_next_life_goes_on_with_the_same_message() -> None:
    room, platform = Room(), MemoryPlatform()
    async with Middle(room, platform, "one", pace=AT_ONCE).running() as middle:
        mail_id = await asked(middle)
        await until(lambda: progress(middle))
    async with Middle(room, platform, "two", pace=AT_ONCE).running() as middle:
        middle.doing = "still there"
        await until(lambda: said(middle)[0].endswith("still there"))
        await middle.relay.answered(mail_id, "done")
        await until(lambda: len(said(middle)) == 2)
    assert said(middle)[0].startswith("orchestrator answered after")


async def test_an_answer_right_after_a_restart_ends_what_was_shown_before() -> None:
    room, platform = Room(), MemoryPlatform()
    async with Middle(room, platform, "one", pace=AT_ONCE).running() as middle:
        mail_id = await asked(middle)
        await until(lambda: progress(middle))
    two = Middle(room, platform, "two", pace=AT_ONCE)
    await two.relay.answered(mail_id, "done")
    async with two.running():
        await until(lambda: len(said(two)) == 2)
    assert said(two) == ["orchestrator answered.", "done"]


async def test_a_platform_that_is_away_gets_the_newest_word_alone(middle: Middle) -> None:
    mail_id = await asked(middle)
    await until(lambda: progress(middle))
    middle.platform.cut()
    edits = len([one for one in middle.room.messages.values() if one.replaces])
    await until(lambda: len([m for m in middle.room.messages.values() if m.replaces]) > edits + 3)
    await middle.relay.answered(mail_id, "done")
    middle.platform.restore()
    await until(lambda: len(said(middle)) == 2)
    assert said(middle) == ["orchestrator answered after N s.", "done"]
    assert not middle.room.dead, "a word that was not said is no dead letter"


async def test_an_edit_that_fails_holds_nobody_up(middle: Middle) -> None:
    await asked(middle)
    await until(lambda: progress(middle))
    middle.platform.lose_answers = 3
    middle.platform.speak(OPS, ANN, "!echo hi")
    await until(lambda: "you said hi" in said(middle))


async def test_the_database_may_be_away_meanwhile(middle: Middle) -> None:
    mail_id = await asked(middle)
    await until(lambda: progress(middle))
    middle.room.away = TransientError("away")
    middle.doing = "after it"
    await until(lambda: progress(middle))
    middle.room.away = None
    await until(lambda: said(middle)[0].endswith("after it"))
    await middle.relay.answered(mail_id, "done")
    await until(lambda: said(middle)[-1] == "done")


def test_words_come_more_rarely_the_longer_a_turn_lasts() -> None:
    pace = Pace()
    pauses = [pace.pause(timedelta(seconds=lasted)).total_seconds() for lasted in (0, 24, 80, 9999)]
    assert pauses == [3, 3, 10, 60]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.9, "0 s"), (59, "59 s"), (125, "2 min 5 s"), (7322, "2 h 2 min")]
)
def test_times_are_said_as_people_do(seconds: float, words: str) -> None:
    assert spoken_time(timedelta(seconds=seconds)) == words


async def test_an_edit_is_one_event(middle: Middle) -> None:
    first = Message("first", Address("memory", OPS), MessageKind.PROGRESS, (Text("short"),))
    edit = replace(first, id="edit", replaces="first", blocks=(Text("long " * 5000),))
    (letter,) = middle.mailbox.seal([edit])
    (part,) = letter.parts
    assert part.replaces == "first"
    assert len(part.text.encode()) <= middle.connector.capabilities().max_bytes


async def test_an_edit_of_what_was_never_shown_is_given_up_in_silence(middle: Middle) -> None:
    to = Address("memory", OPS)
    first = Message("first", Address("nowhere", OPS), MessageKind.PROGRESS, (Text("never"),))
    edit = Message("edit", to, MessageKind.NOTICE, (Text("an end"),), replaces="first")
    await middle.mailbox.post([first])
    await middle.mailbox.post([edit])
    await until(lambda: middle.room.of("edit")[-1].state is ReceiptState.UNKNOWN)
    assert middle.room.of("edit")[-1].reason == "not shown: what it edits was never shown"
    assert middle.said() == []
