"""Words in the Markdown of chat platforms such as Discord's."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.render.rendering import SMALLEST, render
from bot.reply import Block, Code, Fields, Markdown, Table, Text
from tests.unit.render.test_render_properties import HOSTILE

WORDS = st.lists(HOSTILE | st.text(max_size=20), max_size=30).map(" ".join)


def shown(*blocks: Block, limit: int = 2000) -> str:
    (part,) = render(blocks, limit, markdown=True)
    assert part.html == ""
    return part.text


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("*bold* _x_ ~~y~~ ||z||", r"\*bold\* \_x\_ \~\~y\~\~ \|\|z\|\|"),
        ("<@1> <#2> <t:1:R>", r"\<@1> \<#2> \<t:1:R>"),
        ("[x](https://e.org)", r"\[x](https://e.org)"),
        ("# one\n> two\n- three\n+ 4\n12. five", "\\# one\n\\> two\n\\- three\n\\+ 4\n12\\. five"),
        ("a - b # c > d 1. e", "a - b # c > d 1. e"),
        (r"c:\new", r"c:\\new"),
        ("say `!backlog list` or *not*", r"say `!backlog list` or \*not\*"),
        ("https://e.org/a_b_c*d and a_b", r"https://e.org/a_b_c*d and a\_b"),
        ("one ` tick", r"one \` tick"),
        ("@everyone", "@everyone"),
    ],
)
def test_signs_in_plain_text_mean_nothing(said: str, text: str) -> None:
    assert shown(Text(said)) == text


def test_what_is_blank_at_the_ends_is_left_out_and_nothing_is_said_to_be_empty() -> None:
    assert shown(Text("\n  a\n")) == "a"
    assert shown(Text(" \n ")) == "(empty)"
    assert shown() == "(empty)"


def test_code_cannot_end_its_block() -> None:
    text = shown(Code("a\n```\n@everyone `", "PY"))
    assert text.startswith("```py\na\n")
    assert text.endswith("\n```")
    assert text.count("```") == 2
    assert text.replace("\u200b", "") == "```py\na\n```\n@everyone `\n```"


def test_what_the_platform_does_not_know_is_said_in_another_way() -> None:
    source = (
        "# One\n#### Four\n\nTwo\n===\n\n![a picture](https://e.org/x.png) and **bold**\n\n"
        "| a | b |\n|---|---|\n| 1 | x \\| y |\n\n~~~python\nprint(1)\n~~~\n\n    indented\n\nend"
    )
    assert shown(Markdown(source)) == (
        "# One\n**Four**\n\n# Two\n\n[a picture](https://e.org/x.png) and **bold**\n\n"
        "```\na  b\n─  ─────\n1  x | y\n```\n\n```python\nprint(1)\n```\n\n```\nindented\n```\n\nend"
    )


def test_tables_and_fields_are_read_on_a_telephone() -> None:
    assert shown(Table(("a", "b"), (("1", "2"),))) == "```\na  b\n─  ─\n1  2\n```"
    wide = Table(("id", "title", "by"), (("A_1", "x" * 40, "ann"),))
    assert shown(wide) == f"A\\_1\N{NO-BREAK SPACE}· title: {'x' * 40}\N{NO-BREAK SPACE}· by: ann"
    assert shown(Fields((("na*me", "va_lue"),))) == "**na\\*me:** va\\_lue"


@given(WORDS)
def test_plain_text_loses_nothing_but_the_backslashes(words: str) -> None:
    (plain,) = render([Text(words)], 100_000, markdown=True)
    (known,) = render([Text(words)], 100_000)
    outside = re.sub(r"`[^`\n]+`|https?://[^\s<>]+", "", plain.text)
    assert re.sub(r"\\.", "", outside).count("*") == 0
    if "\\" not in words:
        assert plain.text.replace("\\", "") == (known.text.strip() or "(empty)")


@given(
    st.lists(
        WORDS.flatmap(lambda w: st.sampled_from([Text(w), Markdown(w), Code(w, w)])), max_size=5
    ),
    st.integers(SMALLEST, 2000),
)
def test_parts_keep_their_limit_and_close_their_blocks(blocks: list[Block], limit: int) -> None:
    for part in render(blocks, limit, markdown=True):
        assert 0 < part.size <= limit
        assert part.text == part.text.strip()
