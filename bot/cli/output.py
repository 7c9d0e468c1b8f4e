"""What the command line prints: one JSON document or text for people, and errors on standard error."""

import json
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from bot.cli.arguments import Request
from bot.errors import MosaicError


def tolerate_any_text() -> None:
    """Never fail at output: a character that the terminal has no form for is spelled out."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def visible(text: str) -> str:
    """Return a text that does nothing to a terminal: lines stay, other control characters are spelled out."""
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text
    )


def show_answer(request: Request, answer: dict[str, Any]) -> None:
    """Print what the daemon answered: its data as JSON, or its blocks for people."""
    if request.json:
        tell(request, answer.get("data"), "")
        if answer.get("data") is None:
            _say_why(answer)
        return
    from bot.reply import from_json

    show_blocks(from_json(answer.get("blocks", ())))


def _say_why(answer: dict[str, Any]) -> None:
    """Tell on standard error why the answer is null: a pause is no empty backlog."""
    for block in answer.get("blocks", ()):
        print(visible(str(block.get("text", ""))), file=sys.stderr)


def show_blocks(blocks: Sequence[Any], file: TextIO | None = None) -> None:
    """Print blocks as a terminal of its width shows them, on standard output if no other file is named."""
    from bot.render.terminal import show

    show(blocks, file)


def tell(request: Request, data: Any, text: str) -> int:
    """Print one JSON document, or the text for people; return 0."""
    if not request.json:
        print(text)
        return 0
    encoding = (sys.stdout.encoding or "ascii").lower()
    print(json.dumps(data, ensure_ascii=not encoding.startswith("utf"), indent=2))
    return 0


def tell_error(error: MosaicError, *, as_json: bool) -> int:
    """Tell the reason on standard error, and with ``--json`` on standard output too."""
    from bot.cli.client import exit_status

    sys.stdout.flush()
    if as_json:
        found = {"code": error.code, "message": error.message, "hint": error.hint}
        print(json.dumps({"error": found}, indent=2))
    hint = f"\n  {error.hint}" if error.hint else ""
    print(visible(f"mosaic: {error.message}{hint}"), file=sys.stderr)
    return exit_status(error.code)
