"""Of the people who put one mark, the first shows it and the last takes it away."""

from hypothesis import given
from hypothesis import strategies as st

from bot.model import Principal
from bot.people.reflections import Marking, mark_shower

ANN, BEN, EVE = (Principal(f"m:{name}", name) for name in ("ann", "ben", "eve"))


def put(event_id: str, who: Principal = ANN) -> Marking:
    return Marking(event_id, who)


def gone(event_id: str, of: str) -> Marking:
    return Marking(event_id, ANN, taken_back=of)


def shower(upto: str, *markings: Marking) -> tuple[str | None, bool]:
    return mark_shower(markings, upto, lambda who: who != EVE)


def test_the_first_shows_it_and_others_change_nothing() -> None:
    assert shower("1", put("1"), put("2", BEN)) == ("1", True)
    assert shower("2", put("1"), put("2", BEN)) == ("1", False)


def test_the_last_takes_away_what_the_first_showed() -> None:
    steps = put("1"), put("2", BEN), gone("3", "1"), gone("4", "2"), put("5", BEN)
    assert shower("3", *steps) == ("1", False)
    assert shower("4", *steps) == ("1", True)
    assert shower("5", *steps) == ("5", True)


def test_who_is_not_heard_changes_nothing() -> None:
    steps = put("1", EVE), put("2"), gone("3", "1"), gone("4", "2")
    assert [shower(one.event_id, *steps)[1] for one in steps] == [False, True, False, True]
    assert shower("4", *steps) == ("2", True)


def test_what_is_not_there_changes_nothing() -> None:
    assert shower("9", put("1")) == (None, False)
    assert shower("2", put("1"), gone("2", "7")) == ("1", False)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.sampled_from([ANN, BEN, EVE]))))
def test_what_was_shown_and_taken_away_adds_up(steps: list[tuple[bool, int, Principal]]) -> None:
    markings = [
        Marking(str(n), who, taken_back=None if adds else str(of))
        for n, (adds, of, who) in enumerate(steps)
    ]
    standing: list[str] = []
    held: set[str] = set()
    for one in markings:
        if one.taken_back is None and one.sender != EVE:
            held.add(one.event_id)
        held.discard(one.taken_back or "")
        first, changed = shower(one.event_id, *markings)
        if changed and first in standing:
            standing.remove(first)
        elif changed:
            standing.append(str(first))
        assert len(standing) == (1 if held else 0)
