"""How a dogfood agent misbehaves at its cards, for tests and drills: MOSAIC_DOGFOOD_AT_WORK.

``WORD`` misbehaves at every card, ``WORD:N`` at every Nth one. Cards are counted over restarts, by their
claims: an agent that is asked again about a claim at which it misbehaved does its work, save for ``never``.

hang
    stops for good in the middle of the work, without another heartbeat.
die
    exits with status 3 in the middle of the work.
dialog
    asks for leave in the middle of the work, and goes on when it is given.
draft
    leaves half a thought in its prompt when the work is done, as a person does who was called away.
slow
    takes five times as long.
forget
    ends the turn without completing the card; asked again, it completes it.
never
    never completes it, however often it is asked.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from fleet.dogfood.message import Errand

WORDS = ("hang", "die", "dialog", "draft", "slow", "forget", "never")
_FORM = re.compile(rf"(?P<word>{'|'.join(WORDS)})(?::(?P<every>[1-9]\d{{0,5}}))?")
_KEPT = 200


@dataclass(frozen=True, slots=True)
class Habit:
    """One way to misbehave, at every Nth card; without a word it is good behaviour."""

    word: str = ""
    every: int = 1

    def at(self, number: int) -> str:
        """Return the word for a card by its number, empty for good behaviour."""
        return self.word if number % self.every == 0 else ""


def habit_of(text: str) -> Habit:
    """Return what MOSAIC_DOGFOOD_AT_WORK asks for; ValueError, as a sentence, for what is no habit."""
    if not text:
        return Habit()
    found = _FORM.fullmatch(text)
    if found is None:
        allowed = ", ".join(WORDS)
        raise ValueError(f"{text!r} is not allowed; allowed: {allowed}, each also with :N")
    return Habit(found["word"], int(found["every"] or 1))


class Diary:
    """Which claims an agent has met and how it behaved at each, in a file that outlives it."""

    def __init__(self, path: Path, habit: Habit) -> None:
        self._path = path
        self._habit = habit

    def begin(self, errand: Errand) -> str:
        """Write down that work is asked for, and return how to misbehave at it: a word, or nothing."""
        if not self._habit.word:
            return ""
        number, met = self._read()
        claim = f"{errand.card} {errand.token[:8]}"
        if claim in met:
            return "never" if met[claim] == "never" else ""
        met[claim] = self._habit.at(number + 1)
        kept = dict(list(met.items())[-_KEPT:])
        self._write({"cards": number + 1, "met": kept})
        return met[claim]

    def _read(self) -> tuple[int, dict[str, str]]:
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
            return int(known["cards"]), dict(known["met"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return 0, {}

    def _write(self, known: dict[str, object]) -> None:
        draft = self._path.with_name(f".{self._path.name}.new")
        draft.write_text(json.dumps(known), encoding="utf-8")
        draft.replace(self._path)
