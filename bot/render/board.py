"""A board as words and as HTML: lanes one below the other, which reads well on a phone too."""

from collections.abc import Iterator

from bot.render.markup import inline
from bot.reply import Board, Column, Slip

MARKS = {"ready": "○", "waiting": "◌", "claimed": "◐", "blocked": "⊘", "done": "●"}
"""One sign for each way in which a card stands: an empty circle fills as work goes on."""

_NO_MARK = "·"


def mark_of(state: str) -> str:
    """Return the sign of a state."""
    return MARKS.get(state, _NO_MARK)


def slips_of(board: Board) -> Iterator[Slip]:
    """Yield the cards of all lanes."""
    for column in board.columns:
        yield from column.slips


def more_of(column: Column) -> int:
    """Return how many cards of a lane are not shown."""
    return max(0, column.total - len(column.slips))


def board_text(board: Board) -> str:
    """Return a board as plain lines."""
    return "\n\n".join("\n".join(_column_lines(column)) for column in board.columns)


def _column_lines(column: Column) -> Iterator[str]:
    yield f"{column.name} · {column.total}"
    for slip in column.slips:
        yield f"  {mark_of(slip.state)} {slip.id}  {slip.title}".rstrip()
        if slip.note:
            yield f"      {slip.note}"
    if more_of(column):
        yield f"  … {more_of(column)} more"


def board_html(board: Board) -> str:
    """Return a board as a list a lane."""
    return "".join(_column_html(column) for column in board.columns)


def _column_html(column: Column) -> str:
    items = "".join(map(_slip_html, column.slips))
    more = f"<li><em>{more_of(column)} more</em></li>" if more_of(column) else ""
    rows = f"<ul>{items}{more}</ul>" if items or more else ""
    return f"<p><strong>{inline(column.name)}</strong> · {column.total}</p>{rows}"


def _slip_html(slip: Slip) -> str:
    note = f"<br><em>{inline(slip.note)}</em>" if slip.note else ""
    title = inline(slip.title)
    title = f"<s>{title}</s>" if slip.state == "done" else title
    return f"<li>{mark_of(slip.state)} <strong>{inline(slip.id)}</strong> {title}{note}</li>"


def cut_board(board: Board, amount: int) -> tuple[Board, Board]:
    """Return the first ``amount`` cards with their lanes, and the rest, which names a cut lane again.

    The two pieces of a lane divide its total: cards that are not shown count for the second.
    """
    head: list[Column] = []
    rest: list[Column] = []
    room = amount
    for column in board.columns:
        here = column.slips[: max(room, 0)]
        later = column.slips[len(here) :]
        if not later and (room > 0 or not rest):
            head.append(column)
        else:
            if here:
                head.append(Column(column.name, len(here), here))
            rest.append(Column(column.name, column.total - len(here), later))
        room -= len(here)
    return Board(tuple(head)), Board(tuple(rest))
