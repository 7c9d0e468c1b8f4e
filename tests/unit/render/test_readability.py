"""The grade of a text: syllables as dictionaries have them, and harder texts above simpler ones."""

import pytest

from bot.render.readability import grade, syllables, words


@pytest.mark.parametrize(
    ("word", "count"),
    [
        *(("time", 1), ("merged", 1), ("wanted", 2), ("changes", 2), ("rules", 1)),
        *(("table", 2), ("whole", 1), ("safely", 2), ("statement", 2), ("agreed", 2)),
        *(("review", 2), ("going", 2), ("nation", 2), ("client", 2), ("experience", 4)),
        *(("small", 1), ("the", 1), ("x", 1), ("orchestrator", 4), ("people", 2)),
    ],
)
def test_syllables_are_counted_as_a_dictionary_has_them(word: str, count: int) -> None:
    assert syllables(word) == count


def test_the_grade_is_the_formula_of_its_authors() -> None:
    # 6 words, 1 sentence, 6 syllables.
    assert grade("The cat sat on the mat.") == pytest.approx(0.39 * 6 + 11.8 - 15.59)
    # Two bullets are two sentences, a line that goes on is none, a heading does not count.
    text = "# Considerations\n\n* The cat sat\n  on the mat\n* The cat sat on the mat\n"
    assert grade(text) == pytest.approx(0.39 * 6 + 11.8 - 15.59)


def test_a_hard_text_is_graded_above_a_simple_one() -> None:
    simple = "Run the tests. Say what you saw. Ask when you do not know."
    hard = (
        "Notwithstanding organisational considerations, responsibility for the identification of"
        " inconsistencies remains with whichever administrative authority commissioned the evaluation."
    )
    assert grade(simple) < 2
    assert grade(hard) > 20


def test_an_empty_text_has_no_words_and_no_grade() -> None:
    assert (words(""), grade("# Title\n"), grade("")) == ([], 0.0, 0.0)
