"""The files that a command's words name: read for the daemon and written for it, since it may not reach them."""

import os
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from bot.cli.table import Entry
from bot.errors import UsageError, UserError

MOST_BYTES = 8 * 1024 * 1024
_STANDARD = "-"
_STANDARD_NAME = "<stdin>"


class Errand(NamedTuple):
    """The words as the daemon gets them; ``writes`` says that the answer's text belongs in ``target``.

    Without a target, and for ``-``, it belongs on standard output as it stands.
    """

    words: list[str]
    writes: bool = False
    target: str | None = None


def run_errand(words: Sequence[str], entry: Entry, start: int) -> Errand:
    """Read the file that a word names, make its path whole, or keep the name of the one to write.

    ``start`` is where the command's name ends. UsageError when the file cannot be read.
    """
    used = next((p["file"] for p in entry["parameters"] if "file" in p), None)
    place = None if used is None else _first_place(words, entry, start)
    said = list(words)
    if used == "path" and place is not None:
        said[place] = os.path.abspath(said[place])  # noqa: PTH100 - cold start
    if used == "write":
        return Errand(said, writes=True, target=None if place is None else said.pop(place))
    if used == "read" and place is not None:
        text = _read(said[place])
        said[place : place + 1] = [
            _STANDARD_NAME if said[place] == _STANDARD else said[place],
            text,
        ]
    return Errand(said)


def _first_place(words: Sequence[str], entry: Entry, start: int) -> int | None:
    """Return where the first word stands that is no flag and no flag's value."""
    taking = {p["written"] for p in entry["parameters"] if p["kind"] == "flag"}
    index = start
    while index < len(words):
        if words[index] in taking:
            index += 2
        elif words[index].startswith("--"):
            index += 1
        else:
            return index
    return None


def _read(name: str) -> str:
    try:
        if name == _STANDARD:
            raw = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with open(name, "rb") as file:  # noqa: PTH123 - cold start
                raw = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{name}:1: cannot be read: {reason}") from error
    if len(raw) > MOST_BYTES:
        raise UsageError(f"{name}:1: the file has more than {MOST_BYTES} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name}:{line}: not UTF-8: byte {error.start} fits nowhere") from error


def write_text(errand: Errand, answer: dict[str, Any], *, quiet: bool) -> None:
    """Put the answer's text where it belongs: all of it, or the file stays as it was; UserError says why."""
    text = "".join(str(block.get("text", "")) for block in answer.get("blocks", ()))
    if errand.target in {None, _STANDARD}:
        sys.stdout.write(text)
        return
    target = str(errand.target)
    try:
        _replace(target, text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{target}:1: cannot be written: {reason}") from error
    if not quiet:
        sys.stdout.write(f"Written to {target}.\n")


def _replace(target: str, text: str) -> None:
    import tempfile  # noqa: PLC0415 - cold start

    directory = os.path.dirname(target) or "."  # noqa: PTH120 - cold start
    mask = os.umask(0)
    os.umask(mask)
    handle, draft = tempfile.mkstemp(prefix=".mosaic-", dir=directory)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(draft, 0o666 & ~mask)  # noqa: PTH101
        os.replace(draft, target)  # noqa: PTH105
    except BaseException:
        os.unlink(draft)  # noqa: PTH108
        raise
