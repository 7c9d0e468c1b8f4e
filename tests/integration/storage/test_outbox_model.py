"""The real outbox and the fake do the same whatever is asked of them, in any order."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.errors import UserError
from bot.model import Address, Delivery, MessageKind, Receipt, ReceiptState, agent_address
from storage.database import Database
from tests.stages.mailroom import Mailroom, letter, memory_mailroom, postgres_mailroom

PLACES = [Address("memory", "a"), Address("memory", "b"), agent_address("here", "coder0")]
DURATIONS = [timedelta(0), timedelta(0), timedelta(hours=1)]
ENDS = [ReceiptState.ACCEPTED, ReceiptState.ACCEPTED, ReceiptState.FAILED, ReceiptState.UNKNOWN]
STEPS = 60


class Pair:
    """The two, asked the same; deliveries are kept in pairs as each of them knows them."""

    def __init__(self, real: Mailroom, fake: Mailroom, chance: random.Random) -> None:
        self.rooms = (real, fake)
        self.chance = chance
        self.stored: list[str] = []
        self.held: list[tuple[Delivery, ...]] = []

    async def store(self) -> None:
        name = f"m{self.chance.randrange(12)}"
        to = self.chance.choice(PLACES)
        kind = MessageKind.MAIL if to.kind == "agent" else MessageKind.REPLY
        one = letter(name, to, kind=kind, parts=self.chance.randint(1, 3))
        for room in self.rooms:
            await room.outbox.store([one])
        self.stored.append(name)

    async def claim(self) -> None:
        carriers = self.chance.choice([["memory"], ["agent:here"], ["memory", "agent:here"]])
        owner = self.chance.choice(["host 1", "host 2", "other 1"])
        lease = self.chance.choice(DURATIONS)
        real, fake = [await room.outbox.claim(carriers, owner, lease) for room in self.rooms]
        assert [seen(one) for one in real] == [seen(one) for one in fake]
        self.held += zip(real, fake, strict=True)

    async def settle(self) -> None:
        if not self.held:
            return
        state = self.chance.choice(ENDS)
        for room, one in zip(self.rooms, self.chance.choice(self.held), strict=True):
            receipt = Receipt(one.outbound.message_id, state, one.outbound.part)
            await room.outbox.settle(one, receipt, None)

    async def postpone(self) -> None:
        if not self.held:
            return
        wait = self.chance.choice(DURATIONS)
        for room, one in zip(self.rooms, self.chance.choice(self.held), strict=True):
            await room.outbox.postpone(one, wait, "away")

    async def record(self) -> None:
        if not self.stored:
            return
        receipt = Receipt(self.chance.choice(self.stored), self.chance.choice(list(ReceiptState)))
        codes = [await refused(room, receipt) for room in self.rooms]
        assert codes[0] == codes[1]

    async def withdraw(self) -> None:
        name = f"m{self.chance.randrange(12)}"
        real, fake = [await room.outbox.withdraw(name, "no more") for room in self.rooms]
        assert real == fake

    async def retry(self) -> None:
        name = f"m{self.chance.randrange(12)}"
        real, fake = [await room.correspondence.retry(name) for room in self.rooms]
        assert real == fake

    async def compare(self) -> None:
        real, fake = [await story(room, set(self.stored)) for room in self.rooms]
        assert real == fake


async def refused(room: Mailroom, receipt: Receipt) -> str | None:
    try:
        await room.outbox.record(receipt)
    except UserError as error:
        return error.code
    return None


def seen(delivery: Delivery) -> tuple[object, ...]:
    return delivery.outbound, delivery.attempts, delivery.typed


async def story(room: Mailroom, names: set[str]) -> tuple[object, ...]:
    receipts = {
        name: [
            (one.state, one.part, one.reason) for one in await room.correspondence.receipts(name)
        ]
        for name in names
    }
    dead = [(seen(one), reason) for one, reason in await room.correspondence.dead(100)]
    unanswered = [
        (message.id, state) for message, state in await room.correspondence.unanswered("agent:here")
    ]
    return receipts, dead, sorted(unanswered)


@pytest.mark.parametrize("seed", range(6))
async def test_any_story_is_the_same_for_both(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    pair = Pair(postgres_mailroom(database), memory_mailroom(), chance)
    steps: list[Callable[[], Awaitable[None]]] = [
        pair.store,
        pair.claim,
        pair.claim,
        pair.settle,
        pair.postpone,
        pair.record,
        pair.retry,
        pair.withdraw,
    ]
    for _ in range(STEPS):
        await chance.choice(steps)()
    await pair.compare()
