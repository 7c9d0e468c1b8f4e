"""Where mail is, as marks on the event that asked for it: one change for each state, the newest one stands."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.agents.failure import FailureKind, TurnFailure
from bot.errors import UserError
from bot.mail.marks import MAIL_MARKS
from bot.model import ReceiptState, SendResult
from connectors.memory import MemoryPlatform
from tests.fakes.correspondence import MemoryCorrespondence
from tests.fakes.mailroom import Room
from tests.stages.middle import ANN, OPS, Middle
from tests.waiting import until

ASKING = ("hello", "!post hello")
"""Free text, and a command that sends mail."""


@pytest.fixture
async def middle() -> AsyncIterator[Middle]:
    async with Middle(Room(), MemoryPlatform()).running() as found:
        yield found


def shown(middle: Middle, event_id: str) -> list[str]:
    return [mark for where, mark in middle.platform.shown if where == event_id]


def standing(middle: Middle, event_id: str) -> list[str]:
    return [mark for where, mark in middle.platform.marks if where == event_id]


async def stands(middle: Middle, event_id: str, mark: str) -> None:
    """Wait until one mark alone stands on an event."""
    await until(lambda: standing(middle, event_id) == [mark])


def test_every_state_that_lasts_has_a_mark_of_its_own() -> None:
    assert set(MAIL_MARKS) == set(ReceiptState) - {ReceiptState.TYPED}
    assert len(set(MAIL_MARKS.values())) == len(MAIL_MARKS)


@pytest.mark.parametrize("text", ASKING)
async def test_mail_is_marked_as_stored_as_taken_and_as_answered(middle: Middle, text: str) -> None:
    event_id = middle.platform.speak(OPS, ANN, text)
    await stands(middle, event_id, "📬")
    (mail,) = middle.terminal.taken
    for _ in range(2):  # an answer that is told twice is shown once
        await middle.relay.answered(mail.outbound.message_id, "hi Ann")
    await stands(middle, event_id, "✅")
    assert shown(middle, event_id) == ["👀", "📬", "✅"]


@pytest.mark.parametrize("text", ASKING)
async def test_mail_that_waits_long_shows_it_once_whatever_it_waits_for(
    middle: Middle, text: str
) -> None:
    middle.terminal.waits = ["a dialog is open", "a draft"]
    event_id = middle.platform.speak(OPS, ANN, text)
    await stands(middle, event_id, "⏳")
    middle.terminal.waits.pop(0)
    reasons = {receipt.reason for receipt in middle.room.receipts}
    await until(lambda: {r.reason for r in middle.room.receipts} > reasons)
    assert standing(middle, event_id) == ["⏳"]
    middle.terminal.waits.clear()
    await stands(middle, event_id, "📬")
    assert shown(middle, event_id) == ["👀", "⏳", "📬"]


async def test_a_short_wait_is_not_shown() -> None:
    patient = Middle(Room(), MemoryPlatform(), long=timedelta(minutes=1))
    async with patient.running() as middle:
        middle.terminal.waits = ["a turn runs"]
        event_id = middle.platform.speak(OPS, ANN, "hello")
        await until(lambda: any(r.state is ReceiptState.WAITING for r in middle.room.receipts))
        middle.terminal.waits.clear()
        await stands(middle, event_id, "📬")
        (mail,) = middle.terminal.taken
        await middle.relay.answered(mail.outbound.message_id, "hi")
        await stands(middle, event_id, "✅")
        assert shown(middle, event_id) == ["👀", "📬", "✅"]


@pytest.mark.parametrize("text", ASKING)
@pytest.mark.parametrize(
    ("end", "mark"),
    [
        (UserError("it is not running"), "❌"),
        (SendResult(ReceiptState.UNKNOWN, reason="no echo"), "❓"),
    ],
)
async def test_mail_that_failed_or_that_nobody_knows_of_is_marked_so(
    middle: Middle, text: str, end: SendResult | Exception, mark: str
) -> None:
    middle.terminal.ends.append(end)
    event_id = middle.platform.speak(OPS, ANN, text)
    await stands(middle, event_id, mark)
    assert shown(middle, event_id) == ["👀", mark]


async def test_mail_that_is_put_back_in_line_shows_anew_what_becomes_of_it(
    middle: Middle,
) -> None:
    middle.terminal.ends += [UserError("it is not running"), UserError("it is still not running")]
    event_id = middle.platform.speak(OPS, ANN, "hello")
    await stands(middle, event_id, "❌")
    (mail,) = (one for one in middle.room.messages.values() if one.kind == "mail")
    middle.terminal.waits = ["a dialog is open"]
    assert await MemoryCorrespondence(middle.room).retry(mail.id) == 1
    await stands(middle, event_id, "⏳")
    middle.terminal.waits.clear()
    await stands(middle, event_id, "❌")
    assert shown(middle, event_id) == ["👀", "❌", "⏳", "❌"]


async def test_an_answer_to_mail_of_unknown_fate_ends_the_doubt(middle: Middle) -> None:
    middle.terminal.ends.append(SendResult(ReceiptState.UNKNOWN, reason="no echo"))
    event_id = middle.platform.speak(OPS, ANN, "hello")
    await stands(middle, event_id, "❓")
    (mail,) = (one for one in middle.room.messages.values() if one.kind == "mail")
    await middle.relay.answered(mail.id, "I had it")
    await stands(middle, event_id, "✅")


async def test_an_answer_that_comes_before_the_deliverys_end_stays_the_last_word(
    middle: Middle,
) -> None:
    middle.terminal.waits = ["not yet"]
    event_id = middle.platform.speak(OPS, ANN, "hello")
    (mail,) = await until(
        lambda: [one for one in middle.room.messages.values() if one.kind == "mail"]
    )
    await middle.relay.answered(mail.id, "already done")
    await stands(middle, event_id, "✅")
    middle.terminal.waits.clear()
    await until(lambda: any(r.state is ReceiptState.ACCEPTED for r in middle.room.of(mail.id)))
    middle.platform.speak(OPS, ANN, "!echo end")
    await until(lambda: "you said end" in middle.said())
    assert standing(middle, event_id) == ["✅"]
    assert "📬" not in shown(middle, event_id)


async def test_a_turn_that_failed_is_marked_so_even_before_the_deliverys_end(
    middle: Middle,
) -> None:
    middle.terminal.waits = ["not yet"]
    event_id = middle.platform.speak(OPS, ANN, "hello")
    (mail,) = await until(
        lambda: [one for one in middle.room.messages.values() if one.kind == "mail"]
    )
    for _ in range(2):
        await middle.relay.failed(mail.id, TurnFailure(FailureKind.LIMIT, "until 15:00"))
    await stands(middle, event_id, "❌")
    middle.terminal.waits.clear()
    await until(lambda: any(r.state is ReceiptState.ACCEPTED for r in middle.room.of(mail.id)))
    middle.platform.speak(OPS, ANN, "!echo end")
    await until(lambda: "you said end" in middle.said())
    assert standing(middle, event_id) == ["❌"]
    assert "📬" not in shown(middle, event_id)


async def test_a_slow_commands_mark_gives_way_to_its_end(middle: Middle) -> None:
    event_id = middle.platform.speak(OPS, ANN, "!wait")
    await stands(middle, event_id, "👀")
    middle.toys.gate.set()
    await stands(middle, event_id, "✅")
    assert shown(middle, event_id) == ["👀", "✅"]


async def test_a_command_that_sends_mail_and_fails_is_marked_by_its_own_failure(
    middle: Middle,
) -> None:
    event_id = middle.platform.speak(OPS, ANN, "!post")
    await stands(middle, event_id, "❌")
    assert shown(middle, event_id) == ["❌"]
