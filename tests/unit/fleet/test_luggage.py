"""Files of mail lie on the agent's host before its words are typed, and only where they belong."""

import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.config.places import Places
from bot.enclosure import Enclosure
from bot.errors import TransientError
from bot.model import (
    Delivery,
    MessageKind,
    OutboundMessage,
    Receipt,
    ReceiptState,
    SendResult,
    agent_address,
)
from fleet.delivery.luggage import Luggage, remove_files
from tests.fakes.contents import MemoryContents

PLAN = Enclosure("plan.pdf", "application/pdf", 3, "c1")
CARDS = replace(PLAN, card="A1")


@dataclass
class Door:
    """What is typed, and what lay there when it was."""

    typed: list[OutboundMessage] = field(default_factory=list)

    async def carry(
        self, delivery: Delivery, record: Callable[[Receipt], Awaitable[None]]
    ) -> SendResult:
        self.typed.append(delivery.outbound)
        return SendResult(ReceiptState.ACCEPTED)


@dataclass
class House:
    """A home with a door, and the bytes that are kept elsewhere."""

    places: Places
    door: Door = field(default_factory=Door)
    contents: MemoryContents = field(default_factory=MemoryContents)

    async def carry(self, *files: Enclosure, typed: bool = False) -> str:
        """Carry mail and return the words that were typed."""
        to = agent_address("box", "coder0")
        mail = OutboundMessage("m", 0, "t", to, MessageKind.MAIL, "look here", files=files)
        delivery = Delivery(1, mail, 1, datetime.now(UTC), typed)
        await Luggage(self.door, self.places, self.contents).carry(delivery, _ignore)
        return self.door.typed[-1].text


async def _ignore(_receipt: Receipt) -> None:
    return None


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest.fixture
async def house(tmp_path: Path) -> House:
    house = House(Places(tmp_path / "home"))
    house.places.prepare()
    await house.contents.keep("c1", _pieces(b"abc"))
    return house


async def test_an_agent_is_told_where_its_files_lie(house: House) -> None:
    text = await house.carry(PLAN, CARDS)
    inbox = house.places.home / "fleet/inbox/coder0/plan.pdf"
    card = house.places.home / "files/cards/A1/plan.pdf"
    assert text == (
        "look here\n\nFiles:\n"
        f"* {inbox} (application/pdf, 3 bytes)\n* {card} (application/pdf, 3 bytes)"
    )
    for path in (inbox, card):
        assert path.read_bytes() == b"abc"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for folder in path.relative_to(house.places.home).parents:
            mode = stat.S_IMODE((house.places.home / folder).stat().st_mode)
            assert mode == 0o700, folder


async def test_mail_without_files_is_carried_as_it_is(house: House) -> None:
    assert await house.carry() == "look here"
    assert not house.places.inbox_directory.exists()


async def test_a_file_that_lies_there_is_left_as_it_is(house: House) -> None:
    await house.carry(PLAN)
    path = house.places.folder_of("coder0", None) / "plan.pdf"
    before = path.stat().st_ino
    await house.carry(PLAN)
    assert path.stat().st_ino == before


async def test_what_was_typed_before_is_only_looked_for(house: House) -> None:
    text = await house.carry(PLAN, typed=True)
    assert "plan.pdf" in text, "the same words as then"
    assert not (house.places.folder_of("coder0", None) / "plan.pdf").exists()


async def test_words_whose_file_is_gone_are_said_all_the_same(house: House) -> None:
    text = await house.carry(replace(PLAN, content="nothing"))
    assert text.startswith("look here")
    assert os.listdir(house.places.folder_of("coder0", None)) == []  # noqa: PTH208


async def test_a_link_in_the_place_of_a_file_is_replaced_not_followed(
    house: House, tmp_path: Path
) -> None:
    folder = house.places.folder_of("coder0", None)
    folder.mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (folder / "plan.pdf").symlink_to(victim)
    (folder / ".plan.pdf.new").symlink_to(victim)
    await house.carry(PLAN)
    assert victim.read_text() == "mine"
    assert not (folder / "plan.pdf").is_symlink()
    assert (folder / "plan.pdf").read_bytes() == b"abc"


async def test_nothing_is_put_through_a_folder_that_is_a_link(house: House, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    house.places.inbox_directory.symlink_to(elsewhere)
    with pytest.raises(TransientError, match="is a link, and files are not put"):
        await house.carry(PLAN)
    assert list(elsewhere.iterdir()) == []
    assert house.door.typed == []


async def test_old_files_go_from_their_folders(house: House) -> None:
    await house.carry(PLAN, CARDS)
    names = ["inbox:box/coder0/plan.pdf", "card:A1/plan.pdf", "card:A2/never.pdf"]
    assert remove_files(house.places, names) == 2
    assert remove_files(house.places, names) == 0
    assert list(house.places.folder_of("coder0", None).iterdir()) == []
