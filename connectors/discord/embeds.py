"""Replies as Discord shows them best: embeds made from their blocks, for cards, the fleet, numbers and boards.

Source: Discord API reference, "Embed Limits": 256 characters of title, 4096 of description, 25 fields of 256 and
1024, 10 embeds a message with 6000 characters in all.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import discord

from bot.model import OutboundMessage
from bot.render import chat_markdown
from bot.render.board import mark_of, more_of
from bot.render.chat_markdown import plain
from bot.render.rows import align, is_narrow
from bot.reply import Block, Board, Code, Column, Fields, Markdown, Slip, Table, Text

_TITLE, _DESCRIPTION, _NAME, _VALUE = 256, 4096, 256, 1024
_FIELDS, _EMBEDS, _IN_ALL = 25, 10, 6000
_GIST = 100
_SHORT = 32
"""A field's value of so many characters stands beside others."""

_COLOURS = {
    "ready": discord.Colour.light_grey(),
    "claimed": discord.Colour.blue(),
    "blocked": discord.Colour.red(),
    "done": discord.Colour.green(),
}
_NOTHING = "\N{ZERO WIDTH SPACE}"


class Shown(NamedTuple):
    """What Discord is given: words, which notifications show, and what stands below them."""

    content: str
    embeds: tuple[discord.Embed, ...]


@dataclass(slots=True)
class _Draft:
    """An embed that grows; ``pairs`` are its fields, drawn already, and whether each is short."""

    title: str = ""
    colour: discord.Colour | None = None
    texts: list[str] = field(default_factory=list)
    pairs: list[tuple[str, str, bool]] = field(default_factory=list)

    def fits(self) -> bool:
        return (
            len(self.title) <= _TITLE
            and len("\n\n".join(self.texts)) <= _DESCRIPTION
            and len(self.pairs) <= _FIELDS
            and all(len(name) <= _NAME and len(value) <= _VALUE for name, value, _ in self.pairs)
        )

    def embed(self) -> discord.Embed:
        made = discord.Embed(
            title=self.title or None,
            description="\n\n".join(self.texts).strip() or None,
            colour=self.colour,
        )
        for name, value, short in self.pairs:
            made.add_field(name=name, value=value, inline=short)
        return made


def embeds_of(blocks: Sequence[Block]) -> Shown | None:
    """Return blocks as embeds; None when they do not fit, or have no form that an embed could show.

    Texts before the first form are the message's own words, else its gist in a line: notifications and the search
    show no embeds. All that people wrote is shown as they wrote it.
    """
    words: list[str] = []
    drafts: list[_Draft] = []
    for block in blocks:
        if not drafts and isinstance(block, Text | Markdown):
            words.append(_text(block))
        elif drafts and isinstance(block, Text | Markdown | Code):
            drafts[-1].texts.append(_text(block))
        else:
            drafts.append(_draft(block))
    drafts = [draft for draft in drafts if draft.embed()]
    content = "\n\n".join(words) or next((gist for one in blocks if (gist := _gist(one))), "")
    made = tuple(draft.embed() for draft in drafts)
    whole = sum(map(len, made)) <= _IN_ALL and len(made) <= _EMBEDS
    if not drafts or not whole or not all(draft.fits() for draft in drafts) or len(content) > 2000:
        return None
    return Shown(content, made)


def shown_of(message: OutboundMessage) -> Shown:
    """Return what Discord is given for a message: its text where no embed can show it."""
    return embeds_of(message.blocks) or Shown(message.text, ())


def likeness(embeds: Sequence[discord.Embed]) -> object:
    """Return what tells embeds from others, as Discord gives them back: the ends of texts may be trimmed."""
    return [
        (
            (one.title or "").strip(),
            (one.description or "").strip(),
            [((pair.name or "").strip(), (pair.value or "").strip()) for pair in one.fields],
        )
        for one in embeds
    ]


def _some(text: str) -> str:
    """Return a text that Discord does not take for none."""
    return text if text.strip() else _NOTHING


def _text(block: Text | Markdown | Code) -> str:
    match block:
        case Text(text):
            return plain(text)
        case Markdown(source):
            return chat_markdown.adapted(source)
        case Code(text, language):
            return chat_markdown.code(text, language)


def _draft(block: Block) -> _Draft:
    match block:
        case Fields(pairs):
            return _of_fields(pairs)
        case Table(columns, rows):
            return _of_table(columns, rows)
        case Board(columns):
            return _Draft(pairs=[_of_column(column) for column in columns])
        case Text() | Markdown() | Code():
            return _Draft(texts=[_text(block)])


def _of_fields(pairs: Sequence[tuple[str, str]]) -> _Draft:
    """Return names with their values; a card's status gives the colour, its title is the embed's."""
    known = dict(pairs)
    draft = _Draft(colour=_COLOURS.get(known.get("status", "").split(",")[0].split(" ")[0]))
    if _is_card(known):
        draft.title = plain(known["title"])
        pairs = [pair for pair in pairs if pair[0] not in {"id", "title"}]
    draft.pairs = [_pair(name, value) for name, value in pairs]
    return draft


def _is_card(known: Mapping[str, str]) -> bool:
    return "id" in known and "title" in known


def _gist(block: Block) -> str:
    """Return a form in one line: a card's id, the first cells of a table, the lanes of a board, the first fields."""
    match block:
        case Fields(pairs):
            known = dict(pairs)
            told = [f"{name}: {value}" for name, value in pairs]
            line = known["id"] if _is_card(known) else " · ".join(told)
        case Table(_, rows):
            line = ", ".join(row[0] for row in rows if row)
        case Board(columns):
            line = " · ".join(f"{column.name} {column.total}" for column in columns)
        case _:
            return ""
    line = " ".join(line.split())
    return plain(line if len(line) <= _GIST else f"{line[: _GIST - 1]}…")


def _pair(name: str, value: str) -> tuple[str, str, bool]:
    short = len(value) <= _SHORT and "\n" not in value
    return _some(plain(name)), _some(plain(value)), short


def _of_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> _Draft:
    """Return a narrow table as aligned code, a wide one as a field a row, and a long one as a list."""
    if is_narrow([columns, *rows]):
        return _Draft(texts=[chat_markdown.code(align([columns, *rows]))])
    lines = [_row(columns, row) for row in rows]
    if len(rows) > _FIELDS:
        listed = "\n".join(f"**{name}** {value}".rstrip() for name, value in lines)
        return _Draft(texts=[listed])
    return _Draft(pairs=[(_some(name), _some(value), False) for name, value in lines])


def _row(columns: Sequence[str], row: Sequence[str]) -> tuple[str, str]:
    first, *others = row or ("",)
    named = (
        f"{plain(name)}: {plain(cell)}" if name else plain(cell)
        for name, cell in zip(columns[1:], others, strict=False)
        if cell not in {"", "-"}
    )
    return plain(first), " · ".join(named)


def _of_column(column: Column) -> tuple[str, str, bool]:
    lines = [*_slip_lines(column.slips)]
    if more := more_of(column):
        lines.append(f"… {more} more")
    return plain(f"{column.name} · {column.total}"), _some("\n".join(lines)), True


def _slip_lines(slips: Sequence[Slip]) -> Iterator[str]:
    for slip in slips:
        yield f"{mark_of(slip.state)} **{plain(slip.id)}** {plain(slip.title)}".rstrip()
        if slip.note:
            yield f"*{plain(slip.note)}*"
