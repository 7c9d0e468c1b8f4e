"""What a changed baseline brings to a person's own text."""

from hypothesis import given
from hypothesis import strategies as st

from bot.agents.personas import Collision
from fleet.personas.three_way import bring, unified

THEN = "# Code\n\n* read\n* write\n* test\n* ask\n\nCalm.\n"
TEXTS = st.lists(st.sampled_from("abcdef"), max_size=12).map(
    lambda found: "".join(f"{x}\n" for x in found)
)


def test_what_changed_elsewhere_is_brought_and_a_persons_lines_stay() -> None:
    theirs = THEN.replace("* ask\n", "* ask Ann\n")
    now = THEN.replace("* read\n", "* read first\n")
    brought, collisions = bring(theirs, THEN, now)
    assert brought == THEN.replace("* ask\n", "* ask Ann\n").replace("* read\n", "* read first\n")
    assert collisions == ()


def test_where_both_changed_the_same_lines_the_persons_stay_and_ours_are_named() -> None:
    theirs = THEN.replace("# Code\n", "# Code\n\nOur house.\n").replace("* test\n", "* test all\n")
    now = THEN.replace("* test\n", "* test twice\n").replace("Calm.", "Calm and kind.")
    brought, collisions = bring(theirs, THEN, now)
    assert brought == theirs.replace("Calm.", "Calm and kind.")
    assert collisions == (Collision(7, "* test all\n", "* test twice\n"),)
    assert theirs.splitlines()[7 - 1] == "* test all"


def test_what_a_person_took_over_already_is_neither_brought_nor_a_collision() -> None:
    now = THEN.replace("* ask\n", "* ask early\n")
    theirs = now.replace("Calm.", "Loud.")
    assert bring(theirs, THEN, now) == (theirs, ())


def test_lines_beside_each_other_collide_too() -> None:
    theirs = THEN.replace("* test\n", "* test all\n")
    now = THEN.replace("* ask\n", "* ask early\n")
    brought, (collision,) = bring(theirs, THEN, now)
    assert brought == theirs
    assert (collision.theirs, collision.ours) == ("* test all\n* ask\n", "* test\n* ask early\n")


def test_a_text_without_a_last_line_end_is_shown_as_diff_shows_it() -> None:
    shown = unified("a\nb", "a\nc\n", ("x", "y"))
    assert shown == "--- x\n+++ y\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n"
    assert unified("a\n", "a\n", ("x", "y")) == ""


@given(TEXTS, TEXTS)
def test_who_changed_nothing_gets_all_and_what_did_not_change_brings_nothing(
    one: str, other: str
) -> None:
    assert bring(one, one, other) == (other, ())
    assert bring(other, one, one) == (other, ())
    assert bring(other, one, other) == (other, ())


@given(TEXTS, TEXTS, TEXTS)
def test_a_collision_names_the_line_in_the_persons_own_text(
    theirs: str, then: str, now: str
) -> None:
    lines = theirs.splitlines(keepends=True)
    for one in bring(theirs, then, now)[1]:
        mine = one.theirs.splitlines(keepends=True)
        assert lines[one.line - 1 : one.line - 1 + len(mine)] == mine
        assert one.theirs != one.ours
