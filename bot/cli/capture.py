"""``mosaic screen``: how a captured pane is read, the way to report a misread one. It needs no daemon."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.errors import UsageError, UserError
from fleet.readers import read_screen
from fleet.tmux.screen import read_capture

_MOST_BYTES = 4 * 1024 * 1024
_USAGE = "mosaic screen --runtime R FILE [--meta FILE]"


def read_captured(words: Sequence[str]) -> dict[str, Any]:
    """Return how the capture is read that the words name; UsageError for wrong words.

    UserError ``PATH:LINE: …`` for a file that cannot be read.
    """
    values = _values(words)
    if "runtime" not in values or "file" not in values:
        raise UsageError(f"usage: {_USAGE}")
    meta = _text(values["meta"]) if "meta" in values else None
    try:
        screen = read_capture(_text(values["file"]), meta)
    except ValueError as error:
        raise UserError(f"{values['meta']}:1: cur: {error}; allowed: cur=COLUMN,ROW") from error
    reading = read_screen(values["runtime"], screen)
    return {
        "state": reading.state.value,
        "dialog": reading.dialog,
        "draft_tail": reading.draft_tail,
        "reader": reading.reader,
    }


def _values(words: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    left = iter(words)
    for word in left:
        flag, given, value = word.partition("=")
        if flag in {"--runtime", "--meta"}:
            said = value if given else next(left, None)
            if not said:
                raise UsageError(f"{flag} needs a value; usage: {_USAGE}")
            values[flag.lstrip("-")] = said
        elif word.startswith("--") or "file" in values:
            raise UsageError(f"{word!r} is not allowed here; usage: {_USAGE}")
        else:
            values["file"] = word
    return values


def _text(name: str) -> str:
    try:
        with Path(name).open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{name}:1: cannot be read: {reason}") from error
    if len(raw) > _MOST_BYTES:
        raise UserError(f"{name}:1: the file has more than {_MOST_BYTES} bytes")
    return raw.decode("utf-8", errors="replace")
