"""Where long texts may be cut: at a paragraph, else a line, else a word, else between characters."""

import re
import unicodedata
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from bot.render.markup import language_of, markdown_tokens

if TYPE_CHECKING:
    from markdown_it.token import Token

_JOINER = "\u200d"
_LIST_MARK = re.compile(r"[-+*]|\d+[.)]")
_LARGEST = 1 << 18  # characters, and tokens: what is parsed in well under a second
_DENSEST = 8_000
_BOUNDARIES = ("\n\n", "\n", " ")


def cut_text(text: str, limit: int) -> int:
    """Return where to cut text so that the head has at least 1 and at most ``limit`` characters.

    The best boundary in the head's second half wins; blanks at it stay with the head, so that head
    and rest joined are the text. Characters that are drawn as one are parted only when nothing else fits.
    """
    if limit >= len(text):
        return len(text)
    for mark in _BOUNDARIES:
        found = text.rfind(mark, 0, limit)
        if found >= limit // 2:
            return found + len(mark)
    return _between_characters(text, max(limit, 1))


def cut_lines(text: str, limit: int) -> int:
    """Return where to cut lines that stand as they are: after a line end if the head has any."""
    if limit >= len(text):
        return len(text)
    found = text.rfind("\n", 0, limit)
    return found + 1 if found >= 0 else _between_characters(text, max(limit, 1))


def _between_characters(text: str, limit: int) -> int:
    """Return the last position up to ``limit`` that parts no drawn character; ``limit`` if there is none."""
    for position in range(limit, max(limit - 64, 0), -1):
        if not _continues(text, position):
            return position
    return limit


def _continues(text: str, position: int) -> bool:
    here, before = text[position], text[position - 1]
    return (
        unicodedata.category(here) in {"Mn", "Me", "Mc"}
        or _JOINER in {here, before}
        or "\U0001f3fb" <= here <= "\U0001f3ff"  # skin tones
        or ("\U0001f1e6" <= here <= "\U0001f1ff" and _odd_flags(text, position))
    )


def _odd_flags(text: str, position: int) -> bool:
    """Tell whether an odd number of flag letters stands before the position: it would part a flag."""
    start = position
    while start > 0 and "\U0001f1e6" <= text[start - 1] <= "\U0001f1ff":
        start -= 1
    return (position - start) % 2 == 1


@dataclass(frozen=True, slots=True)
class _Fence:
    """A code fence inside CommonMark: its lines, and what opens and closes it where it stands."""

    first: int
    end: int
    margin: str
    mark: str
    info: str

    @property
    def closing(self) -> str:
        return _LIST_MARK.sub(lambda found: " " * len(found[0]), self.margin) + self.mark

    def strip(self, line: str) -> str:
        """Return one of its lines without the margin of the list or quotation around it."""
        width = len(self.margin)
        return line[width:] if not line[:width].strip(" >") else line

    def closes(self, line: str) -> bool:
        """Tell whether a line ends it."""
        bare = line.lstrip(" >").rstrip(" \t")
        return len(bare) >= len(self.mark) and not bare.strip(self.mark[0])


@dataclass(frozen=True, slots=True)
class _Outline:
    """CommonMark with the lines and the blocks that it consists of, parsed once."""

    lines: list[str]
    starts: list[int]
    tokens: "list[Token]"

    def fences(self) -> list[_Fence]:
        found = (token for token in self.tokens if token.type == "fence")
        return [_fence(token, self.lines) for token in found]


def _outline(source: str) -> _Outline:
    lines = source.split("\n")
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    return _Outline(lines, starts, markdown_tokens(source))


def close_fence(source: str) -> str:
    """Return CommonMark whose last code fence is closed."""
    if "```" not in source and "~~~" not in source:
        return source
    outline = _outline(source)
    last = len(source.rstrip("\n").split("\n"))
    for fence in outline.fences():
        if fence.end >= last and not _is_closed(fence, outline.lines):
            return f"{source}{'' if source.endswith(chr(10)) else chr(10)}{fence.closing}"
    return source


