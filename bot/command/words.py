"""A chat line as words: quoting that people expect, with errors that say where."""

from dataclasses import dataclass

from bot.errors import UsageError

_CLOSING = {
    '"': '"',
    "'": "'",
    "\u201c": "\u201d",
    "\u201e": "\u201c",
    "\u2018": "\u2019",
    "\xab": "\xbb",
}
_DASHES = "\u2014\u2013"
_FENCE = "```"


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a line with the place where it begins; what ``is_quoted`` is never read as a flag."""

    text: str
    start: int
    is_quoted: bool = False


def split_line(line: str) -> tuple[Word, ...]:
    r"""Split a line at whitespace; a quote at a word's beginning (or after ``=``) keeps spaces together.

    Typographic quotes work like plain ones, and a dash that a phone made of ``--`` is read as ``--``.
    What begins with a quote is taken as it stands. Within quotes a backslash stands before ``"`` or ``\``
    only. A code block on lines of its own is one word with all that follows, fences included. Raises
    UsageError for a quote that is never closed, naming its column.
    """
    words: list[Word] = []
    position = 0
    while True:
        while position < len(line) and line[position].isspace():
            position += 1
        if position == len(line):
            return tuple(words)
        start = position
        if line.startswith(_FENCE, position) and _begins_line(line, position):
            words.append(Word(line[position:].rstrip(), start))
            return tuple(words)
        is_quoted = line[position] in _CLOSING
        text, position = _read_word(line, position)
        words.append(Word(text if is_quoted else _undash(text), start, is_quoted))


def _begins_line(line: str, position: int) -> bool:
    """Return whether nothing but space stands before a place in its line, which is not the first one."""
    _, newline, before = line[:position].rpartition("\n")
    return bool(newline) and not before.strip()


def _read_word(line: str, position: int) -> tuple[str, int]:
    pieces: list[str] = []
    opens = True
    while position < len(line) and not line[position].isspace():
        character = line[position]
        if opens and character in _CLOSING:
            quoted, position = _read_quoted(line, position)
            pieces.append(quoted)
        else:
            pieces.append(character)
            position += 1
        opens = character == "=" and pieces[0] in {"-", *_DASHES}
    return "".join(pieces), position


def _read_quoted(line: str, start: int) -> tuple[str, int]:
    closing = _CLOSING[line[start]]
    pieces: list[str] = []
    position = start + 1
    while position < len(line):
        character = line[position]
        if character == closing:
            return "".join(pieces), position + 1
        if character == "\\" and line[position + 1 : position + 2] in {closing, "\\"}:
            position += 1
            character = line[position]
        pieces.append(character)
        position += 1
    raise UsageError(
        f"the quote {line[start]} at column {start + 1} is never closed",
        hint=f"add {closing} at its end, or leave the quote out",
    )


def _undash(word: str) -> str:
    if len(word) > 1 and word[0] in _DASHES and word[1].isalpha():
        return "--" + word[1:]
    return word


def quoted(text: str) -> str:
    """Return a text as one word of a line, whatever stands in it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unfenced(text: str) -> str:
    """Return what stands in a code block, or the text when it is none."""
    lines = text.strip().splitlines(keepends=True)
    if len(lines) < 2 or not lines[0].startswith(_FENCE) or lines[-1].strip() != _FENCE:
        return text
    return "".join(lines[1:-1])


def shorten(text: str, most: int = 80) -> str:
    """Return a text for use in an error: a long one is cut, with a mark that it was."""
    return text if len(text) <= most else text[: most - 1] + "\u2026"
