"""What a command says, as blocks: data first, looks later (render turns blocks into each platform's form)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Text:
    """Plain sentences. Nothing in them is markup, whoever wrote them."""

    text: str


@dataclass(frozen=True, slots=True)
class Markdown:
    """Somebody's words in CommonMark (an agent's answer). Raw HTML in them is shown, not obeyed."""

    source: str


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to be shown as they stand."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; every cell is plain text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """Names with their values, one a line."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Slip:
    """One card on a board: ``state`` says how it stands, ``note`` what a person should know of that."""

    id: str
    title: str
    state: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One lane of a board; ``total`` counts its cards, also those that are not shown."""

    name: str
    total: int
    slips: tuple[Slip, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """Lanes with cards, side by side where there is room."""

    columns: tuple[Column, ...]


Block = Text | Markdown | Code | Table | Fields | Board


@dataclass(frozen=True, slots=True)
class Offer:
    """Something to choose with one touch: ``mark`` put on the message is as good as ``line`` said by who puts it.

    ``says`` tells people what it does. It is good for ``lifetime`` from when the message is stored, and of a
    message's offers one is taken, once. ``chooser`` is a principal's id: nobody else may choose but operators, and
    not even they where the line's command is a personal one.
    ``only_button``: it is left out where there are no buttons, and a press says the line, as often and as late as
    people like; nothing of it is stored, and its mark only adorns it. With ``is_form`` that line is the beginning of
    a command, and a press asks for the rest of it in a form.
    """

    mark: str
    line: str
    says: str
    lifetime: timedelta
    chooser: str | None = None
    only_button: bool = False
    is_form: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    """An offer as a button: a press puts the mark on the message, or says the ``line``, with ``is_form`` in a form."""

    mark: str
    says: str
    line: str | None = None
    is_form: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A command's answer: ``data`` is what ``--json`` prints, ``blocks`` what a person reads.

    ``offers`` are what people may choose next. ``goes_on`` says that what was asked for is not done with the
    reply: whoever carries it further marks the event that asked.
    """

    data: Any
    blocks: tuple[Block, ...] = field(default=())
    offers: tuple[Offer, ...] = ()
    goes_on: bool = False


def say(text: str, data: Any = None) -> Reply:
    """Return a reply of one plain text; its data is the text unless other data is given."""
    return Reply({"message": text} if data is None else data, (Text(text),))


def standing_offer(line: str, says: str, mark: str = "", *, is_form: bool = False) -> Offer:
    """Return an offer that is only a button: a press is as good as the line said by who presses."""
    return Offer(mark, line, says, timedelta.max, only_button=True, is_form=is_form)


def to_button(offer: Offer) -> Button:
    """Return an offer as a button."""
    return Button(offer.mark, offer.says, offer.line if offer.only_button else None, offer.is_form)


def to_json(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """Return blocks as JSON-ready values, the form in which they are stored."""
    return [_block_to_json(block) for block in blocks]


def _block_to_json(block: Block) -> dict[str, Any]:
    match block:
        case Text(text):
            return {"block": "text", "text": text}
        case Markdown(source):
            return {"block": "markdown", "source": source}
        case Code(text, language):
            return {"block": "code", "text": text, "language": language}
        case Table(columns, rows):
            return {"block": "table", "columns": list(columns), "rows": [list(row) for row in rows]}
        case Fields(pairs):
            return {"block": "fields", "pairs": [list(pair) for pair in pairs]}
        case Board(columns):
            return {"block": "board", "columns": [_column_to_json(column) for column in columns]}


def _column_to_json(column: Column) -> dict[str, Any]:
    slips = [[slip.id, slip.title, slip.state, slip.note] for slip in column.slips]
    return {"name": column.name, "total": column.total, "slips": slips}


def from_json(values: Sequence[dict[str, Any]]) -> tuple[Block, ...]:
    """Return the blocks that ``to_json`` wrote."""
    return tuple(_block_from_json(value) for value in values)


def _block_from_json(value: dict[str, Any]) -> Block:
    match value:
        case {"block": "text", "text": text}:
            return Text(text)
        case {"block": "markdown", "source": source}:
            return Markdown(source)
        case {"block": "code", "text": text, "language": language}:
            return Code(text, language)
        case {"block": "table", "columns": columns, "rows": rows}:
            return Table(tuple(columns), tuple(tuple(row) for row in rows))
        case {"block": "fields", "pairs": pairs}:
            return Fields(tuple((name, content) for name, content in pairs))
        case {"block": "board", "columns": columns}:
            return Board(tuple(_column_from_json(column) for column in columns))
    raise ValueError(f"not a block: {value!r}")


def _column_from_json(value: dict[str, Any]) -> Column:
    return Column(value["name"], value["total"], tuple(Slip(*slip) for slip in value["slips"]))
