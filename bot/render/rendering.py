"""Blocks as people read them: plain text and HTML, in parts that a platform's limit allows."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, zip_longest

from bot.render import chat_markdown
from bot.render.board import board_html, board_text, cut_board, slips_of
from bot.render.markup import clean, code_html, fenced, inline, markdown_html, paragraph
from bot.render.rows import (
    align,
    aligned_html,
    is_narrow,
    list_html,
    list_text,
    pad,
    plain_cell,
    width_of,
)
from bot.render.split import close_fence, cut_lines, cut_markdown, cut_markdown_blocks, cut_text
from bot.reply import Block, Board, Code, Column, Fields, Markdown, Slip, Table, Text

SMALLEST = 512  # bytes; below that a heading or a fence may not fit beside its content
_WIDEST = 40  # columns to which the names of fields are padded; a longer one pushes its row out
_GAP = "\n\n"


@dataclass(frozen=True, slots=True)
class Rendered:
    """One event's content: ``text`` reads well by itself, ``html`` is markup that nobody else wrote."""

    text: str
    html: str

    @property
    def size(self) -> int:
        """Bytes of both forms in UTF-8."""
        return len(self.text.encode()) + len(self.html.encode())


_EMPTY = Rendered("(empty)", "<p>(empty)</p>")
Draw = Callable[[Block], Rendered]


