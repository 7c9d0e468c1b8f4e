"""What a runtime says of its own turns: one JSON object a line, in a file that is only ever added to.

``{"event": "submitted" | "turn_ended", "session_id", "text", "answer", "at"}``; ``text`` is the prompt that
the turn began with. Hooks and extensions of the agent programs write the same shape.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from fleet.envelope import message_id_of

_OFFSET = re.compile(r"\d{1,18}")


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore")

    event: Literal["submitted", "turn_ended"]
    session_id: str
    text: str = ""
    answer: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One line, with the offset in bytes at which the next one begins."""

    event: str
    session_id: str
    message_id: str | None
    answer: str
    at: str
    end: int


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
    return Stretch(events, position)


def _read(line: bytes, end: int) -> Event | None:
    try:
        said = _Line.model_validate_json(line)
    except ValidationError:
        return None
    return Event(said.event, said.session_id, message_id_of(said.text), said.answer, said.at, end)


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
