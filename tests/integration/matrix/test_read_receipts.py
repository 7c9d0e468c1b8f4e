"""How far we have read is seen by people, per room and thread, and never before the journal has it."""

import asyncio
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from bot.errors import TransientError, UserError
from bot.model import Address, Inbound, InboundBatch, Principal
from connectors.matrix.read_receipts import ReadReceipts
from connectors.matrix.session import Session
from tests.stages.matrix import Ear, meet
from tests.stages.synapse import Person, Town
from tests.waiting import until

_limits = itertools.count(1)


class Slow(Ear):
    """A journal that takes nothing until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals = 0
        self.closed = False

    async def accept(self, batch: InboundBatch) -> None:
        if self.closed and batch.events:
            self.refusals += 1
            raise TransientError("the journal is away")
        await super().accept(batch)


async def receipts(person: Person, room_id: str, reader: str) -> dict[str, tuple[str, str]]:
    """Return what a person's client shows of a reader: per thread the type and the event."""
    headers = {"Authorization": f"Bearer {person.client.access_token}"}
    # A homeserver may answer the same first sync from memory for minutes: every one of ours is another.
    fresh = f'{{"room":{{"timeline":{{"limit":{next(_limits)}}}}}}}'
    path = f"/_matrix/client/v3/sync?{urlencode({'timeout': '0', 'filter': fresh})}"
    answer = await person.client.send("GET", path, None, headers)
    told: Any = json.loads(await answer.read())
    room = told["rooms"]["join"][room_id]
    found: dict[str, tuple[str, str]] = {}
    for event in room["ephemeral"]["events"]:
        for event_id, types in event["content"].items():
            for kind, readers in types.items():
                if reader in readers:
                    found[readers[reader].get("thread_id", "")] = (kind, event_id)
    return found


async def test_a_receipt_moves_in_the_room_and_in_each_thread(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    ear = Ear()
    async with bot.listening(ear):
        root = await ann.say(bot.room_id, "root")
        inner = await ann.say_in_thread(bot.room_id, root, "inside")
        last = await ann.say(bot.room_id, "last")
        await ann.react(bot.room_id, inner, "👍")
        expected = {"main": ("m.read", last), root: ("m.read", inner)}

        async def shown() -> bool:
            return await receipts(ann, bot.room_id, bot.user_id) == expected

        await until(shown, what="both receipts")


async def test_nothing_counts_as_read_before_the_journal_has_it(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    slow = Slow()
    async with bot.listening(slow):
        first = await ann.say(bot.room_id, "first")

        async def first_read() -> bool:
            told = await receipts(ann, bot.room_id, bot.user_id)
            return told == {"main": ("m.read", first)}

        await until(first_read, what="the first receipt")
    slow.closed = True
    connector = bot.connector()
    second = await ann.say(bot.room_id, "second")
    for _ in range(2):
        task = asyncio.create_task(connector.subscribe(slow.accept, slow.position))
        await asyncio.wait([task], timeout=10)
        assert isinstance(task.exception(), TransientError)
    assert slow.refusals == 2
    assert await first_read()
    slow.closed = False
    listening = asyncio.create_task(connector.subscribe(slow.accept, slow.position))

    async def second_read() -> bool:
        return await receipts(ann, bot.room_id, bot.user_id) == {"main": ("m.read", second)}

    await until(second_read, what="the second receipt")
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await connector.close()


async def test_a_private_receipt_is_seen_by_nobody_else(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    ear = Ear()
    async with bot.listening(ear, read_receipts="private"):
        said = await ann.say(bot.room_id, "hello")
        own = matrix_town.client(bot.account)

        async def moved() -> bool:
            told = await receipts(own, bot.room_id, bot.user_id)
            return told == {"main": ("m.read.private", said)}

        await until(moved, what="our own receipt")
        assert await receipts(ann, bot.room_id, bot.user_id) == {}


async def test_a_homeserver_that_does_not_answer_delays_a_receipt_and_one_that_refuses_ends_it() -> (
    None
):
    asked: list[str] = []

    class Refusing:
        """A homeserver that is away once, then refuses one receipt and takes the others."""

        async def read_up_to(self, room_id: str, thread: str, event_id: str, _type: str) -> None:
            asked.append(event_id)
            if len(asked) == 1:
                raise TransientError("away", retry_after=timedelta())
            if event_id == "$refused":
                raise UserError("M_UNKNOWN")

    read = ReadReceipts(cast("Session", Refusing()), "public", again=timedelta())
    task = asyncio.create_task(read.run())
    read.stored([_text("$refused", "!a"), _text("$taken", "!b")])
    await until(lambda: asked.count("$refused") == 2 and "$taken" in asked, what="all receipts")
    read.stored([_text("$later", "!a")])
    await until(lambda: "$later" in asked, what="the later receipt")
    assert asked.count("$refused") == 2
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    ReadReceipts(cast("Session", Refusing()), "off").stored([_text("$off", "!a")])
    assert "$off" not in asked


def _text(event_id: str, place: str) -> Inbound:
    who = Principal("matrix:@ann:example.org", "ann")
    return Inbound(event_id, Address("matrix", place), who, "x", datetime.now(UTC))
