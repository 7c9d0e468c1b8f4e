"""Cards as any backlog may hold them, for Hypothesis."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from bot.backlog.cards import Card, CardStatus
from bot.backlog.shipment import card_of
from commands.card_file import read_cards

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(
    lambda text: text == text.strip()
)
TEXT = st.one_of(
    st.text(CHARACTERS, max_size=60),
    st.lists(LINE, max_size=4).map("\n".join),
    st.sampled_from(
        ["yes", "null", "1", "1.0", "~", "- a", "a: b", "#", "2024-01-01", "|\n", "\ufeff"]
    ),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        TEXT,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
OPTIONAL = st.one_of(st.none(), LINE)


@st.composite
def cards(draw: st.DrawFn) -> list[Card]:
    """Cards as any backlog may hold them, but for claims."""
    (blank,) = read_cards("version: 1\ncards: [{id: X, title: x}]\n", "p")
    made: list[Card] = []
    for number in range(draw(st.integers(0, 5))):
        status = draw(st.sampled_from([CardStatus.READY, CardStatus.BLOCKED, CardStatus.DONE]))
        ids = [card.id for card in made]
        made.append(
            replace(
                card_of(blank),
                id=f"C{number}",
                title=draw(LINE),
                body=draw(TEXT),
                phase=draw(OPTIONAL),
                priority=draw(st.integers(-(2**31), 2**31 - 1)),
                status=status,
                depends_on=tuple(draw(st.permutations(ids))),
                idempotency_key=draw(st.none() | LINE.map(f"{number} ".__add__)),
                acceptance=draw(VALUES),
                agent_class=draw(OPTIONAL),
                agent=draw(OPTIONAL),
                host=draw(OPTIONAL),
                block_reason=draw(OPTIONAL) if status is CardStatus.BLOCKED else None,
            )
        )
    return made
