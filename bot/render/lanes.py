"""A board in a terminal: as many lanes side by side as fit, each card in its state's colour."""

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table as Grid
from rich.text import Text

from bot.render.board import mark_of, more_of
from bot.render.markup import clean
from bot.reply import Board, Column, Slip

STATE_STYLES = {
    "ready": "green",
    "waiting": "cyan",
    "claimed": "bold cyan",
    "blocked": "yellow",
    "done": "dim",
}
_NARROWEST = 26
_WIDEST = 60
_GAP = 2
_LINES = 2
_MARGIN = 2  # the mark and a space
_SLACK = 5  # columns that words may leave empty at the end of a line


class Lanes:
    """What rich draws: rows of lanes of the same width, never wider than the terminal."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw as wide as there is room."""
        columns = self._board.columns
        fitting = max(1, (options.max_width + _GAP) // (_NARROWEST + _GAP))
        rows = -(-len(columns) // fitting)
        abreast = -(-len(columns) // max(rows, 1))  # rows of about the same length
        room = (options.max_width + _GAP) // max(abreast, 1) - _GAP
        width = max(1, min(room, _WIDEST))
        for number, several in enumerate(_batches(columns, abreast)):
            if number:
                yield Text()
            yield _row(several, width)


def _batches(columns: Sequence[Column], size: int) -> Iterator[Sequence[Column]]:
    for start in range(0, len(columns), max(size, 1)):
        yield columns[start : start + size]


def _row(columns: Sequence[Column], width: int) -> RenderableType:
    grid = Grid.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    for _ in columns:
        grid.add_column(width=width, overflow="fold")
    grid.add_row(*(_lane(column, width) for column in columns))
    return grid


def _lane(column: Column, width: int) -> RenderableType:
    name = _cut(clean(column.name), width - len(str(column.total)) - 1)
    cards = Grid.grid()
    cards.add_column(width=_MARGIN)
    cards.add_column(width=max(width - _MARGIN, 1), overflow="fold")
    for slip in column.slips:
        style = STATE_STYLES.get(slip.state, "")
        cards.add_row(Text(mark_of(slip.state), style), _slip(slip, max(width - _MARGIN, 1)))
    if more_of(column):
        cards.add_row("", Text(f"… {more_of(column)} more", "dim italic"))
    head = Text.assemble((name, "bold"), (f" {column.total}", "dim"))
    return Group(head, Text("─" * width, "dim"), cards)


def _slip(slip: Slip, width: int) -> Text:
    """Return a card beside its mark: its id in its state's colour, then title and note, two lines each at most."""
    card_id = _cut(clean(slip.id), width)
    title = _cut(_flat(slip.title), width * _LINES - len(card_id) - _SLACK)
    text = Text.assemble(
        (card_id, STATE_STYLES.get(slip.state, "")),
        (f" {title}", "dim" if slip.state == "done" else ""),
    )
    if slip.note:
        style = "yellow" if slip.state == "blocked" else "dim"
        text.append("\n" + _cut(_flat(slip.note), width * _LINES - _SLACK), style)
    return text


def _flat(text: str) -> str:
    return clean(text).replace("\n", " ")


def _cut(text: str, width: int) -> str:
    """Return a text of at most ``width`` columns, with a mark where it was cut."""
    shown = Text(text)
    shown.truncate(max(width, 1), overflow="ellipsis")
    return shown.plain
