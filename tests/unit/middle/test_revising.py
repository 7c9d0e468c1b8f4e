"""What people take back or say anew before it began is followed; what began is left, and said once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.model import Address, Inbound, InboundBatch, InboundKind, MessageKind, ReceiptState
from bot.reply import Offer
from connectors.memory import KIND, MemoryPlatform
from tests.fakes.mailroom import Room
from tests.stages.middle import ANN, EVE, OPS, Middle
from tests.unit.middle.test_choices import HOUR, offer, outcome
from tests.waiting import until

YES = Offer("👍", "press y", "press y", HOUR)


@pytest.fixture
async def middle() -> AsyncIterator[Middle]:
    async with Middle(Room(), MemoryPlatform()).running() as found:
        yield found


async def busy(middle: Middle) -> None:
    """Keep the room's lane busy with a slow command."""
    event_id = middle.platform.speak(OPS, ANN, "!wait")
    await until(lambda: (event_id, "👀") in middle.platform.marks)


async def test_a_command_that_waits_runs_once_in_its_newest_words(middle: Middle) -> None:
    await busy(middle)
    event_id = middle.platform.speak(OPS, ANN, "!press one")
    edits = [
        middle.platform.speak(OPS, ANN, f"!press {word}", edits=event_id)
        for word in ("two", "three")
    ]
    middle.toys.gate.set()
    assert [await outcome(middle, edit) for edit in edits] == ["done", "done"]
    await until(lambda: (event_id, "✅") in middle.platform.marks)
    assert middle.toys.ran == ["press three"]
    assert middle.said() == ["at last", "three was pressed"]


async def test_a_command_that_waits_and_is_redacted_is_not_run_and_nothing_is_said(
    middle: Middle,
) -> None:
    await busy(middle)
    event_id = middle.platform.speak(OPS, ANN, "!press one")
    middle.platform.redact(OPS, ANN, event_id)
    last = middle.platform.speak(OPS, ANN, "!press last")
    middle.toys.gate.set()
    await until(lambda: (last, "✅") in middle.platform.marks)
    assert await outcome(middle, event_id) == "withdrawn"
    assert middle.toys.ran == ["press last"]
    assert middle.said() == ["at last", "last was pressed"]


async def test_an_edit_that_was_taken_back_does_not_count(middle: Middle) -> None:
    await busy(middle)
    event_id = middle.platform.speak(OPS, ANN, "!press one")
    edit = middle.platform.speak(OPS, ANN, "!press two", edits=event_id)
    middle.platform.redact(OPS, ANN, edit)
    middle.toys.gate.set()
    await until(lambda: (event_id, "✅") in middle.platform.marks)
    assert middle.toys.ran == ["press one"]


async def test_nobody_edits_another_s_command(middle: Middle) -> None:
    await busy(middle)
    event_id = middle.platform.speak(OPS, ANN, "!press one")
    middle.platform.speak(OPS, EVE, "!press two", edits=event_id)
    middle.toys.gate.set()
    await until(lambda: (event_id, "✅") in middle.platform.marks)
    assert middle.toys.ran == ["press one"]


async def test_a_command_that_has_run_is_not_run_again_by_its_edit_or_undone_by_a_redaction(
    middle: Middle,
) -> None:
    event_id = middle.platform.speak(OPS, ANN, "!press one")
    await until(lambda: (event_id, "✅") in middle.platform.marks)
    edit = middle.platform.speak(OPS, ANN, "!press two", edits=event_id)
    redaction = middle.platform.redact(OPS, ANN, event_id)
    assert await outcome(middle, edit) == "ignored"
    assert await outcome(middle, redaction) == "ignored"
    assert middle.toys.ran == ["press one"]
    assert len(middle.said()) == 2
    assert "edit is not run" in middle.said()[1]


async def test_revisions_of_the_missed_time_count_as_those_of_the_same_moment() -> None:
    room, platform = Room(), MemoryPlatform()
    async with Middle(room, platform, "one").running() as middle:
        platform.speak(OPS, ANN, "!echo before")
        await until(middle.said)
    changed = platform.speak(OPS, ANN, "!press one")
    gone = platform.speak(OPS, ANN, "!press never")
    platform.speak(OPS, ANN, "!press two", edits=changed)
    platform.redact(OPS, ANN, gone)
    last = platform.speak(OPS, ANN, "!press last")
    async with Middle(room, platform, "two").running() as middle:
        await until(lambda: (last, "✅") in platform.marks)
    assert middle.toys.ran == ["press two", "press last"]


