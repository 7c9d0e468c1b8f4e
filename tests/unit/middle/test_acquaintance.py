"""Which threads are shown in each other: those of platforms that run, and what is encrypted stays among the encrypted."""

from pathlib import Path
from typing import Literal

import pytest

from bot.errors import TransientError, UserError
from bot.mail.mailbox import Mailbox
from bot.model import Address
from bot.wiring.acquaintance import Acquaintance
from bot.wiring.connections import Connections
from connectors.memory import MemoryConnector, MemoryPlatform
from storage.database import Database
from tests.fakes.contents import MemoryContents
from tests.fakes.mailroom import MemoryOutbox, Room
from tests.unit.middle.test_connections import connections

Mode = Literal["off", "open", "all"]
ROOM, CHANNEL = Address("matrix", "!ops", "$1"), Address("discord", "42", "43")


class Sealed(MemoryConnector):
    """A connector whose rooms are encrypted but for one; of one it knows nothing."""

    async def is_encrypted(self, address: Address) -> bool:
        if address.place == "!unknown":
            raise UserError("not for us to see")
        return address.place != "!open"


class TwoPlatforms(Connections):
    """Matrix and another platform run."""

    def kinds(self) -> tuple[str, ...]:
        return ("tmux", "matrix", "discord")


def acquaintance(found: Connections, mode: Mode) -> Acquaintance:
    return Acquaintance(Database(), found, Mailbox(MemoryOutbox(Room()), lambda _kind: None), mode)


@pytest.fixture
def running(tmp_path: Path) -> Connections:
    found = connections(tmp_path)
    found.__class__ = TwoPlatforms
    found._live["matrix"] = Sealed(MemoryPlatform(kind="matrix"), MemoryContents())
    found._live["discord"] = MemoryConnector(MemoryPlatform(kind="discord"), MemoryContents())
    return found


@pytest.mark.parametrize(
    ("mode", "room", "joined"),
    [
        ("open", "!ops", False),
        ("open", "!open", True),
        ("open", "!unknown", False),
        ("all", "!ops", True),
        ("all", "!unknown", True),
    ],
)
async def test_what_is_encrypted_stays_among_the_encrypted(
    running: Connections, mode: Mode, room: str, joined: bool
) -> None:
    both = acquaintance(running, mode)
    there = Address("matrix", room, "$1")
    assert await both._joins(there, CHANNEL) is joined
    assert await both._joins(CHANNEL, there) is joined


async def test_of_a_platform_that_is_away_nobody_knows_and_one_that_is_none_gets_nothing(
    running: Connections,
) -> None:
    both = acquaintance(running, "open")
    del running._live["matrix"]
    with pytest.raises(TransientError, match="matrix is not open"):
        await both._joins(ROOM, CHANNEL)
    del running._live["discord"]
    assert await running.is_encrypted(CHANNEL) is False, "it never encrypts, so nobody needs to ask"
    assert not await both._joins(ROOM, Address("elsewhere", "1", "2"))


def test_there_is_something_to_show_where_two_platforms_run(
    running: Connections, tmp_path: Path
) -> None:
    assert acquaintance(running, "open")._has_several()
    assert not acquaintance(connections(tmp_path / "alone"), "open")._has_several()
