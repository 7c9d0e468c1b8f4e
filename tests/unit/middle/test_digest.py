"""Concerns are gathered into one message; quiet hours hold it, and an hour without any is silent."""

import asyncio
import re
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest

from bot.backlog.cards import CardDraft
from bot.cli.table import read_table
from bot.clock.moments import Rule
from bot.clock.quiet import QuietHours
from bot.errors import TransientError
from bot.mail.mailbox import Mailbox
from bot.model import Address, Caller, Message, MessageKind, Principal, Via
from bot.news.bulletin import Bulletin
from bot.news.daily import DailyDigest
from bot.news.digest import WHAT_TO_DO, Digest
from bot.news.outcry import Outcry
from bot.render.rendering import render
from bot.reply import Code, Text
from bot.supervision.concerns import ConcernKind
from tests.fakes.activity import MemoryActivity
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.concerns import MemoryConcerns
from tests.fakes.fleet import MemoryFleet
from tests.fakes.mailroom import MemoryOutbox, Room
from tests.stages.clock import StandingClock
from tests.waiting import until

BY = Caller(Principal("local:1", "ann"), Via.CLI)
OPS = Address("memory", "ops")
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
NIGHT = QuietHours(time(22), time(7))
STUCK, DIALOG = ConcernKind.STUCK_CARD, ConcernKind.DIALOG


class Stage:
    """All that speaks first, over one room, on a clock that stands still."""

    def __init__(self) -> None:
        self.clock = StandingClock()
        self.room = Room(now=self.clock)
        self.concerns = MemoryConcerns(self.room)
        self.mailbox = Mailbox(MemoryOutbox(self.room), lambda _kind: None)
        self.backlog = MemoryBacklog()
        self.activity = MemoryActivity(self.backlog)
        self.activity.began_at = self.clock() - HOUR
        self.fleet = MemoryFleet({"name": "a", "class": "code", "runtime": "dogfood"})
        self.leads = True
        self.digest = self.daemon()

    def primary(self) -> Address:
        return OPS

    def daemon(self) -> Digest:
        """Return the digest of one more daemon."""
        return Digest(
            self.concerns,
            self.mailbox,
            self.primary,
            quiet=NIGHT,
            leads=lambda: self.leads,
            now=self.clock,
            look=SECOND / 1000,
        )

    def daily(self) -> DailyDigest:
        """Return the daily digest of one more daemon, or of one that was restarted."""
        return DailyDigest(
            Rule(tuple(range(7)), time(8)),
            UTC,
            shelf=self.backlog,
            activity=self.activity,
            concerns=self.concerns,
            fleet=self.fleet,
            mailbox=self.mailbox,
            primary=self.primary,
            leads=lambda: self.leads,
            paused=lambda: "Paused by Ann",
            now=self.clock,
        )

    async def wait(self, span: timedelta, step: timedelta = MINUTE) -> None:
        """Let time pass while the digest looks."""
        end = self.clock() + span
        while self.clock() < end:
            await self.digest.look()
            self.clock.go_on(step)

    def messages(self) -> list[Message]:
        return list(self.room.messages.values())

    def said(self) -> list[str]:
        return [
            "".join(part.text for part in render(message.blocks, 60_000))
            for message in self.messages()
        ]


@pytest.fixture
async def stage() -> Stage:
    return Stage()


async def test_an_hour_without_concerns_is_silent(stage: Stage) -> None:
    daily = stage.daily()
    for _ in range(720):
        await daily.look()
        await stage.wait(5 * SECOND, 5 * SECOND)
    assert stage.said() == []


async def test_concerns_are_gathered_and_said_in_one_message(stage: Stage) -> None:
    await stage.concerns.raise_(DIALOG, "box:coder0", "Allow bash?")
    await stage.wait(3 * MINUTE)
    await stage.concerns.raise_(ConcernKind.EXPIRED_CLAIM, "A7", "twice: coder1,\n coder2")
    await stage.concerns.raise_(DIALOG, "box:coder1", "Trust this folder?")
    await stage.concerns.raise_("something new", "x", "`<b>&")
    await stage.wait(7 * MINUTE)
    assert stage.said() == []
    await stage.wait(HOUR)
    (said,) = stage.said()
    assert said == (
        "To look at: 4\n\n"
        "dialog (2)\n"
        "• box:coder0 since 12:00 (10 min): Allow bash?\n"
        "• box:coder1 since 12:03 (7 min): Trust this folder?\n"
        "→ !agent tail NAME shows it, !agent answer NAME KEY answers it\n\n"
        "expired claim (1)\n"
        "• A7 since 12:03 (7 min): twice: coder1, coder2\n"
        "→ !backlog show ID tells who had it\n\n"
        "something new (1)\n"
        "• x since 12:03 (7 min): `<b>&"
    )
    (message,) = stage.messages()
    assert (message.to, message.kind) == (OPS, MessageKind.NOTICE)