async def test_a_revision_that_was_stored_before_a_crash_is_found_after_it() -> None:
    room, platform = Room(), MemoryPlatform()
    async with Middle(room, platform, "one").running() as middle:
        at = datetime.now(UTC)
        text = Inbound("cut", Address(KIND, OPS), ANN, "!press one", at)
        edit = replace(
            text, event_id="anew", text="!press two", kind=InboundKind.EDIT, stands_on="cut"
        )
        # Nobody was told: as if the daemon had died right here.
        await middle.journal.accept(_batch(text, edit))
    async with Middle(room, platform, "two").running() as middle:
        await until(lambda: ("cut", "✅") in platform.marks)
    assert middle.toys.ran == ["press two"]


def _batch(*events: Inbound) -> InboundBatch:
    return InboundBatch(KIND, events)


async def test_a_mark_that_was_taken_back_in_time_chooses_nothing(middle: Middle) -> None:
    offered = await offer(middle, YES)
    await busy(middle)
    mark = middle.platform.react(OPS, ANN, "👍", offered)
    middle.platform.redact(OPS, ANN, mark)
    middle.toys.gate.set()
    assert await outcome(middle, mark) == "withdrawn"
    again = middle.platform.react(OPS, ANN, "👍", offered)
    assert await outcome(middle, again) == "done"
    late = middle.platform.redact(OPS, ANN, again)
    assert await outcome(middle, late) == "ignored"
    assert middle.toys.ran == ["press y"]


async def test_mail_that_was_not_typed_is_taken_back_with_its_message(middle: Middle) -> None:
    middle.terminal.waits = ["the agent is busy"]
    event_id = middle.platform.speak(OPS, ANN, "hello")
    assert await outcome(middle, event_id) == "done"
    redaction = middle.platform.redact(OPS, ANN, event_id)
    assert await outcome(middle, redaction) == "done"
    middle.terminal.waits = []
    middle.platform.speak(OPS, ANN, "the next")
    await until(lambda: middle.terminal.taken)
    assert [one.outbound.text for one in middle.terminal.taken] == ["the next"]
    (mail, _) = (m for m in middle.room.messages.values() if m.kind is MessageKind.MAIL)
    last = middle.room.of(mail.id)[-1]
    assert last.state is ReceiptState.FAILED
    assert last.reason == f"withdrawn: redacted by {ANN.id} ({redaction})"
    assert middle.said() == []


async def test_mail_that_was_not_typed_is_typed_once_in_its_newest_words(middle: Middle) -> None:
    middle.terminal.waits = ["the agent is busy"]
    event_id = middle.platform.speak(OPS, ANN, "helo")
    for words in ("helllo", "hello"):
        edit = middle.platform.speak(OPS, ANN, words, edits=event_id)
        assert await outcome(middle, edit) == "done"
    middle.terminal.waits = []
    (mail,) = await until(lambda: middle.terminal.taken)
    assert mail.outbound.text == "hello"
    await middle.relay.answered(mail.outbound.message_id, "hi")
    await until(lambda: (event_id, "✅") in middle.platform.marks)
    assert [one.message.reply_to for one in middle.platform.standing if one.message] == [event_id]


async def test_mail_that_was_typed_keeps_its_words(middle: Middle) -> None:
    event_id = middle.platform.speak(OPS, ANN, "hello")
    await until(lambda: middle.terminal.taken)
    edit = middle.platform.speak(OPS, ANN, "goodbye", edits=event_id)
    redaction = middle.platform.redact(OPS, ANN, event_id)
    assert [await outcome(middle, one) for one in (edit, redaction)] == ["ignored", "ignored"]
    assert [one.outbound.text for one in middle.terminal.taken] == ["hello"]
    assert middle.said() == []


async def test_an_edit_of_mail_that_a_crash_cut_short_is_finished_by_the_next_life(
    middle: Middle,
) -> None:
    middle.terminal.waits = ["the agent is busy"]
    event_id = middle.platform.speak(OPS, ANN, "helo")
    assert await outcome(middle, event_id) == "done"
    edit = replace(
        next(iter(middle.room.events.values())).inbound,
        event_id="anew",
        text="hello",
        kind=InboundKind.EDIT,
        stands_on=event_id,
    )
    await middle.journal.accept(_batch(edit))
    assert await middle.router._revising.take_back(edit)
    await middle.router._handle(edit)
    middle.terminal.waits = []
    (mail,) = await until(lambda: middle.terminal.taken)
    assert mail.outbound.text == "hello"
