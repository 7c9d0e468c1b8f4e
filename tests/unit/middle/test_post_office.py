"""The post office, over the mailroom in memory."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bot.errors import UserError
from bot.mail.mailbox import Mailbox
from bot.mail.post import Limits
from bot.mail.post_office import PostOffice
from bot.model import (
    Address,
    Message,
    MessageKind,
    Principal,
    Receipt,
    ReceiptState,
    agent_address,
    derived_id,
)
from bot.reply import Text
from tests.stages.mailroom import Mailroom, memory_mailroom

ANN = Principal("matrix:@ann:example.org", "ann")
ROOM = Address("memory", "ops")


@dataclass
class Office:
    """A post office with what it told people."""

    limits: Limits = field(default_factory=Limits)
    mirror: Address | None = None
    room: Mailroom = field(default_factory=memory_mailroom)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.office = PostOffice(
            self.room.post,
            Mailbox(self.room.outbox, lambda _: None),
            self.room.correspondence,
            self.limits,
            tell=self.told.append,
            mirror=lambda: self.mirror,
        )

    async def write(self, author: str, to: str, name: str) -> Message:
        """Let an agent write to another."""
        who = Principal(f"agent:here/{author}", author)
        return await self.office.send(who, draft(name, to))

    async def give(self, message: Message) -> None:
        """Let a message arrive."""
        await self.room.outbox.record(Receipt(message.id, ReceiptState.ACCEPTED))


def draft(name: str, to: str) -> Message:
    return Message(
        derived_id(name), agent_address("here", to), MessageKind.MAIL, (Text(f"*{name}*"),)
    )


async def test_a_persons_word_begins_a_chain_and_agents_mail_goes_on_with_it() -> None:
    office = Office()
    first = await office.office.send(ANN, draft("go", "lead"))
    await office.give(first)
    second = await office.write("lead", "coder", "do it")
    await office.give(second)
    third = await office.write("coder", "lead", "done")
    assert (first.author, first.chain, first.hops) == (ANN.id, None, 0)
    assert (second.cause, second.chain, second.hops) == (first.id, first.id, 1)
    assert (third.cause, third.chain, third.hops) == (second.id, first.id, 2)
    assert await office.room.correspondence.message(third.id) == third


async def test_a_loop_ends_at_its_budget_and_people_are_told() -> None:
    office = Office(Limits(hops=5))
    names = ("ann", "ben")
    for number in range(6):
        message = await office.write(names[number % 2], names[(number + 1) % 2], f"{number}")
        await office.give(message)
        assert message.hops == number
    with pytest.raises(UserError, match="has had 6 messages") as stopped:
        await office.write("ann", "ben", "one too many")
    assert stopped.value.code == "hop_budget"
    (told,) = office.told
    assert "here:ann → here:ben was stopped" in told
    # A person's word begins anew.
    await office.give(await office.office.send(ANN, draft("go on", "ann")))
    assert (await office.write("ann", "ben", "again")).hops == 1


async def test_two_agents_write_no_more_than_their_budget_to_each_other() -> None:
    office = Office(Limits(pair=3))
    for number in range(3):
        await office.write("ann", "ben", f"{number}")
    with pytest.raises(UserError, match="wrote 3 messages to each other within 5 minutes") as over:
        await office.write("ben", "ann", "one more")
    assert over.value.code == "pair_budget"
    assert len(office.told) == 1
    await office.write("ann", "eve", "somebody else")


async def test_an_agent_does_not_write_to_itself() -> None:
    with pytest.raises(UserError, match="to itself"):
        await Office().write("ann", "ann", "note")


async def test_agents_mail_is_mirrored_as_plain_text_where_it_is_wanted() -> None:
    office = Office(mirror=ROOM)
    message = await office.write("ann", "ben", "hello")
    await office.office.send(ANN, draft("from a person", "ben"))
    (copy,) = await office.room.outbox.claim(["memory"], "host life", timedelta(minutes=1))
    assert copy.outbound.to == ROOM
    assert copy.outbound.text == f"here:ann → here:ben | chat | {message.id}\n\n*hello*"
    assert copy.outbound.html is None


async def test_following_ends_when_it_is_settled_or_time_is_up() -> None:
    office = Office()
    message = await office.write("ann", "ben", "hello")
    waited = await office.office.follow(message.id, timedelta(seconds=0.05))
    assert [receipt.state for receipt in waited] == [ReceiptState.STORED]
    await office.give(message)
    settled = await office.office.follow(message.id, timedelta(hours=1))
    assert settled[-1].state is ReceiptState.ACCEPTED
