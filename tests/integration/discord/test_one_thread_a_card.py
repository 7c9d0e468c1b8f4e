"""From a card in the database to its thread on Discord and back, on a stand-in of Discord: one each, whatever fails."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from bot.backlog.cards import CardDraft
from bot.clock.backoff import Backoff
from bot.mail.mailbox import Mailbox
from bot.mail.worker import Worker
from bot.model import Delivery, Receipt
from bot.news.newsroom import Newsroom
from bot.ports import Part
from bot.rooms.caretaker import Caretaker, Rhythm
from bot.wiring.reception import ConnectorCarrier
from connectors.discord.connector import DiscordConnector
from connectors.stage import Ledger
from storage.database import Database
from storage.mail.outbox import PostgresOutbox
from tests.stages.backlog import ANN, BacklogStage, postgres_stage
from tests.stages.discord import DiscordStage, discord_stage
from tests.stages.discord_stand_in.mischief import Trouble
from tests.stages.discord_stand_in.payloads import FORUM, TEXT, Channel, Payload
from tests.stages.postgres import Tier
from tests.waiting import until

SECOND = timedelta(seconds=1)
SOON = timedelta(milliseconds=20)
PATIENCE = 30.0


class Desk:
    """A backlog in Postgres, and a daemon's parts between it and a server with one channel for cards."""

    def __init__(self, database: Database, stage: DiscordStage, kind: int) -> None:
        self.backlog: BacklogStage = postgres_stage(database)
        self.stage = stage
        self.cards: Channel = stage.world.add_channel("cards", kind)
        self.ledger = Ledger()
        self._outbox = PostgresOutbox(database)
        self._lives = 0

    @contextlib.asynccontextmanager
    async def life(self) -> AsyncIterator[DiscordConnector]:
        """Let a daemon live for as long as the block lasts, and die as one does: in the middle of everything."""
        self._lives += 1
        connector = self.stage.connect(cards_channel_id=self.cards.id, quiet=SECOND)
        mailbox = Mailbox(self._outbox, lambda _kind: connector.capabilities())
        worker = Worker(
            mailbox,
            self._outbox,
            lambda: {"discord": ConnectorCarrier(connector)},
            _nothing,
            owner=f"box {self._lives}",
            backoff=Backoff(SOON, SECOND),
            give_up_after=timedelta(hours=1),
        )
        caretaker = Caretaker(
            self.backlog.book,
            self.backlog.threads,
            mailbox,
            lambda: (connector.card_threads,),
            at_creation=True,
            tell=lambda _: None,
            rhythm=Rhythm(look=SOON, quiet=SECOND, again=SOON),
        )
        newsroom = Newsroom(self.backlog.news, mailbox, look=SOON)
        parts = [_keep(part) for part in (worker, caretaker, newsroom)]
        tasks = [
            asyncio.create_task(step)
            for step in (*parts, connector.subscribe(self.ledger.accept, None))
        ]
        try:
            yield connector
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def threads(self) -> list[Channel]:
        """Return the threads below the channel for cards."""
        channels = self.stage.world.channels.values()
        return [one for one in channels if one.parent_id == self.cards.id]

    def openings(self) -> list[Payload]:
        """Return our messages that a thread begins with."""
        if self.cards.kind == FORUM:
            return [thread.messages[thread.id] for thread in self.threads()]
        return [one for one in self.cards.messages.values() if one["type"] == 0]

    def said(self, thread: Channel) -> list[str]:
        """Return what stands in a thread below its beginning."""
        found = sorted(thread.messages.items(), key=lambda one: int(one[0]))
        return [str(one["content"]) for key, one in found if key != thread.id and one["type"] == 0]

    def tags(self, thread: Channel) -> set[str]:
        names = {tag["id"]: tag["name"] for tag in self.cards.available_tags}
        return {names[one] for one in thread.tags}


async def _nothing(_delivery: Delivery, _receipt: Receipt) -> None:
    """Nobody is told of receipts here."""


async def _keep(part: Part) -> None:
    await part.run(lambda _detail: None)


