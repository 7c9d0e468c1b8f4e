"""Reminders are said once, in time or late, where they were asked for, and commands with their owner's rights."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.errors import TransientError
from bot.model import Address, MessageKind
from bot.news.reminders import Request
from bot.news.reminding import Reminding
from bot.reply import Text
from connectors.memory import MemoryPlatform
from tests.fakes.mailroom import Room
from tests.fakes.reminders import MemoryReminders
from tests.stages.clock import StandingClock
from tests.stages.middle import ANN, EVE, OPS, Middle
from tests.waiting import until

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
THREAD = Address("memory", OPS, "$1")


class Stage:
    """A middle with reminders, on a clock that stands still."""

    def __init__(self) -> None:
        self.clock = StandingClock()
        self.room = Room(now=self.clock)
        self.middle = Middle(self.room, MemoryPlatform())
        self.reminders = MemoryReminders(self.room)
        self.alarms: dict[str, datetime] = {}
        self.reminding = self.daemon()

    def daemon(self) -> Reminding:
        """Return one more that shares everything."""
        middle = self.middle
        return Reminding(self.reminders, middle.mailbox, middle.interpreter, self.at, self.clock)

    def at(self, name: str, moment: datetime, action: Callable[[], Awaitable[None]]) -> None:
        assert action is not None
        self.alarms[name] = moment

    async def ask(self, text: str, after: timedelta = HOUR, rule: str | None = None) -> Request:
        request = Request(ANN, text, THREAD, self.clock() + after, rule, reply_to="$ask")
        await self.reminders.add(request)
        return request

    def said(self) -> list[str]:
        texts = [block for m in self.room.messages.values() for block in m.blocks]
        return [text.text for text in texts if isinstance(text, Text)]


@pytest.fixture
async def stage() -> Stage:
    return Stage()


async def test_a_reminder_is_said_in_time_once_where_it_was_asked_for(stage: Stage) -> None:
    await stage.ask("tea")
    for _ in range(3599):
        await stage.reminding.look()
        stage.clock.go_on(SECOND)
    assert stage.said() == [], "not before its time"
    assert stage.alarms == {"next reminder": stage.clock() + SECOND}
    stage.clock.go_on(SECOND)
    others = [stage.daemon() for _ in range(3)]
    await asyncio.gather(*(one.look() for one in (stage.reminding, *others)))
    await stage.daemon().look()
    assert stage.said() == ["Reminder 1 for Ann: tea"]
    (message,) = stage.room.messages.values()
    assert (message.to, message.kind, message.reply_to) == (THREAD, MessageKind.NOTICE, "$ask")


async def test_what_fell_due_while_nobody_was_there_is_said_once_with_how_late(
    stage: Stage,
) -> None:
    await stage.ask("x", rule="day at 13:00")
    stage.clock.go_on(timedelta(days=3, hours=3, minutes=5))
    await stage.reminding.look()
    assert stage.said() == [
        "Reminder 1 for Ann (every day at 13:00; 3 d 2 h late: nobody was there to say it): x"
    ]
    (kept,) = await stage.reminders.waiting(None)
    assert kept.due_at == stage.clock.now.replace(hour=13, minute=0) + timedelta(days=1)


async def test_more_than_a_page_are_all_said(stage: Stage) -> None:
    for number in range(60):
        await stage.ask(str(number), SECOND)
        await stage.reminders.add(Request(EVE, f"e{number}", THREAD, stage.clock() + SECOND))
    await stage.ask("later")
    stage.clock.go_on(SECOND)
    await stage.reminding.look()
    assert len(stage.said()) == 120
    assert stage.alarms == {"next reminder": stage.clock() + HOUR - SECOND}


async def test_the_clock_is_set_for_whatever_comes_first(stage: Stage) -> None:
    noon = stage.clock()
    for after, alarm in ((2 * HOUR, 2 * HOUR), (3 * HOUR, 2 * HOUR), (HOUR, HOUR)):
        stage.reminding.expect(noon + after)
        assert stage.alarms == {"next reminder": noon + alarm}
    stage.clock.go_on(HOUR)
    stage.reminding.expect(noon + 5 * HOUR)
    assert stage.alarms == {"next reminder": noon + 5 * HOUR}


async def test_a_database_that_is_away_loses_no_reminder(stage: Stage) -> None:
    await stage.ask("tea", SECOND)
    stage.clock.go_on(SECOND)
    stage.room.away = TransientError("away")
    with pytest.raises(TransientError):
        await stage.reminding.look()
    stage.room.away = None
    await stage.reminding.look()
    assert stage.said() == ["Reminder 1 for Ann: tea"]


async def test_a_command_is_run_as_its_owner_once_and_answers(stage: Stage) -> None:
    await stage.ask("!echo hello", SECOND, "day at 08:00")
    stage.clock.go_on(SECOND)
    await asyncio.gather(*(stage.daemon().look() for _ in range(3)))
    await until(lambda: len(stage.said()) == 2)
    assert stage.said() == [
        "Reminder 1 for Ann (every day at 08:00): runs echo hello",
        "you said hello",
    ]
    assert stage.middle.toys.ran == ["hello"]


async def test_a_command_needs_the_rights_that_its_owner_has_when_it_is_run(stage: Stage) -> None:
    request = await stage.ask("!echo hello", SECOND)
    await stage.reminders.cancel(1, None)
    await stage.reminders.add(replace(request, owner=EVE))
    stage.clock.go_on(SECOND)
    await stage.reminding.look()
    await until(lambda: len(stage.said()) == 2)
    assert "❌ echo is refused" in stage.said()[1]
    assert stage.middle.toys.ran == []


@pytest.mark.parametrize("line", ["crash", "wipe", "nonsense"])
async def test_a_command_that_fails_or_asks_says_so(stage: Stage, line: str) -> None:
    await stage.ask(f"!{line}", SECOND)
    stage.clock.go_on(SECOND)
    await stage.reminding.look()
    await until(lambda: len(stage.said()) == 2)
    assert ("❌" in stage.said()[1]) == (line != "wipe")
    assert stage.middle.toys.ran == []


async def test_a_rule_that_nobody_can_read_ends_and_holds_nobody_up(stage: Stage) -> None:
    await stage.ask("old", SECOND, "blue moon at 9")
    zoneless = await stage.ask("elsewhere", SECOND, "day at 09:00")
    await stage.reminders.cancel(2, None)
    await stage.reminders.add(replace(zoneless, timezone="Mars"))
    await stage.ask("tea", SECOND)
    stage.clock.go_on(SECOND)
    await stage.reminding.look()
    assert [text.rpartition(": ")[2] for text in stage.said()] == ["old", "elsewhere", "tea"]
    assert await stage.reminders.waiting(None) == []


async def test_a_mark_alone_is_no_command(stage: Stage) -> None:
    await stage.ask("! look out", SECOND)
    stage.clock.go_on(SECOND)
    await stage.reminding.look()
    assert stage.said() == ["Reminder 1 for Ann: ! look out"]
