"""The pages that people read, and what is written in them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ROOT / "docs" / "reference"

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"\s+#.*$")


class Block(NamedTuple):
    """A fenced block: its language and its lines without indentation."""

    page: str
    language: str
    lines: tuple[str, ...]


def pages() -> list[Path]:
    """Return every page that a person wrote."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md")]
    return sorted(page for page in found if GENERATED not in page.parents)


def blocks(page: Path) -> Iterator[Block]:
    """Yield the page's fenced blocks."""
    for indent, language, body in _FENCE.findall(page.read_text(encoding="utf-8")):
        lines = tuple(line.removeprefix(indent) for line in body.splitlines())
        yield Block(page.relative_to(ROOT).as_posix(), language, lines)


def prose(page: Path) -> str:
    """Return the page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def typed_lines(language: str) -> Iterator[tuple[str, str]]:
    """Yield page and line for every line of the blocks in one language, without comments."""
    for page in pages():
        for block in blocks(page):
            if block.language == language:
                for line in block.lines:
                    if written := _COMMENT.sub("", line).strip():
                        yield block.page, written
