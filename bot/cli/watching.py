"""What the command line does beyond one answer: a table that lives, and a way into an agent's terminal."""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.errors import MosaicError, UserError
from bot.render.terminal import to_terminal
from bot.reply import from_json

_EVERY_SECONDS = 2.0
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_HOME, _CLEAR_LINE, _CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


def watch(ask: Callable[[], Mapping[str, Any]], title: str) -> int:
    """Show an answer again and again on a screen of its own until Ctrl-C; return 0.

    UserError when standard output is no terminal. While the daemon is away that is said on the screen.
    """
    if not sys.stdout.isatty():
        raise UserError("--watch needs a terminal; without one, ask again yourself")
    sys.stdout.write(_ENTER)
    try:
        while True:
            _draw(ask, title)
            time.sleep(_EVERY_SECONDS)
    except KeyboardInterrupt:
        return 0
    finally:
        sys.stdout.write(_LEAVE)
        sys.stdout.flush()


def _draw(ask: Callable[[], Mapping[str, Any]], title: str) -> None:
    size = os.get_terminal_size()
    colour = "NO_COLOR" not in os.environ
    head = f"{title} · {time.strftime('%H:%M:%S')} · Ctrl-C leaves"
    try:
        body = to_terminal(from_json(ask().get("blocks", ())), size.columns, colour=colour)
    except MosaicError as error:
        body = f"{error.message}\n"
    rows = [head, "", *body.rstrip("\n").split("\n")][: size.lines - 1]
    sys.stdout.write(_HOME + "".join(f"{row}{_CLEAR_LINE}\n" for row in rows) + _CLEAR_BELOW)
    sys.stdout.flush()


def attach_words(way: Mapping[str, Any]) -> Sequence[str]:
    """Return the words of tmux that lead into a session.

    Without the right to write the client can neither type nor resize (tmux(1), attach-session -f).
    """
    socket = [] if way["socket"] is None else ["-L", str(way["socket"])]
    flags = ["-f", "read-only,ignore-size"] if way["read_only"] else []
    return ["tmux", "-u", *socket, "attach-session", *flags, "-t", f"={way['session']}"]


def attach(way: Mapping[str, Any]) -> int:
    """Become tmux, in the session; UserError when this is no terminal, or tmux is missing."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError("this needs a terminal", hint=f"mosaic agent tail {way['name']}")
    words = attach_words(way)
    # Inside tmux it would refuse, for fear of a session within itself.
    environment = {name: value for name, value in os.environ.items() if name != "TMUX"}
    try:
        os.execvpe(words[0], list(words), environment)  # noqa: S606 - no shell is the point
    except OSError as error:
        raise UserError("tmux is not installed", hint="apt-get install tmux") from error
