"""What becomes of long answers on Discord."""

from bot.model import Address, Message, MessageKind
from bot.render.folding import pages_of
from bot.reply import Code, Text
from connectors.discord.limits import CAPABILITIES, LONGEST


def message(*blocks: Text | Code) -> Message:
    return Message("m" * 32, Address("discord", "1"), MessageKind.REPLY, blocks)


def test_what_fits_in_three_messages_is_said_in_them_with_its_block_of_code_kept() -> None:
    pages = pages_of(message(Code("x = 1  # é\n" * 400, "py")), (), CAPABILITIES)
    assert len(pages) == 3
    for page in pages:
        assert len(page.words.text) <= LONGEST
        assert page.words.text.startswith("```py\n")
        assert page.words.text.endswith("\n```")


def test_what_needs_more_becomes_a_file_below_its_beginning() -> None:
    first, whole = pages_of(
        message(Code("line\n" * 4000)), (Text("One tap chooses"),), CAPABILITIES
    )
    assert len(first.words.text) <= LONGEST
    assert "The whole is in" in first.words.text
    assert first.words.text.endswith("One tap chooses")
    assert whole.file is not None
    assert whole.file.words == "line\n" * 4000


def test_a_beginning_with_much_to_choose_still_fits() -> None:
    choices = tuple(Text("choose " * 30) for _ in range(4))
    first, *_ = pages_of(message(Text("word " * 4000)), choices, CAPABILITIES)
    assert len(first.words.text) <= LONGEST
