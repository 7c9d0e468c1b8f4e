"""What the worker makes of a delivery that a pause holds back, and of one that was taken back."""

from datetime import UTC, datetime, timedelta

from bot.errors import PausedError, TransientError, UserError
from bot.model import ReceiptState
from connectors.memory import MemoryPlatform
from tests.fakes.mailroom import Room
from tests.stages.middle import ANN, OPS, Middle
from tests.waiting import until

AT_ONCE = timedelta(0)


def a_day_ago() -> datetime:
    return datetime.now(UTC) - timedelta(days=1)


async def test_waiting_for_a_pause_is_never_given_up() -> None:
    room = Room(now=a_day_ago)
    async with Middle(room, MemoryPlatform()).running() as middle:
        middle.terminal.ends = [PausedError("paused by Ann", retry_after=AT_ONCE)] * 3
        middle.platform.speak(OPS, ANN, "hello")
        await until(lambda: middle.terminal.taken)
        assert middle.terminal.taken[0].attempts == 4
        assert middle.said() == []


async def test_waiting_for_anything_else_is() -> None:
    room = Room(now=a_day_ago)
    async with Middle(room, MemoryPlatform()).running() as middle:
        middle.terminal.ends = [TransientError("it is busy", retry_after=AT_ONCE)]
        middle.platform.speak(OPS, ANN, "hello")
        await until(middle.said)
        assert "given up after 1:00:00: it is busy" in middle.said()[0]
        assert middle.terminal.taken == []


async def test_mail_that_was_taken_back_is_nobodys_failure() -> None:
    room = Room()
    async with Middle(room, MemoryPlatform()).running() as middle:
        middle.terminal.ends = [UserError("it was taken back", code="withdrawn")]
        middle.platform.speak(OPS, ANN, "hello")
        await until(lambda: not middle.terminal.ends)
        middle.platform.speak(OPS, ANN, "!echo after")
        await until(middle.said)
        assert middle.said() == ["you said after"]
        assert ReceiptState.FAILED not in [receipt.state for receipt in room.receipts]