async def test_there_is_at_most_one_digest_in_the_time_of_gathering(stage: Stage) -> None:
    for number in range(60):
        await stage.concerns.raise_(STUCK, f"A{number}", "no word")
        await stage.wait(MINUTE)
    assert len(stage.said()) == 5
    said_at = sorted({one.told_at for one in stage.concerns.episodes if one.told_at})
    assert {b - a for a, b in pairwise(said_at)} == {11 * MINUTE}


async def test_an_urgent_one_comes_at_once_and_takes_along_what_waits(stage: Stage) -> None:
    await stage.concerns.raise_(STUCK, "A7", "no word")
    await stage.wait(MINUTE)
    await stage.concerns.raise_(ConcernKind.FLOOR, "box", "nobody is left", urgent=True)
    await stage.wait(SECOND, SECOND)
    (said,) = stage.said()
    assert said.index("floor (1): urgent") < said.index("stuck card (1)\n")
    await stage.wait(HOUR)
    assert len(stage.said()) == 1


async def test_quiet_hours_hold_all_but_urgent_ones(stage: Stage) -> None:
    stage.clock.go_on(11 * HOUR)
    await stage.concerns.raise_(STUCK, "A7", "no word")
    await stage.wait(7 * HOUR)
    assert stage.said() == []
    await stage.concerns.raise_(ConcernKind.FLOOR, "box", "nobody is left", urgent=True)
    await stage.wait(MINUTE)
    assert len(stage.said()) == 1
    await stage.concerns.raise_(STUCK, "A8", "no word")
    await stage.wait(59 * MINUTE)
    assert len(stage.said()) == 1
    await stage.wait(MINUTE)
    assert "A8 since 06:01 (59 min)" in stage.said()[1]


async def test_of_several_daemons_one_speaks_and_one_that_does_not_lead_is_silent(
    stage: Stage,
) -> None:
    await stage.concerns.raise_(STUCK, "A7", "no word")
    stage.clock.go_on(HOUR)
    stage.leads = False
    await stage.wait(MINUTE)
    assert stage.said() == []
    stage.leads = True
    await asyncio.gather(*(stage.daemon().look() for _ in range(5)))
    assert len(stage.said()) == 1


async def test_many_of_a_kind_and_long_evidence_are_shortened(stage: Stage) -> None:
    for number in range(20):
        await stage.concerns.raise_(STUCK, f"A{number}", "x" * 3000)
    stage.clock.go_on(30 * HOUR)
    await stage.wait(MINUTE)
    (said,) = stage.said()
    assert "stuck card (20)" in said
    assert "• A0 since 2026-11-25 12:00 (1 d 6 h): xxx" in said
    assert "• and 8 more\n" in said
    assert len(said) < 5000


async def test_the_part_goes_on_when_the_database_is_back(stage: Stage) -> None:
    await stage.concerns.raise_(STUCK, "A7", "no word")
    stage.clock.go_on(HOUR)
    stage.room.away = TransientError("away")
    with pytest.raises(TransientError):
        await stage.digest.run(lambda _detail: None)
    stage.room.away = None
    task = asyncio.create_task(stage.digest.run(lambda _detail: None))
    await until(stage.said)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_every_command_that_a_digest_names_exists() -> None:
    table = read_table()
    named = [
        words for hint in WHAT_TO_DO.values() for words in re.findall(r"!([a-z ]*[a-z])", hint)
    ]
    assert len(named) >= len(WHAT_TO_DO)
    assert [words for words in named if table.find(words.split()) is None] == []


class Crier:
    """An outcry that runs."""

    def __init__(self, stage: Stage) -> None:
        self.part = Outcry(
            stage.concerns, stage.mailbox, stage.primary, quiet=NIGHT, now=stage.clock
        )
        self._stage = stage

    async def work(self) -> None:
        """Let it work off what was put in."""
        task = asyncio.create_task(self.part.run(lambda _detail: None))
        await until(lambda: not self.part._waiting or task.done())
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def cry(self, text: str) -> None:
        self.part.cry(DIALOG, "box:a", text, Text("a waits"), Code(text))


async def test_a_dialog_is_shown_at_once_and_listed_once_more_when_it_stays(stage: Stage) -> None:
    crier = Crier(stage)
    crier.cry("Allow bash?")
    await crier.work()
    assert stage.said() == ["a waits\n\n```\nAllow bash?\n```"]
    await stage.wait(41 * MINUTE)
    assert len(stage.said()) == 2
    assert "box:a since 12:00 (40 min): Allow bash?" in stage.said()[1]
    await stage.wait(5 * HOUR)
    assert len(stage.said()) == 2