def render(
    blocks: Sequence[Block], max_bytes: int, *, terminal: bool = False, markdown: bool = False
) -> tuple[Rendered, ...]:
    """Return blocks as one or more parts, each with at most ``max_bytes`` of text and HTML together.

    ``terminal``: the text is read where letters are all one width, so that wide tables stay tables.
    ``markdown``: the text is shown by a chat platform that has a Markdown of its own, and there is no HTML.
    Nothing of the blocks is lost but control bytes (see ``bot.render.markup.clean``); code that is cut goes on
    in a fence of its own, a table under its heading again. No blocks make one part that says so.
    ValueError for a limit below ``SMALLEST``.
    """
    if max_bytes < SMALLEST:
        raise ValueError(f"max_bytes is {max_bytes}; at least {SMALLEST} are needed")
    draw = _draw_markdown if markdown else partial(_draw, terminal=terminal)
    queue = deque(piece for block in blocks for piece in _pieces(_cleaned(block), max_bytes))
    parts: list[Rendered] = []
    page: list[Rendered] = []
    while queue:
        block = queue.popleft()
        room = max_bytes - joined([*page, Rendered("", "")]).size if page else max_bytes
        whole = draw(block) if _least(block) <= max_bytes else None
        if whole and whole.size <= room:
            page.append(whole)
            continue
        if page and (room < max_bytes // 3 or (whole and whole.size <= max_bytes)):
            queue.appendleft(block)
        else:
            head, rest = _cut(block, room, draw)
            page.append(draw(head))
            queue.extendleft(reversed(rest))
        parts.append(joined(page))
        page = []
    if page:
        parts.append(joined(page))
    if markdown:  # such platforms cut blanks at both ends, and refuse what says nothing
        return tuple(Rendered(part.text.strip() or "(empty)", "") for part in parts or [_EMPTY])
    return tuple(parts) or (_EMPTY,)


def whole_text(blocks: Sequence[Block]) -> str:
    """Return blocks as one text to be kept in a file: code alone, and Markdown, as they were written."""
    cleaned = [_cleaned(block) for block in blocks]
    if len(cleaned) == 1 and isinstance(cleaned[0], Code):
        return cleaned[0].text
    return _GAP.join(map(_draw_text, cleaned))


def joined(page: Sequence[Rendered]) -> Rendered:
    """Return what stands one below the other as one."""
    return Rendered(_GAP.join(one.text for one in page), "".join(one.html for one in page))


def _cleaned(block: Block) -> Block:
    match block:
        case Text(text):
            return Text(clean(text))
        case Markdown(source):
            return Markdown(clean(source))
        case Code(text, language):
            return Code(clean(text), language)
        case Table(columns, rows):
            return Table(_cells(columns), tuple(_cells(row) for row in rows))
        case Fields(pairs):
            return Fields(tuple((_line(name), clean(value)) for name, value in pairs))
        case Board(columns):
            return Board(tuple(_cleaned_column(column) for column in columns))


def _cleaned_column(column: Column) -> Column:
    slips = (
        Slip(*map(_line, (slip.id, slip.title, slip.state, slip.note))) for slip in column.slips
    )
    return Column(_line(column.name), column.total, tuple(slips))


def _pieces(block: Block, max_bytes: int) -> tuple[Block, ...]:
    """Return Markdown too long for one part as blocks that are quick to cut; anything else as it is."""
    if not isinstance(block, Markdown) or len(block.source) < max_bytes // 4:
        return (block,)
    pieces = cut_markdown_blocks(block.source, max_bytes // 8)
    return tuple(map(Markdown, pieces)) or _plainer(block)


def _cells(row: Sequence[str]) -> tuple[str, ...]:
    return tuple(_line(cell) for cell in row)


def _line(text: str) -> str:
    return clean(text).replace("\n", " ").replace("\t", " ")


def _least(block: Block) -> int:
    """Return a size that the drawn block surely exceeds, found without drawing it."""
    match block:
        case Text(text) | Code(text, _) | Markdown(text):
            return len(text)
        case Table(_, rows):
            return sum(len(cell) for row in rows for cell in row)
        case Fields(pairs):
            return sum(len(name) + len(value) for name, value in pairs)
        case Board():
            return sum(len(slip.title) + len(slip.note) for slip in slips_of(block))


def _draw_text(block: Block) -> str:
    match block:
        case Text(text):
            return text
        case Markdown(source):
            return source
        case Code(text, language):
            return fenced(text, language)
        case Table():
            return _table_text(block, terminal=True)
        case Fields():
            return _fields_text(block)
        case Board():
            return board_text(block)


def _draw(block: Block, *, terminal: bool) -> Rendered:
    match block:
        case Text(text):
            return Rendered(text, paragraph(text))
        case Markdown(source):
            return Rendered(close_fence(source), markdown_html(source))
        case Code(text, language):
            return Rendered(fenced(text, language), code_html(text, language))
        case Table():
            return Rendered(_table_text(block, terminal=terminal), _table_html(block))
        case Fields(pairs):
            return Rendered(_fields_text(block), _fields_html(pairs))
        case Board():
            return Rendered(board_text(block), board_html(block))


def _draw_markdown(block: Block) -> Rendered:
    match block:
        case Text(text):
            return Rendered(chat_markdown.plain(text), "")
        case Markdown(source):
            return Rendered(chat_markdown.adapted(source), "")
        case Code(text, language):
            return Rendered(chat_markdown.code(text, language), "")
        case Table(columns, rows):
            return Rendered(chat_markdown.table(columns, rows), "")
        case Fields(pairs):
            return Rendered(chat_markdown.fields(pairs), "")
        case Board():
            return Rendered(chat_markdown.plain(board_text(block)), "")


def _table_text(table: Table, *, terminal: bool) -> str:
    rows = (table.columns, *table.rows)
    if terminal or is_narrow(rows):
        return align(rows)
    return list_text(table.columns, table.rows)


def _table_html(table: Table) -> str:
    rows = (table.columns, *table.rows)
    if is_narrow(rows):
        return aligned_html(rows)
    head, *others = ([plain_cell(cell) for cell in row] for row in rows)
    return list_html(head, others)


def _fields_text(fields: Fields) -> str:
    width = min(max((width_of(name) for name, _ in fields.pairs), default=0), _WIDEST) + 1
    margin = "\n" + " " * (width + 1)
    return "\n".join(
        f"{pad(f'{name}:', width)} {value.replace(chr(10), margin)}".rstrip(" ")
        for name, value in fields.pairs
    )


def _fields_html(pairs: Sequence[tuple[str, str]]) -> str:
    lines = (f"<strong>{inline(name)}</strong>: {inline(value)}" for name, value in pairs)
    return f"<p>{'<br>'.join(lines)}</p>"


def _cut(block: Block, room: int, draw: Draw) -> tuple[Block, tuple[Block, ...]]:
    """Return a head of the block that fits into ``room`` bytes, and what is left of it.

    What cannot be cut small enough in its own form goes on in a plainer one.
    """
    # Of text and HTML together about half is text; without HTML all of it is.
    amount = _guess(block, room * 2 if draw is _draw_markdown else room)
    while amount:
        head, rest = _part(block, amount)
        if draw(head).size <= room:
            return head, rest
        amount = amount * 3 // 4
    first, *others = _plainer(block)
    head, rest = (first, ()) if draw(first).size <= room else _cut(first, room, draw)
    return head, (*rest, *others)


def _guess(block: Block, room: int) -> int:
    """Return how much of the block may fit, in its own unit: characters, rows or pairs."""
    match block:
        case Text(text) | Code(text, _):
            return min(len(text), room // 2)
        case Markdown(source):
            return min(len(source), room * 2 // 5)
        case Table(_, rows):
            return _count(rows, room // 2)
        case Fields(pairs):
            return _count(pairs, room // 2)
        case Board():
            return _count([(slip.title, slip.note) for slip in slips_of(block)], room // 2)


def _count(rows: Sequence[tuple[str, ...]], room: int) -> int:
    filled = accumulate(sum(map(len, row)) for row in rows)
    return next((number for number, size in enumerate(filled) if size > room), len(rows))


def _part(block: Block, amount: int) -> tuple[Block, tuple[Block, ...]]:
    match block:
        case Text(text):
            position = cut_text(text, amount)
            return Text(text[:position]), _rest(Text(text[position:]))
        case Code(text, language):
            position = cut_lines(text, amount)
            return Code(text[:position], language), _rest(Code(text[position:], language))
        case Markdown(source):
            head, rest = cut_markdown(source, amount)
            return Markdown(head), _rest(Markdown(rest))
        case Table(columns, rows):
            return Table(columns, rows[:amount]), _rest(Table(columns, rows[amount:]))
        case Fields(pairs):
            return Fields(pairs[:amount]), _rest(Fields(pairs[amount:]))
        case Board():
            head_board, rest_board = cut_board(block, amount)
            return head_board, _rest(rest_board)


def _rest(block: Block) -> tuple[Block, ...]:
    """Return what is left as blocks to go on with: none when it is nothing."""
    match block:
        case (
            Text(content)
            | Code(content, _)
            | Markdown(content)
            | Table(_, content)
            | Fields(content)
            | Board(content)
        ):
            return (block,) if content else ()


def _plainer(block: Block) -> tuple[Block, ...]:
    match block:
        case Markdown(source):
            return (Code(source, "markdown"),)
        case Table(columns, rows) if rows:
            first = tuple(zip_longest(columns, rows[0], fillvalue=""))
            return Fields(first), *_rest(Table(columns, rows[1:]))
        case Table(columns, _):
            return (Text("  ".join(columns)),)
        case Fields(pairs):
            name, value = pairs[0]
            return Text(f"{name}: {value}"), *_rest(Fields(pairs[1:]))
        case Board():
            first_board, others = cut_board(block, 1)
            return Text(board_text(first_board)), *_rest(others)
    raise AssertionError(f"a single character does not fit: {block!r}")
