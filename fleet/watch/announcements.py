"""Dialogs as they are said to people: the screen, and the keys that may be pressed with one touch."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import get_args

from bot.agents.sessions import DialogKey
from bot.backlog.card_prompt import without_token
from bot.reply import Block, Code, Markdown, Offer, Text, standing_offer

UNTITLED = "untitled"
LIFETIME = timedelta(hours=24)
"""A night and a morning; what was announced and has changed since is refused at any time."""

_LOOKED_AT = 20
_CHOICE = re.compile(r"^\W*(?P<number>[1-9])[.)]\s+\S")
_YES_OR_NO = re.compile(r"\by(?:es)?\s?/\s?no?\b|\by\s+yes\b", re.IGNORECASE)
_RESTLESS = re.compile("[\u23fa\u2022\u25e6\u2733\u2736\u273b\u273d\u2722\u2800-\u28ff]")
"""What Claude and Codex draw, or not, beside what is under way, and the braille of most spinners."""

_MARKS: dict[str, str] = {
    "y": "👍",
    "n": "👎",
    **{str(number): f"{number}\ufe0f\u20e3" for number in range(1, 10)},
    "up": "⬆\ufe0f",
    "down": "⬇\ufe0f",
    "enter": "⏎",
    "escape": "⎋",
}


@dataclass(frozen=True, slots=True)
class Dialog:
    """A dialog that an agent's program has opened and that nobody has answered."""

    agent: str
    title: str
    rows: tuple[str, ...]
    since: datetime


def announcement(dialog: Dialog) -> tuple[Text, Block, Block]:
    """Return what people are told of a dialog: first its headline, then the screen, then what they can do."""
    since = dialog.since.strftime("%H:%M:%S UTC")
    said = f"{dialog.agent} waits at a dialog since {since}: {dialog.title}"
    how = f"An operator answers it with `!agent answer {dialog.agent} KEY` (enter, escape, y, n, 1 …)."
    return Text(said), Code("\n".join(map(without_token, shown(dialog.rows)))), Markdown(how)


def offers(dialog: Dialog) -> tuple[Offer, ...]:
    """Return the keys that a dialog asks for, each to be pressed in this very dialog only."""
    seen = fingerprint(dialog.title, dialog.rows)
    pressed = tuple(
        Offer(
            mark=_MARKS[key],
            line=f"agent answer {dialog.agent} {key} --dialog {seen}",
            says=f"press {key}",
            lifetime=LIFETIME,
        )
        for key in keys(dialog.rows)
    )
    form = standing_offer(f"agent answer {dialog.agent}", "press another key", "⌨", is_form=True)
    return (*pressed, form)


def keys(rows: Sequence[str]) -> tuple[DialogKey, ...]:
    """Return the keys that a screen names, its numbered choices, y and n; enter and escape always.

    Where it names none, people move to their choice: a moved choice is another screen, announced anew.
    """
    last = shown(rows)[-_LOOKED_AT:]
    asks = any(_YES_OR_NO.search(row) for row in last)
    named = [*(("y", "n") if asks else ()), *_numbers(last)] or ["up", "down"]
    known: tuple[DialogKey, ...] = get_args(DialogKey)
    return tuple(key for word in (*named, "enter", "escape") for key in known if key == word)


def _numbers(rows: Sequence[str]) -> list[str]:
    """Return the numbers of the last list on a screen that begins with 1."""
    found: list[str] = []
    for row in rows:
        choice = _CHOICE.match(row)
        if choice is None:
            continue
        if choice["number"] == "1":
            found = ["1"]
        elif found and int(choice["number"]) == len(found) + 1:
            found.append(choice["number"])
    return found


def shown(rows: Sequence[str]) -> list[str]:
    """Return the rows of a screen that people are shown."""
    return [row.rstrip() for row in rows if row.strip()]


def fingerprint(title: str, rows: Sequence[str]) -> str:
    """Return what tells one dialog from another: its title and all that is shown with it.

    Marks that blink while a program works are left out; where its choice stands is not. Colours are not seen.
    """
    still = (" ".join(_RESTLESS.sub(" ", row).split()) for row in shown(rows))
    said = "\n".join((title, *still))
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:16]
