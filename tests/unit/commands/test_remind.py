"""The commands about reminders, over the ports in memory and on a clock that stands still."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.command.catalog import Catalog
from bot.command.declare import Call
from bot.command.words import split_line
from bot.errors import UsageError, UserError
from bot.model import Address, Caller, Principal, Via
from bot.policy import Access, Policy
from bot.reply import Reply, Table, Text
from commands.remind import RemindCommands
from tests.fakes.mailroom import Room
from tests.fakes.reminders import MemoryReminders
from tests.stages.clock import StandingClock

ANN, BEN = Principal("matrix:@ann:e.org", "Ann"), Principal("matrix:@ben:e.org", "Ben")
LOCAL = Principal("local:1000", "cara")
ROOM, PRIMARY = Address("matrix", "!dev:e.org"), Address("matrix", "!ops:e.org")
ZONES = {ANN.id: "Asia/Tokyo"}


class Stage:
    """Ben is an operator, Ann a member who lives in Tokyo; it is Wednesday noon in UTC."""

    def __init__(self) -> None:
        self.clock = StandingClock()
        self.reminders = MemoryReminders(Room(now=self.clock))
        self.expected: list[datetime] = []
        rooms = frozenset({ROOM.lane})
        access = Access(frozenset({BEN.id}), frozenset({ANN.id}), rooms)
        commands = RemindCommands(
            self.reminders,
            lambda: Policy(access, {}),
            lambda principal_id: ZONES.get(principal_id, "UTC"),
            lambda: PRIMARY,
            self.expected.append,
            now=self.clock,
        )
        self.catalog = Catalog([commands])

    async def ask(
        self, line: str, who: Principal = BEN, thread: str | None = None, via: Via = Via.CHAT
    ) -> Reply:
        source = Address(ROOM.kind, ROOM.place, thread)
        talk = Address(ROOM.kind, ROOM.place, thread or "$asked")
        command, arguments = self.catalog.find_line(line, split_line(line))
        call = Call(Caller(who, via), source, "c1", talk if via is Via.CHAT else None)
        return await self.catalog.run(command, call, arguments)

    async def kept(self) -> list[tuple[str, str | None, str]]:
        found = await self.reminders.waiting(None)
        return [(f"{r.due_at:%m-%d %H:%M:%S}", r.request.rule, r.request.text) for r in found]


@pytest.fixture
async def stage() -> Stage:
    return Stage()


def text_of(reply: Reply) -> str:
    (block,) = reply.blocks
    assert isinstance(block, Text)
    return block.text


@pytest.mark.parametrize(
    ("line", "due", "rule", "text"),
    [
        ("remind in 2h look at 'it'", "11-25 14:00:00", None, "look at 'it'"),
        ("remind in 45s --now or never", "11-25 12:00:45", None, "--now or never"),
        ("remind at 15:00 tea", "11-25 15:00:00", None, "tea"),
        ("remind at 9 tea", "11-26 09:00:00", None, "tea"),
        ("remind at 2026-12-01 09:00 freeze", "12-01 09:00:00", None, "freeze"),
        ("remind at 2026-12-01T09:00 freeze", "12-01 09:00:00", None, "freeze"),
        ("remind every day at 9:00 plan", "11-26 09:00:00", "day at 09:00", "plan"),
        ("remind every weekday at 13 plan", "11-25 13:00:00", "weekday at 13:00", "plan"),
        ("remind every monday at 9 !backlog stats", "11-30 09:00:00", "monday at 09:00", "!backlog stats"),
    ],
)  # fmt: skip
async def test_every_form_is_kept(
    stage: Stage, line: str, due: str, rule: str | None, text: str
) -> None:
    reply = await stage.ask(line)
    assert await stage.kept() == [(due, rule, text)]
    assert stage.expected == [datetime.fromisoformat(reply.data["due_at"])]
    assert reply.data["every"] == rule


async def test_the_answer_says_when_and_in_whose_zone(stage: Stage) -> None:
    said = text_of(await stage.ask("remind at 9:00 tea", ANN))
    assert said == "Reminder 1: Thu 2026-11-26 09:00 Asia/Tokyo, in 12 h."
    assert await stage.kept() == [("11-26 00:00:00", None, "tea")]
    said = text_of(await stage.ask("remind every day at 9 tea"))
    assert said == "Reminder 2: Thu 2026-11-26 09:00 UTC, in 21 h, then every day at 09:00."


async def test_it_is_said_where_it_was_asked_for(stage: Stage) -> None:
    await stage.ask("remind in 1h here")
    await stage.ask("remind in 2h there", thread="$t")
    await stage.ask("remind in 3h from a shell", LOCAL, via=Via.CLI)
    places = [(r.request.place, r.request.reply_to) for r in await stage.reminders.waiting(None)]
    assert places == [
        (ROOM, "$asked"),
        (Address("matrix", "!dev:e.org", "$t"), None),
        (PRIMARY, None),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "remind in soon tea",
        "remind in 2h",
        "remind at 15:00",
        "remind at 25:00 tea",
        "remind at 2020-01-01 09:00 tea",
        "remind at 2026-12-01 tea",
        "remind every day",
        "remind every day at 9",
        "remind every year at 9 tea",
        "remind cancel x",
        "remind cancel 0",
        f"remind in 2h {'x' * 2001}",
    ],
)
async def test_what_cannot_be_understood_is_refused_and_keeps_nothing(
    stage: Stage, line: str
) -> None:
    with pytest.raises(UserError):
        await stage.ask(line)
    assert await stage.kept() == []


async def test_reminders_are_listed_for_their_owner(stage: Stage) -> None:
    assert (await stage.ask("remind list", ANN)).data == []
    await stage.ask("remind in 2h bens")
    await stage.ask("remind in 1h anns", ANN)
    mine = await stage.ask("remind list", ANN)
    (table,) = mine.blocks
    assert isinstance(table, Table)
    assert table.rows == (("2", "Wed 2026-11-25 22:00 Asia/Tokyo", "once", "Ann", "anns"),)
    everyone: Any = (await stage.ask("remind list --everyone")).data
    assert [(one["id"], one["owner"], one["place"]) for one in everyone] == [
        (2, ANN.id, "matrix:!dev:e.org"),
        (1, BEN.id, "matrix:!dev:e.org"),
    ]
    with pytest.raises(UserError, match="for operators"):
        await stage.ask("remind list --everyone", ANN)


async def test_a_reminder_is_cancelled_by_its_owner_or_an_operator(stage: Stage) -> None:
    await stage.ask("remind in 2h bens")
    await stage.ask("remind in 1h anns", ANN)
    with pytest.raises(UserError, match="no reminder 1 of yours"):
        await stage.ask("remind cancel 1", ANN)
    assert text_of(await stage.ask("remind cancel 2", BEN)) == "Reminder 2 is cancelled."
    await stage.ask("remind cancel 1", BEN)
    assert await stage.kept() == []
    with pytest.raises(UserError, match="no reminder 1"):
        await stage.ask("remind cancel 1", BEN)


async def test_a_time_that_the_wall_never_shows_is_said_as_it_is(stage: Stage) -> None:
    stage.clock.now = datetime(2026, 3, 28, 12, tzinfo=UTC)
    ZONES[LOCAL.id] = "Europe/Berlin"
    said = text_of(await stage.ask("remind at 2026-03-29 02:30 x", LOCAL))
    assert "Sun 2026-03-29 03:30 Europe/Berlin" in said
    assert stage.expected == [stage.clock() + timedelta(hours=13, minutes=30)]


async def test_a_wrong_form_is_answered_with_right_ones(stage: Stage) -> None:
    with pytest.raises(UsageError) as refused:
        await stage.ask("remind every fortnight at 9 x")
    assert "weekday at 09:00" in str(refused.value.hint)
