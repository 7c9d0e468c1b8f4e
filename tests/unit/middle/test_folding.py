"""Messages become events: files with their captions, and what is too long as a file."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.connector import Capabilities
from bot.enclosure import Enclosure
from bot.mail.mailbox import Mailbox
from bot.model import Address, Message, MessageKind, OutboundMessage
from bot.reply import Block, Code, Fields, Markdown, Offer, Table, Text
from tests.fakes.mailroom import MemoryOutbox, Room
from tests.stages.middle import ANN

LIMITS = Capabilities(
    threads=True,
    html=True,
    reactions=True,
    edits=True,
    typing=True,
    max_bytes=2000,
    choices=True,
    file_bytes=100_000,
    most_parts=3,
)
PLAN = Enclosure("plan.pdf", "application/pdf", 50, "c1", path="box:/src/plan.pdf")
LONG = "\n".join(f"line {number}" for number in range(1000))
OFFER = Offer("✅", "confirm", "does it", timedelta(minutes=5), ANN.id)


def parts(message: Message, limits: Capabilities = LIMITS) -> tuple[OutboundMessage, ...]:
    (letter,) = Mailbox(MemoryOutbox(Room()), lambda _: limits).seal([message])
    return letter.parts


def message(*blocks: Block, kind: MessageKind = MessageKind.ANSWER, **more: object) -> Message:
    return Message("0123456789", Address("memory", "room"), kind, blocks, **more)  # type: ignore[arg-type]


def test_words_stand_below_their_file() -> None:
    (part,) = parts(message(Text("as asked"), files=(PLAN,)))
    assert (part.text, part.html, part.files) == ("as asked", "<p>as asked</p>", (PLAN,))


def test_a_file_may_come_without_words() -> None:
    (part,) = parts(message(files=(PLAN,)))
    assert (part.text, part.html, part.files) == ("", None, (PLAN,))


def test_several_files_follow_their_words() -> None:
    other = replace(PLAN, name="other.pdf")
    words, first, second = parts(message(Text("both"), files=(PLAN, other)))
    assert (words.text, words.files) == ("both", ())
    assert (first.files, second.files) == ((PLAN,), (other,))
    assert len({part.transaction_id for part in (words, first, second)}) == 3


@pytest.mark.parametrize("limits", [replace(LIMITS, file_bytes=0), replace(LIMITS, file_bytes=49)])
def test_a_file_that_a_place_does_not_take_is_named_with_its_path(limits: Capabilities) -> None:
    (part,) = parts(message(Text("as asked"), files=(PLAN,)), limits)
    assert part.files == ()
    assert part.text == (
        "as asked\n\nFile plan.pdf (application/pdf, 50 bytes). It lies at box:/src/plan.pdf."
    )


def test_a_long_answer_is_folded_into_a_file() -> None:
    shown, file = parts(message(Markdown(LONG)))
    assert shown.text.startswith("line 0\nline 1\n")
    assert shown.text.endswith("The whole is in answer-01234567.md: 1000 lines, 8.7 KiB.")
    assert len(shown.text.encode()) + len((shown.html or "").encode()) <= LIMITS.max_bytes
    (whole,) = file.files
    assert (whole.name, whole.media_type, whole.words) == (
        "answer-01234567.md",
        "text/markdown",
        LONG,
    )
    assert whole.size == len(LONG)
    assert (file.text, file.html) == ("", None)


def test_long_output_is_kept_as_it_stands() -> None:
    rows = tuple((f"A{number}", "a card") for number in range(500))
    _, lines = parts(message(Code(LONG, "sh"), kind=MessageKind.REPLY))
    _, table = parts(message(Text("All:"), Table(("id", "title"), rows), kind=MessageKind.NOTICE))
    assert (lines.files[0].name, lines.files[0].words) == ("reply-01234567.txt", LONG)
    kept = table.files[0].words or ""
    assert table.files[0].name == "notice-01234567.txt"
    assert kept.startswith("All:\n\nid    title\n")
    assert kept.count("a card") == 500


def test_what_fits_in_the_allowed_number_of_events_is_not_folded() -> None:
    found = parts(message(Code("x\n" * 900)))
    assert 1 < len(found) <= 3
    assert all(not part.files for part in found)


def test_without_files_there_a_long_answer_stays_in_words() -> None:
    found = parts(message(Code(LONG)), replace(LIMITS, file_bytes=0))
    assert len(found) > 3
    assert sum(part.text.count("line ") for part in found) == 1000


def test_what_is_too_large_for_a_file_there_stays_in_words() -> None:
    assert len(parts(message(Code(LONG)), replace(LIMITS, file_bytes=1000))) > 3


def test_an_edit_is_one_event_without_files() -> None:
    (part,) = parts(message(Code(LONG), replaces="other", files=(PLAN,)))
    assert part.files == ()


def test_choices_of_a_folded_message_stay_in_sight() -> None:
    shown, file, mark = parts(message(Code(LONG), offers=(OFFER,)))
    assert "One tap chooses: ✅ does it" in shown.text
    assert file.files
    assert (mark.kind, mark.text) == (MessageKind.REACTION, "✅")


def test_mail_brings_all_its_files_in_one_part() -> None:
    other = replace(PLAN, name="other.pdf")
    mail = replace(message(Text(LONG), files=(PLAN, other)), kind=MessageKind.MAIL)
    (part,) = parts(mail)
    assert (part.text, part.files) == (LONG, (PLAN, other))


def test_blocks_with_a_form_go_along_where_the_platform_shows_them_and_the_words_are_one_event() -> (
    None
):
    embeds = replace(LIMITS, embeds=True)
    card = message(Text("A1"), Fields((("status", "ready"),)), offers=(OFFER,))
    assert parts(card)[0].blocks == ()
    said = parts(card, embeds)[0]
    assert said.blocks[:2] == card.blocks
    assert "✅ does it" in str(said.blocks[2])
    assert "status: ready" in said.text, "who cannot show it has the words"
    assert parts(message(Text("A1")), embeds)[0].blocks == ()
    long = message(Text("x" * 1500), Fields((("status", "x" * 1500),)))
    assert [part.blocks for part in parts(long, embeds)] == [(), ()]
