"""A program with a hatch, as opencode's is at the wire: a box to type in, and a folder that takes messages.

HATCH says how its hatch behaves: ``open``, ``shut``, ``deaf`` (answers no knock), ``changes its mind`` (open, then
shut), ``slow`` (open, and takes nothing), ``silent`` (takes, and says nothing more), ``dies`` (takes, and ends).
``slow`` and ``silent`` do what they have put off once the file ``awake`` is in the folder.
Each prompt that it was given stands in its events, with the way by which it came.
"""

import json
import os
import select
import sys
import tty
from datetime import UTC, datetime
from pathlib import Path

from fleet.tmux.keys import Key, KeyReader, Typed

CONVERSATION = "ses_stand_in"
FOOT = f"  ╹{'▀' * 60}"


class Program:
    """What stands in its box, and its folder."""

    def __init__(self) -> None:
        self.mood = os.environ.get("HATCH", "open")
        self.folder = Path(os.environ["OPENCODE_TUI_CONFIG"]).parent
        name = os.environ["MOSAIC_AGENT_NAME"]
        self.events = Path(os.environ["MOSAIC_HOME"]) / "fleet" / "run" / f"{name}.events"
        self.draft = ""
        self.put_off: list[str] = []

    @property
    def is_awake(self) -> bool:
        return (self.folder / "awake").exists()

    def submit(self, text: str, way: str) -> None:
        at = datetime.now(UTC).isoformat()
        said = {
            "event": "submitted",
            "session_id": CONVERSATION,
            "text": text,
            "at": at,
            "way": way,
        }
        with self.events.open("a", encoding="utf-8") as file:
            file.write(json.dumps(said) + "\n")

    def take(self, item: Key | Typed) -> None:
        if isinstance(item, Typed):
            self.draft += item.text
        elif item is Key.ENTER and self.draft:
            self.submit(self.draft, "keyboard")
            self.draft = ""

    def draw(self) -> None:
        shown = self.draft.rstrip("\n").rpartition("\n")[2][-60:]
        rows = ("  ┃", f"  ┃  {shown}", "  ┃", "  ┃  Build · stand-in", FOOT)
        screen = "\r\n".join(rows)
        os.write(1, f"\x1b[H\x1b[2J{screen}\x1b[2;{6 + len(shown)}H".encode())

    def serve_hatch(self) -> None:
        for path in sorted(self.folder.iterdir()):
            if path.name.startswith("."):
                continue
            if path.suffix == ".knock" and self.mood != "deaf":
                path.unlink()
                path.with_suffix(".shut" if self.mood == "shut" else ".open").write_text(
                    CONVERSATION
                )
            elif path.suffix == ".note" and (self.mood != "slow" or self.is_awake):
                self.take_note(path)
        while self.put_off and self.is_awake:
            self.submit(self.put_off.pop(), "hatch")

    def take_note(self, path: Path) -> None:
        taken = path.rename(path.with_suffix(".taken"))
        note = json.loads(taken.read_text(encoding="utf-8"))
        if self.mood == "changes its mind":
            path.with_suffix(".shut").write_text("another conversation is on the screen")
        elif self.mood == "dies":
            sys.exit(3)
        elif self.mood == "silent":
            self.put_off.append(note["text"])
        else:
            assert note["conversation"] == CONVERSATION
            self.submit(note["text"], "hatch")

    def run(self) -> None:
        tty.setraw(0)
        os.write(1, b"\x1b[?2004h")
        reader = KeyReader()
        (self.folder / "ready").touch()
        self.draw()
        while True:
            readable, _, _ = select.select([0], [], [], 0.02)
            items = reader.feed(os.read(0, 65536)) if readable else reader.settle()
            for item in items:
                self.take(item)
            if items:
                self.draw()
            self.serve_hatch()


if __name__ == "__main__":
    Program().run()
