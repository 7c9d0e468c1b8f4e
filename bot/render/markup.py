"""Words made safe to show: cleaned text, escaped HTML, and Markdown as Matrix's allowed subset of HTML."""

import html
import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from bot.render.rows import Cell, aligned_html, is_narrow, list_html

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

_TERMINAL_SEQUENCE = re.compile(r"\x1b\[[0-9;:?]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_TYPED = re.compile(r"`([^`<]+)`")
_CODE = r"<code>\1</code>"
_SURROGATE = re.compile("[\ud800-\udfff]")
_LANGUAGE = re.compile(r"[A-Za-z0-9_+#.-]{1,32}")
_BACKTICKS = re.compile(r"`{3,}")
_DEEPEST = 18  # markdown-it silently drops what nests deeper than 20
_LONGEST = 8_000  # characters of one paragraph; its inline rules are quadratic on hostile input
_LINK = re.compile(r"(?:https?|ftp|mailto|magnet):", re.IGNORECASE)


def clean(text: str) -> str:
    r"""Return text that is safe to show anywhere: no control bytes but ``\n`` and ``\t``.

    Terminal sequences go as a whole, carriage returns become line ends, half surrogates U+FFFD, and
    characters that override the reading direction are named, as in ``⟨U+202E⟩``. Cleaning twice
    changes nothing.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    bare = _CONTROL.sub("", _TERMINAL_SEQUENCE.sub("", lines))
    whole = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", bare)
    return _BIDI.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", whole)


def storable(text: str) -> str:
    """Return a person's words as any store can hold them: without NUL and half surrogates, else as they are."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\x00", ""))


def paragraph(text: str) -> str:
    """Return plain text as one HTML paragraph; its line ends become breaks.

    What stands between two backticks in a line is to be typed, or a name: it is shown as code.
    """
    return f"<p>{_TYPED.sub(_CODE, inline(text.strip(chr(10))))}</p>"


def inline(text: str) -> str:
    """Return plain text as HTML to stand inside an element."""
    return html.escape(text).replace("\n", "<br>")


def language_of(info: str) -> str:
    """Return the language that a fence's info string names, empty when it is no plain word."""
    word = info.split(maxsplit=1)[0] if info.strip() else ""
    return word if _LANGUAGE.fullmatch(word) else ""


def code_html(text: str, language: str = "") -> str:
    """Return lines as an HTML code block, exactly as they stand."""
    word = language_of(language)
    kind = f' class="language-{word}"' if word else ""
    return f"<pre><code{kind}>{html.escape(text, quote=False)}</code></pre>"


def fenced(text: str, language: str = "") -> str:
    """Return lines between fences that are longer than any run of backticks in them."""
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=2)
    fence = "`" * (longest + 1)
    end = "" if text.endswith("\n") else "\n"
    return f"{fence}{language_of(language)}\n{text}{end}{fence}"


def markdown_html(source: str) -> str:
    """Return CommonMark (with tables) as HTML of Matrix's allowed subset.

    Raw HTML in it is shown, images become links, and links go only to http, https, ftp, mailto and magnet.
    What nests too deep or has overlong paragraphs, or shows nothing at all, stands as plain text.
    """
    rendered = str(_markdown().render(source)).strip("\n")
    return rendered or paragraph(source)


def markdown_tokens(source: str) -> "list[Token]":
    """Return the block structure of CommonMark; a token's ``map`` is its first line and the one after its last."""
    return _blocks().parse(source)


@cache
def _blocks() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # noqa: PLC0415 - costs 60 ms that a short-lived face never needs

    return MarkdownIt("commonmark", {"html": False}).enable("table").disable("inline")


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # noqa: PLC0415 - as above

    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "xhtmlOut": False})
    parser.enable(["table", "strikethrough"])
    parser.validateLink = lambda url: bool(_LINK.match(url.strip()))  # type: ignore[method-assign]
    parser.core.ruler.after("block", "bounds", _refuse_excess)
    parser.core.ruler.push("rows", _draw_tables)
    parser.add_render_rule("fence", _render_code)
    parser.add_render_rule("code_block", _render_code)
    parser.add_render_rule("image", _render_image)
    parser.add_render_rule("link_open", _render_link)
    return parser


def _refuse_excess(state: "StateCore") -> None:
    deepest = max((token.level for token in state.tokens), default=0)
    longest = max(
        (len(token.content) for token in state.tokens if token.type == "inline"), default=0
    )
    if deepest > _DEEPEST or longest > _LONGEST:
        state.tokens = []


def _render_code(_self: Any, tokens: "list[Token]", index: int, _options: Any, _env: Any) -> str:
    return code_html(tokens[index].content, tokens[index].info) + "\n"


def _render_image(_self: Any, tokens: "list[Token]", index: int, _options: Any, _env: Any) -> str:
    token = tokens[index]
    url = html.escape(str(token.attrGet("src") or ""))
    return f'<a href="{url}">{html.escape(token.content) or url}</a>'


def _render_link(_self: Any, tokens: "list[Token]", index: int, _options: Any, _env: Any) -> str:
    return f'<a href="{html.escape(str(tokens[index].attrGet("href") or ""))}">'


def _draw_tables(state: "StateCore") -> None:
    """Put what a table looks like in its place."""
    drawn: list[Token] = []
    begun: int | None = None
    for index, token in enumerate(state.tokens):
        if token.type == "table_open":
            begun = index
        elif begun is None:
            drawn.append(token)
        elif token.type == "table_close":
            rows = _rows_between(state, begun, index)
            token.type, token.tag, token.nesting = "html_block", "", 0
            token.content = _rows_html(rows) + "\n"
            drawn.append(token)
            begun = None
    state.tokens = drawn


def _rows_between(state: "StateCore", begun: int, ended: int) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for token in state.tokens[begun:ended]:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            inside = token.children or []
            markup = state.md.renderer.render(inside, state.md.options, state.env)
            rows[-1].append(Cell("".join(one.content for one in inside), markup))
    return rows


def _rows_html(rows: Sequence[Sequence[Cell]]) -> str:
    texts = [[cell.text for cell in row] for row in rows]
    links = any("<a " in cell.markup for row in rows for cell in row)  # code shows none
    narrow = is_narrow(texts) and not links
    return aligned_html(texts) if narrow else list_html(rows[0], rows[1:])
