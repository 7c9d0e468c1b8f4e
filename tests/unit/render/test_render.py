"""How each sort of block looks."""

import subprocess
import sys
import time

import pytest

from bot.render.rendering import render
from bot.reply import Block, Board, Code, Column, Fields, Markdown, Slip, Table, Text


def shown(block: Block, limit: int = 10_000) -> tuple[str, str]:
    (part,) = render([block], limit)
    return part.text, part.html


def test_plain_text_stands_as_it_is_and_is_escaped_only_in_html() -> None:
    text, html = shown(Text("*a* <b>\n@room"))
    assert text == "*a* <b>\n@room"
    assert html == "<p>*a* &lt;b&gt;<br>@room</p>"


def test_a_table_is_aligned_also_under_wide_characters() -> None:
    text, html = shown(Table(("id", "title"), (("A1", "日本"), ("B22", "x | y"))))
    assert text == "id   title\n───  ─────\nA1   日本\nB22  x | y"
    assert html == f"<pre><code>{text}\n</code></pre>"


def test_fields_stand_one_a_line_with_their_names() -> None:
    text, html = shown(Fields((("state", "ok"), ("since", "12:00\nUTC"))))
    assert text == "state: ok\nsince: 12:00\n       UTC"
    assert html == "<p><strong>state</strong>: ok<br><strong>since</strong>: 12:00<br>UTC</p>"


def test_a_board_is_a_list_for_each_lane() -> None:
    slips = (Slip("A1", "<b>", "claimed", "held by w1"), Slip("A2", "old", "done"))
    text, html = shown(Board((Column("M1", 5, slips), Column("M2", 0, ()))))
    assert text == "M1 · 5\n  ◐ A1  <b>\n      held by w1\n  ● A2  old\n  … 3 more\n\nM2 · 0"
    assert html == (
        "<p><strong>M1</strong> · 5</p><ul>"
        "<li>◐ <strong>A1</strong> &lt;b&gt;<br><em>held by w1</em></li>"
        "<li>● <strong>A2</strong> <s>old</s></li>"
        "<li><em>3 more</em></li></ul>"
        "<p><strong>M2</strong> · 0</p>"
    )


def test_code_that_holds_a_fence_stands_in_a_longer_one() -> None:
    text, html = shown(Code("```\nx < 1\n```", "py"))
    assert text == "````py\n```\nx < 1\n```\n````"
    assert html == '<pre><code class="language-py">```\nx &lt; 1\n```</code></pre>'


def test_a_language_that_is_no_plain_word_is_left_out() -> None:
    assert shown(Code("x", 'py"onload="y'))[1] == "<pre><code>x</code></pre>"


def test_raw_html_in_markdown_is_shown_and_not_obeyed() -> None:
    assert shown(Markdown("a <img src=x onerror=y> *b*"))[1] == (
        "<p>a &lt;img src=x onerror=y&gt; <em>b</em></p>"
    )


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//e.org"]
)
def test_a_dangerous_link_stays_words(url: str) -> None:
    assert "<a" not in shown(Markdown(f"[x]({url}) ![y]({url}) <{url}>"))[1]


def test_an_image_becomes_a_link_since_matrix_shows_only_its_own() -> None:
    assert shown(Markdown("![cat](https://e.org/c.png)"))[1] == (
        '<p><a href="https://e.org/c.png">cat</a></p>'
    )


def test_control_bytes_go_and_overrides_are_named() -> None:
    assert (
        shown(Text("a\x00\x07\x1b[31mb\r\nc\td\x9b\u202etxt.exe"))[0] == "ab\nc\td⟨U+202E⟩txt.exe"
    )


def test_what_nests_too_deep_is_shown_as_plain_words() -> None:
    deep = "\n".join("  " * depth + "- word" for depth in range(60))
    assert shown(Markdown(deep))[1].count("word") == 60


def test_a_long_text_is_cut_between_paragraphs() -> None:
    parts = render([Text("\n\n".join(["word " * 30] * 8))], 1_000)
    assert len(parts) > 1
    assert all(part.text.endswith("\n\n") for part in parts[:-1])


def test_a_cut_fence_goes_on_with_its_language_and_without_the_lists_margin() -> None:
    lines = "\n".join(f"     line {number}" for number in range(60))
    first, *others = render([Markdown(f"1. - ```python\n{lines}\n     ```\n   - more")], 900)
    assert first.text.splitlines()[-1] == "     ```"
    assert all(part.text.startswith("```python\nline ") for part in others)
    assert "more" in others[-1].text


def test_a_cut_table_goes_on_under_its_heading() -> None:
    parts = render([Table(("id", "title"), tuple((str(n), "t" * 20) for n in range(60)))], 1_500)
    assert len(parts) > 2
    assert all(part.text.startswith("id  title") for part in parts)


