"""Which thread a new card has from the start: the one of the message that made it, unless one is made for it."""

import pytest

from bot.command.declare import Call
from bot.model import Address
from commands.backlog import BacklogCommands
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.threads import MemoryThreads
from tests.stages.backlog import ANN

MATRIX, DISCORD = Address("matrix", "!ops:e.org"), Address("discord", "100")


@pytest.mark.parametrize(
    ("source", "thread", "bound"),
    [
        (MATRIX, Address("matrix", "!ops:e.org", "$asked"), True),
        (DISCORD, Address("discord", "100", "200"), False),
        (Address("discord", "100", "200"), Address("discord", "100", "200"), True),
        (DISCORD, None, False),
    ],
    ids=["a room", "where threads are made", "a thread there", "no thread at all"],
)
async def test_a_message_s_thread_becomes_the_card_s_unless_cards_get_their_own(
    source: Address, thread: Address | None, bound: bool
) -> None:
    backlog = MemoryBacklog()
    threads = MemoryThreads(backlog)
    commands = BacklogCommands(
        backlog, backlog, backlog, threads, own_threads=lambda kind: kind == "discord"
    )
    await commands.create(Call(ANN, source, "id", thread), id="A1", title="shed")
    assert list(await threads.find("A1")) == ([thread] if bound else [])
