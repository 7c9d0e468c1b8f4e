"""Draws cards with their edges: as a tree of lines, and in Mermaid's language.

What people wrote is only ever a quoted label to Mermaid, with every sign that it might read spelled out.
"""

from collections.abc import Iterator, Mapping, Sequence

from bot.backlog.cards import Card
from bot.backlog.overview import STATES, state_of
from bot.command.words import shorten
from bot.render.board import mark_of

_LABEL = 60
_HARMLESS = frozenset(" .,:;!?()-_/+=*'")
_COLOURS = {
    "ready": "fill:#d7f5dd,stroke:#2b8a3e,color:#111",
    "waiting": "fill:#f1f3f5,stroke:#868e96,color:#111",
    "claimed": "fill:#d0ebff,stroke:#1971c2,color:#111",
    "blocked": "fill:#fff3bf,stroke:#e67700,color:#111",
    "done": "fill:#e9ecef,stroke:#adb5bd,color:#868e96",
}


def mermaid(cards: Sequence[Card], card_id: str | None = None) -> str:
    """Return a flowchart: an arrow leads from a card to those that wait for it; ``card_id`` is framed."""
    names = {card.id: f"c{number}" for number, card in enumerate(cards)}
    lines = ["flowchart TD"]
    for card in cards:
        text = label(shorten(f"{mark_of(state_of(card))} {card.id}: {card.title}", _LABEL))
        lines.append(f'    {names[card.id]}["{text}"]:::{state_of(card)}')
    lines += [
        f"    {names[needed]} --> {names[card.id]}"
        for card in cards
        for needed in card.depends_on
        if needed in names
    ]
    used = {state_of(card) for card in cards}
    lines += [f"    classDef {state} {_COLOURS[state]}" for state in STATES if state in used]
    if card_id in names:
        lines.append(f"    style {names[card_id]} stroke-width:4px")
    return "\n".join(lines) + "\n"


def label(text: str) -> str:
    """Return a text for a label of Mermaid's: what could end it or mean something in it is spelled out."""
    return "".join(
        sign if sign.isalnum() or sign in _HARMLESS or sign in "○◌◐⊘●·…" else f"#{ord(sign)};"
        for sign in text
        if sign.isprintable()
    )


def tree(cards: Sequence[Card], card_id: str | None = None) -> str:
    """Return lines: below each card stand those that it waits for; each is unfolded once.

    Of one card's surroundings, those that wait for it come first, then what it waits for.
    """
    drawing = _Tree(cards)
    if card_id is None:
        waited_for = {needed for card in cards for needed in card.depends_on}
        roots = [card.id for card in cards if card.id not in waited_for]
        return "\n".join(line for root in roots for line in drawing.lines(root, drawing.below))
    lines = [drawing.line(card_id), "waits for"]
    lines += list(drawing.branches(card_id, drawing.below, "")) or ["└─ nothing"]
    lines.append("is waited for by")
    lines += list(drawing.branches(card_id, drawing.above, "")) or ["└─ nobody"]
    return "\n".join(lines)


class _Tree:
    def __init__(self, cards: Sequence[Card]) -> None:
        self._cards = {card.id: card for card in cards}
        self._unfolded: set[str] = set()
        self.below: dict[str, list[str]] = {
            card.id: [needed for needed in card.depends_on if needed in self._cards]
            for card in cards
        }
        self.above: dict[str, list[str]] = {card.id: [] for card in cards}
        for card_id, needs in self.below.items():
            for needed in needs:
                self.above[needed].append(card_id)

    def line(self, card_id: str) -> str:
        """Return a card in one line."""
        card = self._cards[card_id]
        state = state_of(card)
        said = {"claimed": f" ({card.claim_owner})", "blocked": " (blocked)"}.get(state, "")
        return f"{mark_of(state)} {card.id}  {shorten(card.title, _LABEL)}{said}"

    def lines(self, card_id: str, ways: Mapping[str, Sequence[str]]) -> Iterator[str]:
        """Yield a card with all below it."""
        yield self.line(card_id)
        yield from self.branches(card_id, ways, "")

    def branches(
        self, card_id: str, ways: Mapping[str, Sequence[str]], margin: str
    ) -> Iterator[str]:
        """Yield what hangs on a card, without recursion: a chain may be as long as the excerpt."""
        pending = [(margin, child, last) for child, last in _with_last(ways[card_id])][::-1]
        while pending:
            margin, here, last = pending.pop()
            again = here in self._unfolded and bool(ways[here])
            yield f"{margin}{'└─' if last else '├─'} {self.line(here)}{' ↑' if again else ''}"
            self._unfolded.add(here)
            if not again:
                deeper = margin + ("   " if last else "│  ")
                pending += [(deeper, one, end) for one, end in _with_last(ways[here])][::-1]


def _with_last(ids: Sequence[str]) -> list[tuple[str, bool]]:
    return [(card_id, number == len(ids) - 1) for number, card_id in enumerate(ids)]
