"""How a captured pane is read: one small reader per program, pure and tested on real captures.

A prompt is only ever recognised positively: whatever is not recognised is ``unknown``, and nothing is typed
into that (spec 4-receipts, Screens).
"""

from collections.abc import Mapping
from dataclasses import replace

from fleet.readers import claude, codex, gemini, lines, opencode, pi
from fleet.tmux.screen import NOWHERE, Reader, Reading, Screen, ScreenState

_SHELLS = frozenset({"bash", "sh", "dash", "zsh", "fish", "ksh"})
_READERS: Mapping[str, Reader] = {
    "claude": claude.READER,
    "codex": codex.READER,
    "opencode": opencode.READER,
    "pi": pi.READER,
    "gemini": gemini.READER,
    "dogfood": lines.DOGFOOD,
    "python": lines.PYTHON,
    "bash": lines.SHELL,
    "generic": lines.GENERIC,
}


def read_screen(runtime: str, screen: Screen) -> Reading:
    """Return how a pane is to be read for a runtime; a runtime without a reader is ``generic``."""
    name = runtime if runtime in _READERS else "generic"
    if screen.dead:
        return Reading(ScreenState.DEAD, reader=name)
    if screen.in_mode:
        return Reading(ScreenState.COPY_MODE, reader=name)
    if runtime not in {"bash", "generic"} and screen.command in _SHELLS:
        # The shell below it is back: the runtime has ended.
        return Reading(ScreenState.DEAD, reader=name)
    reader = _READERS[name]
    missing = screen.cursor_y + 1 - len(screen.rows)
    if missing > 0:
        screen = replace(screen, rows=(*screen.rows, *[""] * missing))
    if screen.cursor_y == NOWHERE:
        row = reader.caret(screen)
        if row is None:
            return Reading(ScreenState.UNKNOWN, reader=name)
        screen = replace(screen, cursor_y=row)
    return reader.read(screen)
