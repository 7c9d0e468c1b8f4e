"""One dogfood agent: its draft, its queue, and what it is doing."""

import hashlib
import math
import os
import signal
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from fleet.dogfood.canvas import ASKING, PROMPT, WORKING, Canvas
from fleet.dogfood.errands import Completion, Letters
from fleet.dogfood.habit import Diary, Habit
from fleet.dogfood.message import body_of, errand_of, files_of, first_line, peer_of, sender_of
from fleet.dogfood.records import Records
from fleet.dogfood.turn import Turn
from fleet.tmux.keys import Key, Typed

_BEAT_SECONDS = 15.0
_LOOK_SECONDS = 0.02
_SLOWLY = 5
_DIED = 3
_HALF_A_THOUGHT = "half a thought"
_DRILLS = (
    "hang",
    "die",
    "dialog",
    "draft TEXT",
    "slow SECONDS",
    "fail HOW",
    "talk",
    "enclose",
    "long LINES",
    "help",
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How many seconds a message takes, and work on a card."""

    message: float = 0.0
    work: float = 1.0


class Dogfood:
    """Takes keys, and does what has fallen due. ``folder`` is ``fleet/run`` of its home."""

    def __init__(self, name: str, folder: Path, canvas: Canvas, pace: Pace, habit: Habit) -> None:
        self._name = name
        self._folder = folder
        self._canvas = canvas
        self._pace = pace
        self._records = Records(folder, name)
        self._diary = Diary(folder / f"{name}.cards", habit)
        self._letters = Letters()
        self._draft = ""
        self._queue: deque[str] = deque()
        self._turn: Turn | None = None
        self._dialog: str | None = None
        self._talks = False
        self._encloses = False
        self._lines = 0
        self._failure = ""
        self._beat_at = 0.0
        self._beaten = ""

    # -- time ------------------------------------------------------------------------------------------

    def wait_seconds(self) -> float:
        """Return how long nothing has to be done unless somebody types."""
        return max(0.0, min(self._beat_at, self._due_at()) - time.monotonic())

    def pass_time(self) -> None:
        """Do what has fallen due: go on with a turn, beat."""
        if self._turn is not None and time.monotonic() >= self._due_at():
            self._turn.go_on()
        if time.monotonic() >= self._beat_at or self._state()[0] != self._beaten:
            self._beat()

    def _due_at(self) -> float:
        """Return when the turn goes on: not while a dialog is open."""
        return math.inf if self._turn is None or self._dialog is not None else self._turn.due_at

    def _state(self) -> tuple[str, str]:
        if self._dialog is not None:
            return "blocked", f"dialog: {self._dialog}"
        if self._turn is not None:
            errand = self._turn.errand
            card = "" if errand is None else f"card {errand.card}, "
            return "busy", f"{card}{len(self._queue)} queued"
        if self._draft:
            return "draft", "text in the prompt"
        return "prompt", "turn ended, prompt empty"

    def _beat(self) -> None:
        state, evidence = self._state()
        self._records.beat(state, evidence)
        self._beat_at = time.monotonic() + _BEAT_SECONDS
        self._beaten = state

    # -- what is typed ---------------------------------------------------------------------------------

    def take(self, item: Key | Typed) -> None:
        """Do what a key or a text asks for."""
        if self._dialog is not None:
            self._take_in_dialog(item)
        elif isinstance(item, Typed):
            self._draft += "".join(c for c in item.text if c.isprintable() or c in "\n\t")
        elif item is Key.ENTER:
            self._submit()
        elif item in {Key.ERASE, Key.BACKSPACE}:
            self._draft = self._draft[:-1]
        elif item is Key.ESCAPE and self._turn is not None:
            self._interrupt(self._turn)
        elif item in {Key.CLEAR, Key.INTERRUPT}:
            self._draft = ""
        elif item is Key.END and not self._draft:
            raise SystemExit(0)

    def _take_in_dialog(self, item: Key | Typed) -> None:
        pressed = item.text[:1] if isinstance(item, Typed) else item.name.lower()
        if pressed not in {"y", "enter", "n", "escape", "interrupt"}:
            return
        said = "allowed" if pressed in {"y", "enter"} else "refused"
        self._records.add("dialog_answered", answer=said)
        self._dialog = None
        self._canvas.note(said)
        if self._turn is not None:
            self._turn.rest()
            if said == "refused" and self._turn.errand is not None:
                self._end_turn(self._turn, f"{self._turn.errand.card} is not done: refused")

    def _submit(self) -> None:
        text, self._draft = self._draft, ""
        if not text.strip():
            return
        if text.startswith("/"):
            self._drill(text[1:])
            return
        self._records.add("submitted", text=text)
        if self._turn is None:
            self._begin_turn(text)
        else:
            self._queue.append(text)

    # -- turns -----------------------------------------------------------------------------------------

    def _begin_turn(self, text: str) -> None:
        self._turn = turn = Turn(text, errand_of(text))
        self._canvas.hear(sender_of(text), body_of(text))
        if turn.errand is None:
            turn.then(self._pace.message, self._end_turn)
            return
        turn.vice = self._diary.begin(turn.errand)
        half = self._pace.work / 2 * (_SLOWLY if turn.vice == "slow" else 1)
        turn.then(half, self._at_half_time)
        turn.then(half, self._at_the_end)

    def _at_half_time(self, turn: Turn) -> None:
        match turn.vice:
            case "hang":
                self.hang()
            case "die":
                raise SystemExit(_DIED)
            case "dialog":
                self._ask("Permission")

    def _at_the_end(self, turn: Turn) -> None:
        if turn.errand is None or turn.vice in {"forget", "never"}:
            self._end_turn(turn)
        else:
            turn.completion = Completion(turn.errand, self._folder)
            turn.then(_LOOK_SECONDS, self._await)

    def _await(self, turn: Turn) -> None:
        why = None if turn.completion is None else turn.completion.ended()
        if why is None or turn.errand is None:
            turn.then(_LOOK_SECONDS, self._await)
            return
        if turn.vice == "draft":
            self._draft = self._draft or _HALF_A_THOUGHT
        self._end_turn(turn, why and f"could not complete {turn.errand.card}: {why}")

    def _interrupt(self, turn: Turn) -> None:
        if turn.completion is not None:
            turn.completion.stop()
        self._close(turn, "interrupted", failure="interrupted")

    def _end_turn(self, turn: Turn, said: str = "") -> None:
        failure, self._failure = self._failure, ""
        self._close(turn, failure or said or first_line(turn.text), failure)

    def _close(self, turn: Turn, said: str, failure: str) -> None:
        answer = f"dogfood {self._name}: {said}"
        self._canvas.answer(answer)
        answer, self._lines = "\n".join([answer, *map(str, range(1, self._lines + 1))]), 0
        if failure:
            self._records.add("turn_failed", text=turn.text, code=failure)
        else:
            self._records.add("turn_ended", text=turn.text, answer=answer)
        self._turn = None
        peer = peer_of(turn.text) if self._talks and not failure else None
        if peer is not None:
            # As a model would that cannot stop.
            self._letters.send(*peer, answer)
        if self._encloses and not failure:
            message_id, paths = files_of(turn.text)
            for path in paths:
                self._letters.enclose(path, message_id)
        if self._queue:
            self._begin_turn(self._queue.popleft())

    # -- drills ----------------------------------------------------------------------------------------

    def _drill(self, order: str) -> None:
        word, _, rest = order.partition(" ")
        match word:
            case "hang":
                self.hang()
            case "die":
                raise SystemExit(_DIED)
            case "dialog":
                self._ask("Permission")
            case "draft":
                self._draft = rest or _HALF_A_THOUGHT
            case "slow":
                self._pace = Pace(number_of(rest, 3.0), self._pace.work)
            case _:
                self._drill_answers(word, rest)

    def _drill_answers(self, word: str, rest: str) -> None:
        """Do what a drill asks for that shows in the answers to come."""
        match word:
            case "fail":
                self._failure = rest or "error"
            case "talk":
                self._talks = True
            case "enclose":
                self._encloses = True
            case "long":
                self._lines = int(number_of(rest, 1000))
            case _:
                self._canvas.note(f"for drills: {' · '.join(f'/{drill}' for drill in _DRILLS)}")

    def misbehave(self, how: str) -> None:
        """Begin as told by MOSAIC_DOGFOOD_MISBEHAVE; an empty word is good behaviour."""
        if how:
            self._drill(how)

    def hang(self) -> None:
        """Neither read nor beat, with the prompt as it stands, until SIGCONT comes."""
        self._beat()
        self._canvas.note("hanging from now on")
        self.draw()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCONT})
        signal.sigwaitinfo({signal.SIGCONT})

    def _ask(self, title: str) -> None:
        self._dialog = title
        self._canvas.ask(title)

    # -- the screen ------------------------------------------------------------------------------------

    def greet(self) -> None:
        """Say who is here, and note what it was told: as a digest, since it does nothing with it."""
        prompt = read_prompt(os.environ.get("MOSAIC_AGENT_PROMPT_FILE", ""))
        self._records.note_told(hashlib.sha256(prompt).hexdigest())
        self._canvas.greet(self._name)

    def draw(self) -> None:
        """Show the line on which the cursor stands: the prompt with the end of the draft, or the state."""
        if self._dialog is not None:
            self._canvas.draw(ASKING, "")
        elif self._turn is not None:
            queued = f" · {len(self._queue)} queued" if self._queue else ""
            draft = f" · {self._draft}" if self._draft else ""
            self._canvas.draw(WORKING, f"working{queued}{draft}")
        else:
            self._canvas.draw(PROMPT, self._draft)


def read_prompt(path: str) -> bytes:
    """Return what an agent is told at its start, nothing where there is no such file."""
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def number_of(text: str, default: float) -> float:
    """Return a number of seconds that somebody wrote, ``default`` when it is none."""
    try:
        return max(0.0, float(text))
    except ValueError:
        return default
