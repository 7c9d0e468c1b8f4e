"""People's files on their way in: who may send them, what is refused, and what a crash leaves."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from bot.backlog.cards import CardDraft
from bot.enclosure import Attachment
from bot.errors import TransientError, UserError
from bot.files.rules import TAKEN_TYPES, FileRules
from bot.mail.marks import FAILED, TAKEN
from bot.model import Address, Caller, InboundBatch, MessageKind, Via
from bot.ports import FetchesFiles
from connectors.memory import MemoryPlatform
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.contents import MemoryContents
from tests.fakes.mailroom import Room
from tests.fakes.threads import MemoryThreads
from tests.fakes.uploads import MemoryUploads
from tests.stages.middle import ANN, EVE, OPS, ORCHESTRATOR, RULES, Middle
from tests.waiting import until

ELF = b"\x7fELF\x02\x01\x01\x00" * 100


@dataclass
class House:
    """What outlives a life of the daemon."""

    room: Room = field(default_factory=Room)
    platform: MemoryPlatform = field(default_factory=MemoryPlatform)
    contents: MemoryContents = field(default_factory=MemoryContents)
    backlog: MemoryBacklog = field(default_factory=MemoryBacklog)

    def __post_init__(self) -> None:
        self.uploads = MemoryUploads(self.room, self.contents)
        self.threads = MemoryThreads(self.backlog)

    def life(
        self, name: str = "one", *, rules: FileRules = RULES, fetcher: FetchesFiles | None = None
    ) -> Middle:
        return Middle(
            self.room,
            self.platform,
            name,
            contents=self.contents,
            uploads=self.uploads,
            threads=self.threads,
            rules=rules,
            fetcher=fetcher,
        )

    def send(self, name: str, content: bytes, media_type: str = "text/plain", **more: Any) -> str:
        return self.platform.send_file(OPS, ANN, name, content, media_type=media_type, **more)

    def mail(self) -> list[tuple[str, list[str]]]:
        """Return the mail to agents: its words, and the names of the files that it brings."""
        sent = [one for one in self.room.messages.values() if one.kind is MessageKind.MAIL]
        return [(one.blocks[0].text, [file.name for file in one.files]) for one in sent]  # type: ignore[union-attr]


@pytest.fixture
def house() -> House:
    return House()


async def test_a_file_reaches_the_agent_with_the_words_below_it(house: House) -> None:
    async with house.life().running() as middle:
        event_id = house.send("plan.txt", b"step one", caption="please read")
        await until(lambda: middle.terminal.taken, what="the mail")
        await until(lambda: (event_id, "📬") in house.platform.shown, what="the mark")
    assert house.mail() == [("please read", ["plan.txt"])]
    (row,) = house.uploads.rows
    assert house.contents.kept == {row.upload.id: b"step one"}
    assert (event_id, TAKEN) in house.platform.shown
    assert row.upload.folder == f"inbox:{ORCHESTRATOR.place}"


async def test_files_in_a_row_are_one_mail(house: House) -> None:
    async with house.life().running():
        names = ["a.txt", "b.txt", "a.txt"]
        for name in names:
            house.send(name, name.encode())
        await until(house.mail, what="the mail")
    assert house.mail() == [("Here are 3 files.", ["a.txt", "b.txt", "a-2.txt"])]


async def test_a_file_in_a_card_s_thread_is_the_card_s(house: House) -> None:
    by = Caller(ANN, Via.CHAT)
    await house.backlog.create(CardDraft("A1", title="a card"), by)
    await house.threads.bind("A1", Address("memory", OPS, "root"))
    async with house.life().running():
        house.send("a.txt", b"a", thread="root")
        await until(house.mail, what="the mail")
    assert house.mail() == [("Here is a file for card A1.", ["a.txt"])]
    assert [file.name for file in await house.uploads.of_card("A1")] == ["a.txt"]
    assert (await house.uploads.enclosed("A1"))[0].card == "A1"


async def test_a_stranger_s_file_is_never_fetched(house: House) -> None:
    async with house.life().running():
        stranger = house.platform.send_file(OPS, EVE, "a.txt", b"a", media_type="text/plain")
        elsewhere = house.platform.send_file("lobby", ANN, "b.txt", b"b", media_type="text/plain")
        house.send("c.txt", b"c")
        await until(house.mail, what="the mail for the third")
    assert [row.upload.name for row in house.uploads.rows] == ["c.txt"]
    assert not [mark for where, mark in house.platform.shown if where in {stranger, elsewhere}]


async def test_a_caption_is_never_run(house: House) -> None:
    async with house.life().running() as middle:
        house.send("!echo hello", b"x", caption="!echo hello")
        await until(house.mail, what="the mail")
        assert middle.said() == []
    assert house.mail() == [("!echo hello", ["echo_hello"])]


@pytest.mark.parametrize(
    ("content", "media_type", "size", "words"),
    [
        (b"x" * 20_000, "text/plain", None, "it has 20,000 bytes; the limit is 10,000 bytes"),
        (b"x" * 20_000, "text/plain", 5, "bytes; the limit is 10,000 bytes"),
        (ELF, "image/png", None, "it is a program, and programs are not taken"),
        (b"\x00\x01", "application/x-thing", None, "its type is application/x-thing; taken are"),
    ],
)
async def test_what_is_refused_is_said_with_the_limit_and_the_value(
    house: House, content: bytes, media_type: str, size: int | None, words: str
) -> None:
    async with house.life().running() as middle:
        event_id = house.platform.send_file(
            OPS, ANN, "thing.bin", content, media_type=media_type, size=size
        )
        await until(middle.said, what="the refusal")
        await until(lambda: (event_id, FAILED) in house.platform.marks, what="the mark")
    (said,) = middle.said()
    assert said.startswith("thing.bin was not taken: ")
    assert words in said
    assert house.contents.kept == {}
    assert house.mail() == []


async def test_a_full_folder_takes_no_more(house: House) -> None:
    rules = FileRules(10_000, 15_000, TAKEN_TYPES)
    async with house.life(rules=rules).running() as middle:
        house.send("a.txt", b"a" * 9_000)
        await until(house.mail, what="the first mail")
        house.send("b.txt", b"b" * 9_000)
        await until(middle.said, what="the refusal")
    assert middle.said() == [
        "b.txt was not taken: its 9,000 bytes do not fit: 9,000 of 15,000 bytes are taken there."
    ]


async def test_while_the_platform_is_away_a_file_is_tried_again(house: House) -> None:
    tried: list[str] = []

    class Flaky:
        async def fetch(self, attachment: Attachment) -> AsyncIterator[bytes]:
            tried.append(attachment.name)
            yield b"half "
            if len(tried) < 3:
                raise TransientError("the line broke")
            yield b"and half"

    async with house.life(fetcher=Flaky()).running():
        house.send("a.txt", b"")
        await until(house.mail, what="the mail")
    assert tried == ["a.txt"] * 3
    assert list(house.contents.kept.values()) == [b"half and half"]


async def test_a_bug_with_one_file_does_not_stop_the_others(house: House) -> None:
    class Odd:
        async def fetch(self, attachment: Attachment) -> AsyncIterator[bytes]:
            yield b"fine"
            if attachment.name == "odd.txt":
                raise KeyError("url")

    async with house.life(fetcher=Odd()).running() as middle:
        house.send("odd.txt", b"")
        house.send("good.txt", b"")
        await until(middle.said, what="the refusal")
        await until(house.mail, what="the mail")
    assert middle.said()[0].startswith("odd.txt was not taken: ")
    assert house.mail() == [("Here is a file.", ["good.txt"])]


async def test_what_was_tampered_with_is_refused(house: House) -> None:
    class Damaged:
        async def fetch(self, attachment: Attachment) -> AsyncIterator[bytes]:
            yield b"looks fine"
            raise UserError("the encrypted file is not the one that was sent", code="damaged")

    async with house.life(fetcher=Damaged()).running() as middle:
        house.send("a.txt", b"")
        await until(middle.said, what="the refusal")
    assert "is not the one that was sent" in middle.said()[0]
    assert house.contents.kept == {}


async def test_a_crash_between_fetching_and_telling_loses_nothing_and_tells_once(
    house: House,
) -> None:
    first = house.life("one")
    event_id = house.send("a.txt", b"a")
    (event,), _ = await house.platform.read(0)
    await first.router.accept(InboundBatch("memory", (event,), "1"))
    await first.router._handle(event)
    await first.porter.work()
    assert [row.state for row in house.uploads.rows] == ["kept"]
    assert house.mail() == [], "the first life ends here"
    async with house.life("two").running():
        await until(house.mail, what="the mail")
        again = house.send("b.txt", b"b")
        await until(lambda: len(house.mail()) == 2, what="the second mail")
    assert house.mail() == [("Here is a file.", ["a.txt"]), ("Here is a file.", ["b.txt"])]
    assert {event_id, again} <= {where for where, _ in house.platform.shown}


async def test_a_crash_while_fetching_is_fetched_again_by_the_next_life(house: House) -> None:
    first = house.life("one")
    house.send("a.txt", b"a")
    (event,), _ = await house.platform.read(0)
    await first.router.accept(InboundBatch("memory", (event,), "1"))
    await first.router._handle(event)
    await house.uploads.claim(["memory"], "box one", timedelta(minutes=5), 1)
    async with house.life("two").running():
        await until(house.mail, what="the mail")
    assert house.mail() == [("Here is a file.", ["a.txt"])]