def test_a_cut_markdown_table_goes_on_under_its_heading() -> None:
    rows = "\n".join(f"| {number} | {'t' * 20} |" for number in range(60))
    parts = render([Markdown(f"| id | title |\n|---|---|\n{rows}")], 1_500)
    assert len(parts) > 2
    assert all("<pre><code>id  title\n" in part.html for part in parts)


def test_no_blocks_are_said_to_be_none() -> None:
    assert [part.text for part in render([], 1_000)] == ["(empty)"]


def test_a_limit_too_small_to_show_anything_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 512"):
        render([Text("x")], 100)


@pytest.mark.parametrize(
    "source", ["[" * 200_000, "> " * 100_000, "a\n\n" * 20_000, "|a" * 100_000, "`" * 200_000]
)
def test_much_hostile_markdown_takes_no_more_than_moments(source: str) -> None:
    begun = time.process_time()
    parts = render([Markdown(source)], 60_000)
    assert time.process_time() - begun < 5
    assert sum(len(part.text) for part in parts) >= len(source.strip())


def test_importing_render_does_not_import_the_markdown_parser() -> None:
    check = "import sys, bot.render.rendering; sys.exit('markdown_it' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_a_wide_table_fits_a_terminal_by_wrapping_its_widest_cells() -> None:
    row = (
        "orchestrator",
        "dogfood",
        "available: " + "the turn has ended and the prompt is empty " * 2,
    )
    (part,) = render([Table(("name", "runtime", "readiness"), (row,))], 8000, terminal=True)
    lines = part.text.splitlines()
    assert max(map(len, lines)) <= 88
    assert lines[2].startswith("orchestrator  dogfood  available: the turn")
    assert lines[3].startswith(" " * 23 + "has ended")
    assert " ".join(" ".join(lines[2:]).split()) == " ".join(" ".join(row).split())


WIDE = Table(
    ("id", "priority", "", "title"),
    (("A1", "5", "ready", "Design <the> schema"), ("A2", "", "", "Write the API & its reference")),
)


def test_in_chat_a_table_too_wide_for_a_telephone_is_a_list_of_its_rows() -> None:
    text, html = shown(WIDE)
    assert text.splitlines() == [
        "A1\u00a0· priority: 5\u00a0· ready\u00a0· title: Design <the> schema",
        "A2\u00a0· title: Write the API & its reference",
    ]
    assert html == (
        "<ul><li><strong>A1</strong><br><em>priority:</em> 5\u00a0· ready\u00a0· <em>title:</em> Design"
        " &lt;the&gt; schema</li>"
        "<li><strong>A2</strong><br><em>title:</em> Write the API &amp; its reference</li></ul>"
    )


def test_what_only_keeps_a_place_in_a_table_is_left_out_of_a_list() -> None:
    row = ("coder0", "-", "", "available: its prompt is empty")
    text, html = shown(Table(("name", "card", "flags", "readiness"), (row,)))
    assert text == "coder0\u00a0· readiness: available: its prompt is empty"
    assert html == (
        "<ul><li><strong>coder0</strong><br>"
        "<em>readiness:</em> available: its prompt is empty</li></ul>"
    )


def test_what_is_to_be_typed_is_shown_as_code_in_rooms_alone() -> None:
    text, html = shown(Text("To go on, say `!confirm <7>` within 9 s, or ` not"))
    assert text == "To go on, say `!confirm <7>` within 9 s, or ` not"
    assert "<code>!confirm &lt;7&gt;</code> within 9 s, or ` not" in html
    assert "<code>" not in shown(Text("a ` b\nc ` d"))[1], "never over a line's end"


def test_a_table_of_36_columns_stands_aligned_and_one_of_37_does_not() -> None:
    for width, tag in ((33, "<pre>"), (34, "<ul>")):
        _, html = shown(Table(("a", "b"), (("1", "x" * width),)))
        assert html.startswith(tag)


def test_a_wide_table_without_rows_shows_its_headings() -> None:
    text, html = shown(Table(("a" * 20, "b" * 20), ()))
    assert text == "a" * 20 + "  " + "b" * 20
    assert html == f"<p>{text}</p>"


def test_an_agent_s_table_follows_the_same_rule_and_keeps_its_links() -> None:
    narrow = "| a | b |\n|---|:-:|\n| `1` | **2** |"
    _, html = shown(Markdown(narrow))
    assert html == "<pre><code>a  b\n─  ─\n1  2\n</code></pre>"
    _, html = shown(Markdown("| a | b |\n|---|---|\n| 1 | [two](https://example.org) |"))
    assert html == ('<ul><li><strong>1</strong>: <a href="https://example.org">two</a></li></ul>')
    _, html = shown(Markdown(f"> | a | b |\n> |---|---|\n> | `1` | **{'2' * 40}** |"))
    assert "<blockquote>\n<ul><li><strong><code>1</code></strong>: <strong>" in html
    assert "<table" not in html


def test_no_block_of_ours_makes_a_table_that_telephones_cannot_show() -> None:
    assert "<table" not in "".join(shown(block)[1] for block in (WIDE, Markdown("|a|\n|-|\n|b|")))
