"""The account of a soak finds what is lost, doubled and out of order; its blows are all dealt."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.bench.soak.ledger import Heard, Ledger, settle
from tests.bench.soak.memory import Life, Sample
from tests.bench.soak.plan import FULL, QUICK, Blow, fits, is_interrupted, line

ASKED = [("$a", 0), ("$b", 1), ("$c", 2)]


def answer(of: str, body: str) -> dict[str, Any]:
    relation = {"m.in_reply_to": {"event_id": of}}
    return {"type": "m.room.message", "content": {"body": body, "m.relates_to": relation}}


def mark(of: str) -> dict[str, Any]:
    relation = {"rel_type": "m.annotation", "event_id": of, "key": "✅"}
    return {"type": "m.reaction", "content": {"m.relates_to": relation}}


def judged(said: Sequence[dict[str, Any]], away: frozenset[str] = frozenset()) -> Ledger:
    return settle([Heard(4, ASKED, said)], fits, is_interrupted, away)


GOOD = [
    answer("$a", "The backlog has card R4N0: soak"),
    answer("$b", "Card LOG4 is changed."),
    answer("$c", "ready: 2"),
]


def test_all_answered_once_and_in_order_is_clean() -> None:
    ledger = judged([*GOOD, mark("$a"), mark("$b")])
    assert ledger.clean
    assert (ledger.asked, ledger.interrupted) == (3, 0)


def test_what_was_never_answered_is_lost_and_counted_apart_when_it_was_said_in_the_absence() -> (
    None
):
    ledger = judged([GOOD[0]], away=frozenset({"$b"}))
    assert (ledger.lost, ledger.lost_away, ledger.clean) == (2, 1, False)


def test_a_second_answer_is_doubled_and_not_astray() -> None:
    ledger = judged([*GOOD, GOOD[0]])
    assert (ledger.doubled, ledger.astray, ledger.clean) == (1, 0, False)


def test_an_answer_behind_that_to_a_later_line_is_astray() -> None:
    ledger = judged([GOOD[1], GOOD[0], GOOD[2]])
    assert (ledger.astray, ledger.doubled, ledger.clean) == (1, 0, False)


def test_an_answer_with_other_words_is_wrong() -> None:
    assert judged([answer("$a", "The backlog has card R4N3"), *GOOD[1:]]).wrong == 1


def test_a_mark_that_stands_twice_is_found() -> None:
    assert judged([*GOOD, mark("$a"), mark("$a")]).marked_twice == 1


def test_a_command_that_was_cut_short_is_named_with_its_line() -> None:
    named = answer("$a", f"interrupted: {line(4, 0)}\nIt may have run")
    ledger = judged([named, *GOOD[1:]])
    assert (ledger.interrupted, ledger.clean) == (1, True)
    assert judged([answer("$a", f"interrupted: {line(4, 1)}"), *GOOD[1:]]).wrong == 1


def test_all_blows_fall_in_the_first_three_fifths_and_a_seed_repeats_them() -> None:
    for plan in (QUICK, FULL):
        blows = plan.blows(random.Random(1))
        kinds = Counter(blow for _, blow in blows)
        assert kinds[Blow.RESTART] + kinds[Blow.BOTH] == 5
        assert kinds[Blow.KILL] + kinds[Blow.ABSENCE] + kinds[Blow.BOTH] == 10
        assert max(moment for moment, _ in blows) < plan.messages * 3 // 5
        assert blows == plan.blows(random.Random(1))


def test_memory_that_grows_is_seen_and_its_warming_up_is_not() -> None:
    flat, growing = Life(1), Life(1)
    for answered in range(0, 4000, 100):
        warm = 100.0 if answered > 500 else 60.0
        flat.samples.append(Sample(answered, warm, 30))
        growing.samples.append(Sample(answered, warm + answered / 100, 30))
    assert (flat.slope, flat.growth) == (0.0, 0.0)
    assert 9.9 < growing.slope < 10.1
    assert growing.growth > 20
    assert growing.peak == 139.0