@pytest.fixture(params=[TEXT, FORUM], ids=["text channel", "forum"])
async def desk(embedded: Tier, request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    stage = await discord_stage(DiscordStage)
    async with embedded.database() as database:
        yield Desk(database, stage, request.param)
    await stage.close()


async def create(desk: Desk, card_id: str = "A1") -> None:
    await desk.backlog.shelf.create(CardDraft(card_id, title="paint the shed"), ANN)


async def sees(fact: Callable[[], object], what: str) -> None:
    await until(fact, PATIENCE, what)


async def has_its_thread(desk: Desk, card_id: str = "A1") -> Channel:
    """Wait for a card's thread, and insist that there is one."""

    async def bound() -> str | None:
        found = await desk.backlog.threads.find(card_id)
        return found[0].thread if found else None

    thread_id = str(await until(bound, PATIENCE, "the card's thread"))
    await sees(lambda: desk.stage.world.channels.get(thread_id), "the thread on Discord")
    return desk.stage.world.channels[thread_id]


async def test_a_card_s_life_on_discord(desk: Desk) -> None:
    await desk.backlog.book.open("discord")
    async with desk.life():
        await create(desk)
        thread = await has_its_thread(desk)
        (opening,) = desk.openings()
        assert opening["content"].startswith("A1: paint the shed")
        fields = {one["name"]: one["value"] for one in opening["embeds"][0]["fields"]}
        assert fields["status"] == "ready"
        await desk.backlog.take("A1", owner="box/coder0")
        await sees(lambda: desk.said(thread), "the news")
        await sees(lambda: "box/coder0" in str(desk.openings()[0]["embeds"]), "the edit")
        await desk.backlog.shelf.edit(CardDraft("A1", title="paint it red"), ANN)
        await sees(lambda: thread.name == "A1: paint it red", "the title")
        await desk.backlog.claims.complete("A1", None, ANN)
        await sees(lambda: thread.archived, "the archive")
        assert desk.said(thread) == [
            "A1 is claimed by box/coder0. (paint the shed)",
            f"A1 was completed by {ANN.principal.id}. (paint it red)",
        ]
        await desk.backlog.keeping.undo("A1", ANN)
        await sees(lambda: not thread.archived, "the thread again")
        status = (await desk.backlog.card("A1")).status
        tags = {str(status)} if desk.cards.kind == FORUM else set()
        await sees(lambda: desk.tags(thread) == tags, "the tag")
    assert len(desk.threads()) == 1
    assert len(desk.openings()) == 1


@pytest.mark.parametrize(
    "trouble", [Trouble.CUT, Trouble.ERROR_STORM, Trouble.LIMIT, Trouble.SLOW], ids=str
)
async def test_whatever_fails_while_threads_are_made_each_card_has_one(
    desk: Desk, trouble: Trouble
) -> None:
    await desk.backlog.book.open("discord")
    ids = ["A1", "A2", "A3"]
    async with desk.life() as connector:
        await sees(lambda: is_up(connector), "the line")
        desk.stage.stand_in.mischief.strike(trouble)
        for card_id in ids:
            await create(desk, card_id)
        threads = {(await has_its_thread(desk, card_id)).id for card_id in ids}
        assert desk.stage.stand_in.mischief.struck
    assert len(threads) == 3
    assert {one.id for one in desk.threads()} == threads
    assert len(desk.openings()) == 3


async def test_a_daemon_that_dies_while_a_thread_is_made_makes_no_second_one(desk: Desk) -> None:
    await desk.backlog.book.open("discord")
    await create(desk)
    async with desk.life() as connector:
        await sees(lambda: is_up(connector), "the line")
        desk.stage.stand_in.mischief.strike(Trouble.CUT)  # it is said, and nobody hears that it was
        await sees(desk.openings, "the opening")
    desk.stage.stand_in.mischief.relent()
    async with desk.life():
        thread = await has_its_thread(desk)
    assert desk.threads() == [thread]
    assert len(desk.openings()) == 1


async def is_up(connector: DiscordConnector) -> bool:
    return (await connector.health()).reachable