async def test_a_dialog_that_closes_is_not_listed_and_the_next_one_is_shown(stage: Stage) -> None:
    crier = Crier(stage)
    crier.cry("Allow bash?")
    crier.part.calm(DIALOG, "box:", frozenset({"box:a"}))
    await crier.work()
    crier.cry("Allow bash?")
    await crier.work()
    assert len(stage.said()) == 1, "a restarted daemon sees it anew"
    crier.cry("Allow python?")
    await crier.work()
    assert len(stage.said()) == 2, "another one, with no look in between"
    await stage.concerns.raise_(DIALOG, "elsewhere:a", "x")
    crier.part.calm(DIALOG, "box:", frozenset())
    await crier.work()
    assert [one.subject for one in await stage.concerns.open()] == ["elsewhere:a"]
    crier.cry("Allow bash?")
    await crier.work()
    assert len(stage.said()) == 3


async def test_a_dialog_in_quiet_hours_is_said_when_they_are_over(stage: Stage) -> None:
    stage.clock.go_on(11 * HOUR)
    crier = Crier(stage)
    crier.cry("Allow bash?")
    await crier.work()
    await stage.wait(8 * HOUR)
    assert stage.said() == []
    await stage.wait(MINUTE)
    assert "box:a since 23:00 (8 h): Allow bash?" in stage.said()[0]


async def test_an_outcry_is_not_lost_when_the_database_is_away(stage: Stage) -> None:
    crier = Crier(stage)
    stage.room.away = TransientError("away")
    crier.cry("Allow bash?")
    await crier.work()
    assert stage.said() == []
    stage.room.away = None
    await crier.work()
    assert len(stage.said()) == 1


async def test_the_daily_digest_is_said_once_a_day_whatever_restarts(stage: Stage) -> None:
    stage.clock.now = datetime(2026, 11, 26, 7, 59, tzinfo=UTC)
    await stage.daily().look()
    assert stage.said() == []
    await stage.concerns.raise_(STUCK, "A7", "no word")
    for card_id in ("A1", "A2", "A3"):
        await stage.backlog.create(CardDraft(card_id, title="x"), BY)
    await stage.backlog.complete("A1", None, BY)
    stage.clock.go_on(MINUTE)
    for _ in range(3):
        daily = stage.daily()
        await daily.look()
        await daily.look()
    (said,) = stage.said()
    assert re.sub(" +", " ", said) == (
        "How things stand, Thursday 2026-11-26\n\nPaused by Ann.\n\n"
        "cards of 24 hours: 1 done, 3 created\n"
        "backlog: 2 ready, 0 claimed, 0 blocked, 1 done\n"
        "oldest ready: A2, for 0 s\n"
        "agents: 1 dead\n"
        "open concerns: 1\n\n"
        "• stuck card: A7 since 07:59 (1 min): no word"
    )
    stage.clock.go_on(24 * HOUR)
    await stage.daily().look()
    assert len(stage.said()) == 2


async def test_a_daily_digest_that_is_an_hour_late_or_older_than_the_house_is_not_said(
    stage: Stage,
) -> None:
    stage.clock.now = datetime(2026, 11, 26, 9, 1, tzinfo=UTC)
    await stage.daily().look()
    assert stage.said() == []
    stage.clock.go_on(-30 * MINUTE)
    stage.activity.began_at = datetime(2026, 11, 26, 8, 15, tzinfo=UTC)
    await stage.daily().look()
    assert stage.said() == []
    stage.leads = False
    stage.clock.go_on(24 * HOUR)
    await stage.daily().look()
    assert stage.said() == []
    stage.leads = True
    await stage.daily().look()
    assert len(stage.said()) == 1


async def test_the_bulletin_keeps_what_can_wait_until_quiet_hours_are_over(stage: Stage) -> None:
    stage.clock.go_on(11 * HOUR)
    bulletin = Bulletin(stage.mailbox, stage.primary, NIGHT, look=SECOND / 1000, now=stage.clock)
    task = asyncio.create_task(bulletin.run(lambda _detail: None))
    try:
        bulletin.put("a part is stopped")
        bulletin.put("the disk is full", urgent=True)
        await until(stage.said)
        assert stage.said() == ["the disk is full"]
        stage.clock.go_on(8 * HOUR)
        await until(lambda: len(stage.said()) == 2)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert stage.said()[1] == "a part is stopped"


async def test_news_that_met_a_database_away_are_said_when_the_bulletin_runs_again(
    stage: Stage,
) -> None:
    bulletin = Bulletin(stage.mailbox, stage.primary, now=stage.clock)
    stage.room.away = TransientError("away")
    bulletin.put("a part is stopped")
    with pytest.raises(TransientError):
        await bulletin.run(lambda _detail: None)
    stage.room.away = None
    task = asyncio.create_task(bulletin.run(lambda _detail: None))
    await until(stage.said)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
