"""How a chat line is split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.command.words import quoted, split_line, unfenced
from bot.errors import UsageError


def texts(line: str) -> list[str]:
    return [word.text for word in split_line(line)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("backlog list", ["backlog", "list"]),
        ('create --title "two words" --id A1', ["create", "--title", "two words", "--id", "A1"]),
        ("create --title='two words'", ["create", "--title=two words"]),
        ("say don't stop", ["say", "don't", "stop"]),
        (r'say "a \"b\" c:\\x"', ["say", 'a "b" c:\\x']),
        ("say \N{LEFT DOUBLE QUOTATION MARK}a b\N{RIGHT DOUBLE QUOTATION MARK}", ["say", "a b"]),
        ("list \N{EM DASH}ready-only", ["list", "--ready-only"]),
        ("a \N{EM DASH} b", ["a", "\N{EM DASH}", "b"]),
        ('x ""', ["x", ""]),
        ("", []),
    ],
)
def test_a_line_is_split_as_people_expect(line: str, expected: list[str]) -> None:
    assert texts(line) == expected


def test_a_code_block_below_is_one_word_as_it_stands() -> None:
    line = "backlog import p.yaml\n```yaml\ntitle: don't \"stop\n  --x: 'y\n```\n"
    assert texts(line) == ["backlog", "import", "p.yaml", line.strip().partition("\n")[2]]
    assert unfenced(texts(line)[-1]) == "title: don't \"stop\n  --x: 'y\n"
    assert texts("say ```x``` now") == ["say", "```x```", "now"]
    assert texts("say\nnow ```x``` again") == ["say", "now", "```x```", "again"]
    assert unfenced("no block") == "no block"


def test_an_open_quote_is_refused_with_its_column() -> None:
    with pytest.raises(UsageError, match='the quote " at column 5 is never closed'):
        split_line('say "oh')


@given(st.lists(st.text(alphabet=st.characters(blacklist_categories=["Z", "C"]), min_size=1)))
def test_quoted_words_come_back_as_they_were(words: list[str]) -> None:
    line = " ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)
    assert list(texts(line)) == [
        "--" + word[1:]
        if len(word) > 1 and word[0] in "\N{EM DASH}\N{EN DASH}" and word[1].isalpha()
        else word
        for word in words
    ]


@given(st.text())
def test_any_line_is_split_or_refused(line: str) -> None:
    try:
        words = split_line(line)
    except UsageError:
        return
    assert all(line[word.start : word.start + 1].strip() for word in words)


@given(st.text(min_size=1))
def test_what_is_quoted_is_one_word_as_it_was(text: str) -> None:
    assert texts(f"confirm 1 --asked-by {quoted(text)}")[-1:] == [text]
