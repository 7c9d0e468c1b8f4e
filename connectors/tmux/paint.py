"""How a conversation looks in a terminal: every function returns rows, none wider than the terminal."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.cells import cell_len
from rich.markdown import Markdown
from rich.syntax import Syntax
from rich.text import Text

from bot.model import MessageKind
from bot.render.markup import clean, language_of
from bot.render.terminal import WORD_STYLES, paint
from connectors.tmux.frames import Said

NARROWEST = 30
_MARGIN = 10  # what stands at the right of a line: its mark, its time
_FENCE = re.compile(r"^(`{3,})(.*)$")
_RULE = re.compile(r"^─+(  ─+)*$")
_WORDS = re.compile(r"(?<!\S)(" + "|".join(map(re.escape, WORD_STYLES)) + r")(?!\S)")
_CODES = re.compile(r"\x1b\[[0-9;]*m")
_PROMPT = "❯ "  # noqa: RUF001 - a prompt, not a quotation mark
_THREAD = "  ┊ "


def greeting(width: int, commands: Sequence[str], *, colour: bool) -> list[str]:
    """Return what a person sees first: what this is, and three things to try."""
    tries = [
        ("!help", "what you can ask for"),
        ("!backlog list", "the work there is"),
        ("anything else", "goes to the orchestrator, an agent of your fleet"),
    ]
    lines = [
        Text.assemble(("▞▚ ", "bold cyan"), ("Mosaic Fleet", "bold"), "  the operator's console")
    ]
    lines += [
        Text.assemble("   ", (f"{word:<15}", "cyan"), (meaning, "dim")) for word, meaning in tries
    ]
    known = f"   {len(commands)} commands; Tab completes them" if commands else ""
    lines += [Text(known, "dim")] if known else []
    return _paint([*lines, Text("")], max(width, NARROWEST), colour=colour)


def spoken_rows(
    text: str,
    at: datetime,
    width: int,
    *,
    colour: bool,
    who: str = "",
    thread: bool = False,
    mark: str = "",
) -> list[str]:
    """Return a person's line; its mark and time stand at the right of its first row."""
    width = max(width, NARROWEST)
    lead = _THREAD if thread else ""
    room = width - _MARGIN - len(_PROMPT) - len(lead)
    head = Text.assemble((f"{who} ", "magenta"), "") if who else Text()
    body = paint(Text.assemble(head, (clean(text), "bold")), room, colour=colour)
    prompts = [_PROMPT, *("  " for _ in body[1:])]
    rows = [
        _styled(lead, "dim", colour) + _styled(prompt, "bold cyan", colour) for prompt in prompts
    ]
    rows = [row + line for row, line in zip(rows, body, strict=True)]
    gap = " " * max(width - _MARGIN + 1 - _columns(rows[0]), 1)
    rows[0] += gap + mark_cell(mark) + _styled(f" {at.astimezone():%H:%M}", "dim", colour)
    return rows


def mark_column(width: int) -> int:
    """Return the column, counted from 1, at which a line's mark stands."""
    return max(width, NARROWEST) - _MARGIN + 2


def mark_cell(mark: str) -> str:
    """Return a mark in exactly two columns."""
    shown = clean(mark).replace("\n", "")[:2]
    return shown + " " * (2 - cell_len(shown)) if cell_len(shown) <= 2 else "··"


def said_rows(frame: Said, width: int, *, colour: bool) -> list[str]:
    """Return a message: an agent's under its name, the bot's own as it stands, a notice marked."""
    width = max(width, NARROWEST)
    lead = _THREAD if frame.thread else ""
    room = width - len(lead) - 2
    author = author_name(frame.author)
    if frame.kind is MessageKind.NOTICE:
        body = _paint([Text(clean(frame.text), "yellow")], room, colour=colour)
        bullets = ["◆ ", *("  " for _ in body[1:])]
    elif frame.kind is MessageKind.REPLY:
        body = [row for piece in _pieces(frame.text) for row in paint(piece, room, colour=colour)]
        bullets = ["  " for _ in body]
    else:
        name = _paint([_heading(author, frame.at, room)], room, colour=colour)
        content = Markdown(clean(frame.text), hyperlinks=False, code_theme="ansi_dark")
        body = [*name, *_without_gaps(paint(content, room, colour=colour))]
        bullets = ["● ", *("  " for _ in body[1:])]
    margin = _styled(lead, "dim", colour)
    style = "yellow" if frame.kind is MessageKind.NOTICE else "bold green"
    rows = [
        margin + _styled(mark, style, colour) + row for mark, row in zip(bullets, body, strict=True)
    ]
    return [*rows, margin.rstrip()]


def _without_gaps(rows: Sequence[str]) -> list[str]:
    """Return rows with never more than one empty one after another, and none at the ends."""
    empty = [not _CODES.sub("", row).strip() for row in rows]
    kept = [
        row
        for row, now, before in zip(rows, empty, [True, *empty], strict=False)
        if not (now and before)
    ]
    while kept and not _CODES.sub("", kept[-1]).strip():
        kept.pop()
    return kept


def author_name(author: str) -> str:
    """Return a principal's id as people read it: an agent's name, or what stands after the platform."""
    return clean(author.rpartition("/")[2] if author.startswith("agent:") else author).replace(
        "\n", " "
    )


def aside(text: str, width: int, *, colour: bool) -> list[str]:
    """Return a remark of the console itself."""
    return _paint([Text(f"  {clean(text)}", "dim italic")], max(width, NARROWEST), colour=colour)


def _heading(author: str, at: datetime, room: int) -> Text:
    clock = f"{at.astimezone():%H:%M}"
    gap = " " * max(room - cell_len(author) - len(clock) - 1, 1)
    return Text.assemble((author, "bold green"), (f"{gap}{clock}", "dim"))


def _pieces(text: str) -> Iterable[Text | Syntax]:
    """Yield the plain form of blocks piece by piece: code between fences, the rest line by line."""
    lines = iter(clean(text).split("\n"))
    rest = list(lines)
    while rest:
        opening = _FENCE.match(rest[0])
        end = next((n for n, line in enumerate(rest[1:], 1) if opening and line == opening[1]), 0)
        if opening and end:
            yield _code("\n".join(rest[1:end]), opening[2])
            rest = rest[end + 1 :]
        else:
            following = rest[1] if len(rest) > 1 else ""
            yield _line(rest[0], heads_table=bool(_RULE.match(following)))
            rest = rest[1:]


def _line(line: str, *, heads_table: bool) -> Text:
    if _RULE.match(line):
        return Text(line, "dim")
    if heads_table:
        return Text(line, "bold")
    text = Text(line)
    for found in _WORDS.finditer(line):
        if "  " in line:  # a row of a table or a field, not a sentence
            text.stylize(WORD_STYLES[found[1]], *found.span(1))
    return text


def _code(text: str, language: str) -> Syntax:
    word = language_of(language) or "text"
    return Syntax(
        text, word, theme="ansi_dark", background_color="default", word_wrap=True, padding=(0, 2)
    )


def _paint(lines: Iterable[Text], width: int, *, colour: bool) -> list[str]:
    return [row for line in lines for row in paint(line, width, colour=colour)]


def _styled(text: str, style: str, colour: bool) -> str:  # noqa: FBT001 - always the last of three
    if not text or not colour:
        return text
    codes = {"dim": "2", "bold cyan": "1;36", "yellow": "33", "bold green": "1;32"}
    return f"\x1b[{codes[style]}m{text}\x1b[0m"


def _columns(row: str) -> int:
    return cell_len(_CODES.sub("", row))
