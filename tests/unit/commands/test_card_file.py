"""Files of cards: what is refused, on which line; and that writing and reading agree."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.backlog.cards import Card, CardDraft, CardStatus
from bot.backlog.shipment import Entry, card_of
from bot.errors import UserError
from commands.card_file import read_cards, write_cards
from commands.document import read_document
from tests.modesty import modest
from tests.shipments import VALUES, cards

GOOD = """\
version: 1
cards:
  - id: A1
    title: the schema
    priority: 5
    depends_on: [A0]
    acceptance: {when: 2024-01-01, yes: no, list: [1, 1.5, null, true, 0x1F]}
    body: |
      two
      lines
  - {id: A0, title: "12", status: blocked, block_reason: no key}
"""


def refused(text: str, name: str = "plan.yaml") -> list[str]:
    with pytest.raises(UserError) as caught:
        read_cards(text, name)
    assert caught.value.code == "invalid"
    assert caught.value.hint == "nothing was imported"
    return caught.value.message.split("\n")


def test_a_file_is_read_with_the_lines_of_its_fields() -> None:
    first, second = read_cards(GOOD, "plan.yaml")
    assert (first.draft.id, first.draft.title, first.draft.priority) == ("A1", "the schema", 5)
    assert (first.draft.depends_on, first.draft.body) == (("A0",), "two\nlines\n")
    assert first.draft.acceptance == {
        "when": "2024-01-01",
        "yes": "no",
        "list": [1, 1.5, None, True, "0x1F"],
    }
    assert (first.line, first.line_of("depends_on"), second.line_of("title")) == (3, 6, 11)
    assert (second.draft.title, second.status) == ("12", CardStatus.BLOCKED)
    assert second.block_reason == "no key"


def test_json_is_read_with_its_lines_too() -> None:
    text = '{"version": 1,\n "cards": [\n  {"id": "A", "title": "\\ud83d\\ude00 \\/"},\n  {"id": "-"}]}'
    assert refused(text, "plan.json")[0].startswith("plan.json:4: id: '-' is not allowed: ")
    (entry,) = read_cards(text.replace(',\n  {"id": "-"}', ""), "plan.json")
    assert entry.draft.title == "😀 /"


def test_every_bad_entry_is_named_at_once() -> None:
    told = refused(
        "version: 1\n"
        "cards:\n"
        "  - {id: A, title: a, prioritty: 3}\n"
        "  - id: -bad\n"
        "    title: ''\n"
        "    status: claimed\n"
        "    priority: '7'\n"
        "  - {id: B, title: b, depends_on: [A, 'x y']}\n"
        "  - {id: C, title: c, block_reason: because}\n"
        "  - {title: d}\n"
        "  - 7\n"
    )
    starts = [
        "plan.yaml:3: prioritty: there is no such key; did you mean priority? (allowed: id, title",
        "plan.yaml:4: id: '-bad' is not allowed: ",
        "plan.yaml:5: title: '' is not allowed: ",
        "plan.yaml:6: status: 'claimed' is not allowed: a file says ready, blocked or done",
        "plan.yaml:7: priority: '7' is not allowed: ",
        "plan.yaml:8: depends_on: 'x y' is not allowed: ",
        "plan.yaml:9: block_reason: a card that is ready has none",
        "plan.yaml:10: id: is missing",
        "plan.yaml:11: 7 is no card",
    ]
    assert [line[: len(start)] for line, start in zip(told, starts, strict=True)] == starts


def test_of_very_many_faults_the_first_are_told() -> None:
    told = refused("version: 1\ncards:\n" + "  - {id: '?'}\n" * 60)
    assert len(told) == 51
    assert told[-1] == "and 10 more"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "p:1: a file of cards begins with `version: 1`"),
        ("- id: A\n", "p:1: a file of cards begins with `version: 1`"),
        ("cards: []\n", "p:1: version: is missing"),
        ("version: 2\ncards: []\n", "p:1: version: 2 is not known"),
        ("version: true\ncards: []\n", "p:1: version: True is not known"),
        ("version: 1\ncards: {}\n", "p:2: cards: must be a list"),
        ("version: 1\ncard: []\n", "p:2: card: there is no such key; did you mean cards?"),
        ("version: 1\ncards:\n- {id: A,\n   id: B}\n", "p:4: id stands here twice"),
        ("version: 1\ncards: &all []\n", "p:2: write it out"),
        ("version: 1\ncards: *all\n", "p:2: write it out"),
        ("version: 1\ncards: !!python/object:os.system x\n", "p:2: tag:yaml.org,2002:python"),
        ("version: 1\n? [a]\n: b\n", "p:2: a key must be a word"),
        ("version: 1\n---\nversion: 1\n", "p:2: a second document begins here"),
        ("version: 1\ncards: [\n", "p:3: not YAML: "),
        ("version: 1\ntitle: 'a\x01b'\n", "p:2: not YAML: "),
        ("cards: " + "[" * 5000, "p:1: nested deeper than 64"),
        ("[" * 100_000, "p:1: "),
        ("{" + '"a":{' * 100_000, "p:1: "),
        ('{"version": 1,\n "cards": [1,]}', "p:2: not JSON: "),
        ('{"version": NaN}', "p:1: not JSON: NaN"),
        ("version: " + "9" * 5000, "p:1: a number of 5000 digits is too long"),
        ("version: 1\ncards:\n- {id: A, title: a, acceptance: 1e999}\n", "p:3: acceptance: inf is"),
        ("version: 1\ncards:\n- {id: A, title: \ud800}\n", "p:1: "),
        ("#" * (8 * 1024 * 1024 + 1), "p:1: the file has 8388609 bytes"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(text: str, said: str) -> None:
    assert refused(text, "p")[0].startswith(said)


def test_a_bomb_of_aliases_is_refused_before_it_grows() -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    assert refused("a0: &a0 [x]\n" + levels, "p") == [
        "p:1: write it out: anchors and aliases are not taken"
    ]


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def dated(card: Card) -> Card:
    """Return a card with one date for all."""
    return replace(card, created_at=EPOCH, updated_at=EPOCH)


@modest
@given(cards(), st.sampled_from(["yaml", "json"]))
def test_what_was_written_is_read_as_it_was(
    made: list[Card], form: Literal["yaml", "json"]
) -> None:
    text = write_cards(made, form)
    entries = read_cards(text, "plan")
    fresh = [card_of(entry) for entry in entries]
    assert [dated(card) for card in fresh] == [dated(card) for card in made]
    assert write_cards(fresh, form) == text


@pytest.mark.parametrize(
    "word", ["0E0", "1e3", "12", "0x1", "1_000", "~", "null", "true", "1:30", "=", ""]
)
def test_a_text_that_looks_like_something_else_comes_back_as_a_text(word: str) -> None:
    (entry,) = read_cards(
        write_cards([card_of(Entry(CardDraft("A", "t", body=word)))], "yaml"), "p"
    )
    assert (entry.draft.body or "") == word


@modest
@given(VALUES)
def test_a_json_text_says_the_same_to_us_as_to_everybody(value: Any) -> None:
    text = json.dumps({"a": value}, ensure_ascii=False)
    assert read_document(text, "p").value == json.loads(text)
