"""What a dogfood agent reads out of a message, and when it misbehaves at a card."""

from pathlib import Path

import pytest

from fleet.dogfood.habit import WORDS, Diary, Habit, habit_of
from fleet.dogfood.message import Errand, errand_of, first_line, peer_of, sender_of

TOKEN = "0123456789abcdef0123456789abcdef"
LINE = f"mosaic backlog complete --id A7 --token {TOKEN}"


def card(*lines: str, tag: str = "card") -> str:
    head = f"[from east:mosaic → to east:coder0 | class {tag} | id 0badcafe]"
    return "\n".join((head, *lines, "[end 0badcafe]"))


def test_the_line_that_completes_a_card_is_found_among_others() -> None:
    text = card("A7: Design the schema", "", "When it is done:", f"  {LINE}  ", "Thanks.")
    assert errand_of(text) == Errand("A7", TOKEN)
    assert first_line(text) == "A7: Design the schema"
    assert sender_of(text) == "east:mosaic · card"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "mosaic backlog complete --id A7",
        f"{LINE} --checked",
        f"$ {LINE}",
        f"`{LINE}`",
        f"{LINE}; rm -rf /",
        f"{LINE} && true",
        f"{LINE}\u2028rm",
        f"mosaic backlog complete --id -A7 --token {TOKEN}",
        "mosaic backlog complete --id A7 --token --yes",
        "mosaic backlog complete --id A7 --token $(id)",
        f"mosaic backlog  complete --id A7 --token {TOKEN}",
        f"mosaic backlog complete --id {'A' * 65} --token {TOKEN}",
        f"mosaic backlog complete --id A\u0667 --token {TOKEN}",
        f"mosaic backlog complete --id A7 --token {'f' * 129}",
        f"mosaic backlog release --id A7 --token {TOKEN}",
    ],
)
def test_nothing_else_is_ever_taken_for_it(line: str) -> None:
    assert errand_of(card("Do this:", line)) is None


def test_two_such_lines_are_none() -> None:
    assert errand_of(card(LINE, LINE)) is None


@pytest.mark.parametrize("text", [card(LINE, tag="chat"), card(LINE, tag="cards"), LINE])
def test_only_mail_of_class_card_is_work(text: str) -> None:
    assert errand_of(text) is None


def test_only_an_agent_is_a_peer() -> None:
    assert peer_of(card("hello")) == ("east", "mosaic")
    assert peer_of("[from matrix:@ann → to a:b | class chat | id 1]\nhello\n[end 1]") is None
    assert peer_of("hello") is None


@pytest.mark.parametrize("word", WORDS)
def test_a_habit_is_a_word_with_or_without_a_number(word: str) -> None:
    assert habit_of(word) == Habit(word, 1)
    assert habit_of(f"{word}:3") == Habit(word, 3)


@pytest.mark.parametrize(
    "text", ["explode", "die:", "die:0", "die:-1", "die:3 ", "DIE", "die,hang"]
)
def test_another_word_is_refused_with_those_that_there_are(text: str) -> None:
    with pytest.raises(ValueError, match="is not allowed; allowed: hang, die, dialog"):
        habit_of(text)


def errand(number: int) -> Errand:
    return Errand(f"A{number}", f"{number:08x}{TOKEN}")


def test_without_a_habit_nothing_is_written_down(tmp_path: Path) -> None:
    path = tmp_path / "a.cards"
    assert Diary(path, habit_of("")).begin(errand(1)) == ""
    assert not path.exists()


def test_every_third_card_is_counted_over_restarts(tmp_path: Path) -> None:
    path, habit = tmp_path / "a.cards", habit_of("die:3")
    words = [Diary(path, habit).begin(errand(number)) for number in range(1, 7)]
    assert words == ["", "", "die", "", "", "die"]
    assert Diary(path, habit).begin(errand(6)) == "", "asked again it does its work"
    assert Diary(path, habit).begin(errand(7)) == "", "and that does not count"
    assert Diary(path, habit).begin(errand(8)) == ""
    assert Diary(path, habit).begin(errand(9)) == "die"


@pytest.mark.parametrize(("word", "again"), [("forget", ""), ("never", "never"), ("die", "")])
def test_asked_again_only_never_stays_as_it_was(tmp_path: Path, word: str, again: str) -> None:
    diary = Diary(tmp_path / "a.cards", habit_of(word))
    assert [diary.begin(errand(1)) for _ in range(3)] == [word, again, again]
    assert diary.begin(errand(2)) == word
    assert diary.begin(Errand("A1", TOKEN)) == word, "another claim is another attempt"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cards": 1, "met": 3}', "\udcff"])
def test_a_broken_file_is_begun_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.cards"
    path.write_bytes(text.encode(errors="surrogateescape"))
    assert Diary(path, habit_of("die")).begin(errand(1)) == "die"
