"""What is done to a pane only if it can take it: command lines whose guard stands inside tmux.

A paste into a dead pane ends the whole tmux 3.3a server, and keys in copy-mode do something else (spec
4-receipts). Each line prints a word at its end, so that what was done is known for sure.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_GUARD = "#{||:#{pane_dead},#{pane_in_mode}}"
_TEXT = "text-"


def guarded_paste(pane_id: str, buffer: str, word: str) -> tuple[str, ...]:
    """Return the command that pastes a buffer as one bracketed paste and prints ``word``."""
    done = f"paste-buffer -p -r -d -b {buffer} -t {pane_id} ; display-message -p {word}"
    return ("if-shell", "-F", "-t", pane_id, _GUARD, f"delete-buffer -b {buffer}", done)


def guarded_press(pane_id: str, key: str, word: str) -> tuple[str, ...]:
    """Return the command that presses a key (tmux's name of it) and prints ``word``."""
    done = f"send-keys -t {pane_id} {key} ; display-message -p {word}"
    return ("if-shell", "-F", "-t", pane_id, _GUARD, "display-message -p refused", done)


@contextmanager
def text_file(directory: Path, name: str, text: bytes) -> Iterator[Path]:
    """Lend a file that only we may read, for as long as tmux needs it."""
    path = directory / f"{_TEXT}{name}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
        yield path
    finally:
        path.unlink(missing_ok=True)


def clear_texts(directory: Path) -> None:
    """Remove what a process that was killed left behind."""
    for path in directory.glob(f"{_TEXT}*"):
        path.unlink(missing_ok=True)