def cut_markdown_blocks(source: str, size: int) -> tuple[str, ...]:
    """Return CommonMark as pieces that stand by themselves, none empty; blank lines between them go.

    A piece is a run of top-level blocks (in a long list, of items) of at most ``size`` characters, or one
    block that is longer. Nothing is returned for a source of so many blocks that to go on would be slow.
    """
    if len(source) > _LARGEST:
        return ()
    outline = _outline(source)
    if len(outline.tokens) > _DENSEST:
        return ()
    pieces: list[str] = []
    start = 0
    cuts = [*_seams(outline, size), len(source)]
    for cut, following in pairwise(cuts):
        if following - start > size and cut > start:
            pieces.append(source[start:cut])
            start = cut
    pieces.append(source[start:])
    return tuple(piece.strip("\n") for piece in pieces if piece.strip())


def _seams(outline: _Outline, size: int) -> list[int]:
    """Return where top-level blocks begin, and the items of lists that are longer than ``size``."""
    seams = [0]
    long_list = False
    for token in outline.tokens:
        if not token.map or token.nesting < 0:
            continue
        first, end = (outline.starts[line] for line in token.map)
        if token.level == 0:
            long_list = token.type.endswith("list_open") and end - first > size
            seams.append(first)
        elif token.level == 1 and long_list and token.type == "list_item_open":
            seams.append(first)
    return seams


def cut_markdown(source: str, limit: int) -> tuple[str, str]:
    """Return CommonMark in two: a head of at most ``limit`` characters and the rest.

    A code fence that the cut goes through is closed in the head and opened again in the rest with its
    language; a table's heading is repeated. These come on top of ``limit``.
    """
    if limit >= len(source):
        return source, ""
    window = source.find("\n", limit)
    outline = _outline(source[: window if window >= 0 else len(source)])
    position = _markdown_boundary(source, limit, outline)
    line = source.count("\n", 0, position)
    return close_fence(source[:position]), _reopen(outline, line, source[position:])


def _markdown_boundary(source: str, limit: int, outline: _Outline) -> int:
    """Prefer the start of a top-level block in the head's second half; else cut as text."""
    tops = (token.map[0] for token in outline.tokens if token.level == 0 and token.map)
    fitting = [at for at in (outline.starts[line] for line in tops) if limit // 2 <= at <= limit]
    if fitting and fitting[-1] > 0:
        return fitting[-1]
    position = cut_text(source, limit)
    line = source.count("\n", 0, position)
    opening = next((one.first for one in outline.fences() if one.first == line - 1), 0)
    return outline.starts[opening] or position  # a fence that would stay empty goes over whole


def _reopen(outline: _Outline, line: int, rest: str) -> str:
    """Return the rest of CommonMark, cut in this line, with the fence or table that it was cut out of."""
    for fence in outline.fences():
        if fence.first < line < fence.end or fence.first < line == len(outline.lines):
            return _reopen_fence(fence, outline.lines, line, rest)
    for token in outline.tokens:
        if token.type == "table_open" and token.map and token.map[0] + 1 < line < token.map[1]:
            return "\n".join([*outline.lines[token.map[0] : token.map[0] + 2], rest])
    return rest


def _reopen_fence(fence: _Fence, lines: list[str], line: int, rest: str) -> str:
    whole = rest.split("\n")
    inside = fence.end - line
    if fence.end == len(lines) and not _is_closed(fence, lines):
        inside = next((at + 1 for at, one in enumerate(whole) if fence.closes(one)), len(whole))
    bare = [fence.strip(one) for one in whole[:inside]]
    if line < len(lines) and len(whole[0]) < len(lines[line]):
        bare[0] = whole[0]  # cut within a line: its margin stayed behind
    if inside == 1 and fence.closes(whole[0]):
        return "\n".join(whole[1:])  # only the closing line was left
    return "\n".join([f"{fence.mark}{language_of(fence.info)}", *bare, *whole[inside:]])


def _is_closed(fence: _Fence, lines: list[str]) -> bool:
    return fence.end - fence.first >= 2 and fence.closes(lines[fence.end - 1])


def _fence(token: "Token", lines: list[str]) -> _Fence:
    first, end = token.map or [0, 0]
    margin = lines[first].partition(token.markup)[0]
    return _Fence(first, end, margin, token.markup, token.info)
