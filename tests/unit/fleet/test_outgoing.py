"""An agent sends files of its own, into the conversation that waits for it, and no others."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.config.places import Places
from bot.errors import UserError
from bot.mail.mailbox import Mailbox
from bot.mail.outgoing import Outgoing, Sent
from bot.model import Address, Message, MessageKind, Principal, Receipt, ReceiptState, agent_address
from bot.reply import Text
from fleet.delivery.outgoing import LocalAgentFiles
from fleet.health.readiness import Thresholds
from fleet.host.local import LocalFleet
from tests.fakes.contents import MemoryContents
from tests.stages.mailroom import Mailroom, memory_mailroom

CODER = Principal("agent:box/coder0", "coder0")
PLACE = agent_address("box", "coder0")
ROOM = Address("memory", "ops", "root")
ROSTER = """version: 1
tmux: {socket_name: never-started}
agents:
  - {name: coder0, class: code, runtime: dogfood, working_directory: WORK}
  - {name: coder1, class: code, runtime: dogfood, working_directory: WORK}
"""


@dataclass
class Desk:
    """An agent's working directory, and what it sends."""

    work: Path
    places: Places
    mailroom: Mailroom
    contents: MemoryContents
    outgoing: Outgoing

    async def ask(self, name: str, to: Address = PLACE, origin: Address | None = ROOM) -> None:
        """Let a message arrive at an agent."""
        mailbox = Mailbox(self.mailroom.outbox, lambda _: None)
        mail = Message(
            name, to, MessageKind.MAIL, (Text("?"),), origin=origin, origin_event=f"${name}"
        )
        await mailbox.post([mail])
        for state in (ReceiptState.TYPED, ReceiptState.ACCEPTED):
            await self.mailroom.outbox.record(Receipt(name, state))

    async def send(self, path: Path | str, to: str | None = None, caption: str = "") -> Sent:
        return await self.outgoing.enclose(CODER, str(path), caption, to)

    async def refused(self, path: Path | str, words: str, to: str | None = None) -> None:
        with pytest.raises(UserError, match=words):
            await self.send(path, to)
        assert self.contents.kept == {}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    work, places = tmp_path / "work", Places(tmp_path / "home")
    work.mkdir()
    places.prepare()
    places.roster_file.write_text(ROSTER.replace("WORK", str(work)))
    fleet = LocalFleet(
        places, host="box", tenant_id="local", environment={}, thresholds=Thresholds()
    )
    fleet.reload()
    mailroom, contents = memory_mailroom(), MemoryContents()
    outgoing = Outgoing(
        LocalAgentFiles(fleet),
        contents,
        Mailbox(mailroom.outbox, lambda _: None),
        mailroom.correspondence,
        max_bytes=1_000_000,
    )
    return Desk(work, places, mailroom, contents, outgoing)


async def test_a_file_goes_where_the_question_came_from(desk: Desk) -> None:
    await desk.ask("aaaa1111")
    path = desk.work / "my report.md"
    path.write_bytes(b"# done\n" * 50_000)
    sent = await desk.send(path, caption="as asked")
    assert (sent.file.name, sent.file.media_type, sent.file.size) == (
        "my_report.md",
        "text/markdown",
        350_000,
    )
    assert sent.file.path == f"box:{path}"
    assert desk.contents.kept == {sent.file.content: path.read_bytes()}
    said = await desk.mailroom.correspondence.message(sent.message.id)
    assert said is not None
    assert (said.to, said.reply_to, said.author) == (ROOM, "$aaaa1111", CODER.id)
    assert (said.kind, said.cause, said.files) == (MessageKind.ANSWER, "aaaa1111", (sent.file,))


async def test_the_newest_question_is_meant_unless_one_is_named(desk: Desk) -> None:
    for name in ("aaaa1111", "bbbb2222"):
        await desk.ask(name)
    await desk.ask("cccc3333", origin=agent_address("box", "coder1"))
    await desk.ask("dddd4444", to=agent_address("box", "coder1"))
    path = desk.work / "a.txt"
    path.write_text("a")
    assert (await desk.send(path)).message.cause == "bbbb2222"
    assert (await desk.send(path, "aaaa")).message.cause == "aaaa1111"
    for other in ("cccc3333", "dddd4444", "eeee"):
        with pytest.raises(UserError, match=f"{other} is no message to you that a person waits"):
            await desk.send(path, other)


async def test_an_answered_question_can_still_be_named(desk: Desk) -> None:
    await desk.ask("aaaa1111")
    await desk.mailroom.outbox.record(Receipt("aaaa1111", ReceiptState.ANSWERED))
    path = desk.work / "a.txt"
    path.write_text("a")
    await desk.refused(path, "nobody waits for an answer of yours")
    assert (await desk.send(path, "aaaa1111")).message.reply_to == "$aaaa1111"


async def test_what_people_sent_may_be_sent_back(desk: Desk) -> None:
    await desk.ask("aaaa1111")
    for folder in (desk.places.folder_of("coder0", None), desk.places.folder_of("", "A1")):
        folder.mkdir(parents=True)
        (folder / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        assert (await desk.send(folder / "x.png")).file.media_type == "image/png"


async def test_nothing_outside_its_own_folders_is_sent(desk: Desk, tmp_path: Path) -> None:
    await desk.ask("aaaa1111")
    secret = tmp_path / "secret.txt"
    secret.write_text("s3cret")
    (desk.work / "link.txt").symlink_to(secret)
    (desk.work / "folder").symlink_to(tmp_path)
    other = desk.places.folder_of("coder1", None)
    other.mkdir(parents=True)
    (other / "x.txt").write_text("x")
    for path in (
        secret,
        desk.work / "link.txt",
        desk.work / "folder" / "secret.txt",
        f"{desk.work}/../secret.txt",
        other / "x.txt",
        desk.places.roster_file,
        "/etc/passwd",
    ):
        await desk.refused(path, "is not allowed: it lies at /")


async def test_only_regular_files_that_show_are_sent(desk: Desk) -> None:
    await desk.ask("aaaa1111")
    os.mkfifo(desk.work / "pipe")
    (desk.work / ".env").write_text("KEY=s3cret")
    (desk.work / ".git").mkdir()
    (desk.work / ".git" / "config").write_text("x")
    await desk.refused(desk.work, "is no regular file")
    await desk.refused(desk.work / "pipe", "is no regular file")
    await desk.refused("/dev/zero", "is no regular file")
    await desk.refused(desk.work / ".env", "is hidden, and hidden files are not sent")
    await desk.refused(desk.work / ".git" / "config", "is hidden")
    await desk.refused(desk.work / "nothing", "cannot be read: No such file")
    await desk.refused("relative.txt", "must begin with /")
    await desk.refused("/nul\x00byte", "cannot be read: embedded null byte")


async def test_our_own_state_is_not_sent_though_an_agent_works_above_it(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.ask("aaaa1111")
    roster = desk.places.roster_file
    roster.write_text(roster.read_text().replace(str(desk.work), str(tmp_path)))
    fleet = LocalFleet(
        desk.places, host="box", tenant_id="local", environment={}, thresholds=Thresholds()
    )
    fleet.reload()
    with pytest.raises(UserError, match="is not allowed"):
        LocalAgentFiles(fleet).open(PLACE, str(roster))


async def test_a_file_that_is_too_large_is_refused_with_both_numbers(desk: Desk) -> None:
    await desk.ask("aaaa1111")
    path = desk.work / "large.bin"
    path.write_bytes(b"x" * 1_000_001)
    await desk.refused(path, "has 1,000,001 bytes; the limit is 1,000,000 bytes")
