"""What a runtime says of its own turns: one JSON object a line, in a file that is only ever added to.

``{"event": "submitted" | "turn_ended" | "turn_failed", "session_id", "text", "answer", "at", "turn"}``; ``text`` is
the prompt that the turn began with, ``turn`` the program's own id of it. A failed turn has ``code`` and ``detail``
(``fleet.turns.failures``) instead of an answer. ``record`` names the file in which a program keeps the conversation.
Extensions of the agent programs write the same shape, hooks what they were given (``fleet.turns.hooks``).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.agents.failure import TurnFailure
from fleet.turns.envelope import message_ids_of
from fleet.turns.failures import failure_of
from fleet.turns.hooks import HookLine

_LOOK_BACK_BYTES = 1 << 20
_OFFSET = re.compile(r"\d{1,18}")


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore")

    event: Literal["submitted", "turn_ended", "turn_failed"]
    session_id: str
    text: str = ""
    answer: str = ""
    at: str = ""
    turn: str = ""
    code: str = ""
    detail: str = ""
    record: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One line, with the offset in bytes at which the next one begins.

    ``message_ids`` are those of our messages that the turn began with, none for what a person typed.
    ``turn`` is the program's own id of the turn, empty where it gives none; ``failure`` is there when it failed.
    ``record`` is the file in which the program keeps the conversation, empty where it names none.
    """

    event: str
    session_id: str
    message_ids: tuple[str, ...]
    answer: str
    at: str
    end: int
    turn: str = ""
    failure: TurnFailure | None = None
    record: str = ""

    @property
    def beginning(self) -> tuple[str, str]:
        """What a turn's beginning and its end have in common."""
        return self.session_id, self.turn

    def evidence(self, path: Path) -> dict[str, Any]:
        """Return where in an events file it stands, for a receipt."""
        place = {"file": path.name, "offset": self.end}
        return place | {"session_id": self.session_id, "at": self.at}


@dataclass(frozen=True, slots=True)
class Stretch:
    """What stood between an offset and the last whole line; ``end`` is where to go on."""

    events: Sequence[Event]
    end: int


def read_events(path: Path, offset: int) -> Stretch:
    """Return the events from an offset on; lines that are no events are passed over.

    A file that is shorter than the offset was begun anew and is read from its start.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = offset if offset <= size else 0
            file.seek(start)
            content = file.read(size - start)
    except FileNotFoundError:
        return Stretch((), 0)
    events: list[Event] = []
    position = start
    for line in content.split(b"\n")[:-1]:
        position += len(line) + 1
        if (event := _read(line, position)) is not None:
            events.append(event)
    return Stretch(_with_their_turns(path, start, events), position)


def _read(line: bytes, end: int) -> Event | None:
    said = _parsed(line)
    if said is None:
        return None
    failed = said.event == "turn_failed"
    return Event(
        event=said.event,
        session_id=said.session_id,
        message_ids=message_ids_of(said.text),
        answer="" if failed else said.answer,
        at=said.at,
        end=end,
        turn=said.turn,
        failure=failure_of(said.code, said.detail) if failed else None,
        record=said.record,
    )


def _parsed(line: bytes) -> _Line | HookLine | None:
    for form in (_Line, HookLine):
        try:
            return form.model_validate_json(line)
        except ValidationError:
            continue
    return None


def _with_their_turns(path: Path, start: int, events: list[Event]) -> list[Event]:
    """Give ends that name only their turn the messages with which it began, also before ``start``."""
    begun = {one.beginning: one.message_ids for one in events if one.event == "submitted"}
    complete = []
    for event in events:
        if event.event == "submitted" or event.message_ids or not event.turn:
            complete.append(event)
            continue
        if event.beginning not in begun:
            begun[event.beginning] = _begun_before(path, start, event.beginning)
        complete.append(replace(event, message_ids=begun[event.beginning]))
    return complete


def _begun_before(path: Path, start: int, beginning: tuple[str, str]) -> tuple[str, ...]:
    with path.open("rb") as file:
        file.seek(max(0, start - _LOOK_BACK_BYTES))
        lines = file.read(start - file.tell()).split(b"\n")
    for line in reversed(lines):
        event = _read(line, 0)
        if event is not None and (event.event, event.beginning) == ("submitted", beginning):
            return event.message_ids
    return ()


def size_of(path: Path) -> int:
    """Return a file's length in bytes, 0 when there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def read_offset(path: Path) -> int:
    """Return a kept offset, 0 when none is kept."""
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return 0
    return int(text) if _OFFSET.fullmatch(text) else 0
