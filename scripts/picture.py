"""Makes docs/images/conversation.svg: a real conversation in the operator's console, photographed in tmux.

Run by `make picture`. It starts an installation of its own in a temporary home and stops it again.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

WIDTH, HEIGHT = 92, 44
LINES = (
    ("!backlog create --id A1 --title 'Design the schema' --priority 5", "has card A1"),
    ("!backlog create --id A2 --title 'Write the API' --depends-on A1", "has card A2"),
    ("!backlog list", "id  priority"),
    ("!fleet ps", "available"),
    ("What should we begin with?", "dogfood orchestrator: What"),
    ("!backlog lst", "did you mean"),
)
PICTURE = Path(__file__).parent.parent / "docs" / "images" / "conversation.svg"


def tmux(socket: str, *words: str) -> str:
    """Run tmux on our own socket and return what it says."""
    return subprocess.run(
        ["tmux", "-u", "-L", socket, *words], check=True, capture_output=True, text=True
    ).stdout


def wait_for(fact: Callable[[], bool], what: str) -> None:
    """Wait until a fact holds, at most half a minute."""
    deadline = time.monotonic() + 30
    while not fact():
        if time.monotonic() > deadline:
            sys.exit(f"not within 30 s: {what}")
        time.sleep(0.05)


def converse(socket: str) -> str:
    """Type the lines, one after the other's answer, and return the screen with its colours."""

    def screen() -> str:
        return tmux(socket, "capture-pane", "-p", "-t", "picture")

    wait_for(lambda: "connected" in screen(), "the console")
    for line, answer in LINES:
        before = screen().count(answer)
        tmux(socket, "send-keys", "-t", "picture", "-l", line)
        tmux(socket, "send-keys", "-t", "picture", "Enter")
        wait_for(lambda a=answer, b=before: screen().count(a) > b, answer)  # type: ignore[misc]
        wait_for(lambda: re.search(r"[✅❌] \d\d:\d\d", screen()) is not None, "the mark")
    return tmux(socket, "capture-pane", "-p", "-e", "-t", "picture")


def draw(screen: str) -> str:
    """Return the screen as SVG."""
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    console.print(Text.from_ansi(screen.rstrip()))
    svg = console.export_svg(title="mosaic chat", theme=MONOKAI)
    return re.sub(
        r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL
    )  # it would be fetched from afar


def main() -> None:
    """Start, talk, photograph, stop."""
    socket = f"mosaic-picture-{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix="mosaic-") as home:
        environ = {**os.environ, "MOSAIC_HOME": home}
        mosaic = [sys.executable, "-m", "bot"]
        subprocess.run([*mosaic, "up", "--detach"], check=True, env=environ)
        try:
            size = ["-x", str(WIDTH), "-y", str(HEIGHT)]
            shown = ["env", f"MOSAIC_HOME={home}", *mosaic, "chat"]
            tmux(socket, "-f", "/dev/null", "new-session", "-d", "-s", "picture", *size, *shown)
            PICTURE.write_text(draw(converse(socket)), encoding="utf-8")
        finally:
            subprocess.run(["tmux", "-L", socket, "kill-server"], check=False, capture_output=True)
            subprocess.run([*mosaic, "down"], check=False, env=environ)


if __name__ == "__main__":
    main()
