"""What a program's own record of a conversation says of one turn: what goes on in it, and what went wrong.

The record is the file that the turn's beginning named: Claude Code's transcript, Codex's rollout, the session file of
pi or Gemini CLI, the file that our plugin of opencode keeps. Only its end is read, and only what stands after the
message that is asked about: the turns before it are other people's.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.agents.failure import FailureKind, TurnFailure
from bot.config.places import Places
from fleet.turns.events import read_events, size_of
from fleet.turns.failures import failure_of

_LAST_BYTES = 1 << 20
_LONGEST = 400
_INTERRUPTED = "[Request interrupted by user"
_TOOLS = frozenset({"tool_use", "toolCall", "function_call", "custom_tool_call"})


class _Loose(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Piece(_Loose):
    type: str = ""
    text: str | None = None
    name: str | None = None


class _Said(_Loose):
    role: str = ""
    content: str | tuple[_Piece, ...] = ()


class _Payload(_Said):
    type: str = ""
    name: str | None = None


class _Entry(_Loose):
    type: str = ""
    message: _Said | None = None
    payload: _Payload | None = None
    content: str | tuple[_Piece, ...] = ()
    doing: str = ""
    tool: bool = False

    @property
    def role(self) -> str:
        """Who speaks: ``user``, ``assistant``, or what else a program calls it."""
        said = self.message or self.payload
        return said.role if said is not None and said.role else self.type


async def doing_of(places: Places, place: str, message_id: str) -> str:
    """Return what an agent (``HOST/NAME``) of this host is at with a message, empty when nothing is known."""
    path = places.events_file(place.partition("/")[2])
    record = await asyncio.to_thread(_record_of, path, message_id)
    return "" if record is None else await asyncio.to_thread(doing, record, message_id)


def _record_of(events_file: Path, message_id: str) -> Path | None:
    """Return the record that the turn's beginning named, None when it named none."""
    events = read_events(events_file, max(0, size_of(events_file) - _LAST_BYTES)).events
    named = (one.record for one in reversed(events) if message_id in one.message_ids and one.record)
    found = next(named, None)
    return None if found is None else Path(found)


def doing(record: Path, message_id: str) -> str:
    """Return what a turn is at: the end of what its model said last, or the tool that it uses; empty for nothing yet."""
    words = ""
    for entry in _since(record, message_id):
        words = _words(entry) or words
    words = " ".join(words.split())
    return words if len(words) <= _LONGEST else f"…{words[1 - _LONGEST :]}"


def what_failed(record: Path, message_id: str) -> TurnFailure | None:
    """Return why a turn failed, as Gemini CLI writes it down; None when nothing is said of it."""
    for entry in _since(record, message_id):
        if entry.type == "error" and isinstance(entry.content, str):
            return failure_of("error", entry.content.strip("[]"))
        if entry.type == "info" and entry.content == "Request cancelled.":
            return TurnFailure(FailureKind.INTERRUPTED)
    return None


def was_interrupted(record: Path, message_id: str) -> bool:
    """Whether Claude Code has written down that somebody interrupted a turn."""
    return any(_texts(entry).startswith(_INTERRUPTED) for entry in _since(record, message_id))


def _texts(entry: _Entry) -> str:
    """Return what a user's entry says, empty for every other one."""
    said = entry.message
    if said is None or entry.role != "user":
        return ""
    pieces = (one.text or "" for one in said.content if not isinstance(one, str))
    return said.content if isinstance(said.content, str) else "".join(pieces)


def _words(entry: _Entry) -> str:
    if entry.doing:
        return _using(entry.doing) if entry.tool else entry.doing
    if entry.payload is not None and entry.payload.type in _TOOLS:
        return _using(entry.payload.name)
    said = entry.message or entry.payload
    if said is None or entry.role != "assistant":
        return ""
    if isinstance(said.content, str):
        return said.content
    pieces = (_using(one.name) if one.type in _TOOLS else one.text or "" for one in said.content)
    return next((words for words in reversed(list(pieces)) if words.strip()), "")


def _using(tool: str | None) -> str:
    """Name a tool, and nothing of what it was given: that may hold anything."""
    return f"using {tool or 'a tool'}"


def _since(record: Path, message_id: str) -> Iterator[_Entry]:
    """Yield a record's entries from the message's own on, none while it is not there."""
    begun = False
    for line in _last_lines(record):
        if not begun and message_id.encode() not in line:
            continue
        try:
            entry = _Entry.model_validate_json(line)
        except ValidationError:
            continue
        # A message that is only queued stands in the record too, before the end of another turn.
        begun = begun or entry.role == "user" or bool(entry.doing)
        if begun:
            yield entry


def _last_lines(record: Path) -> list[bytes]:
    try:
        if not record.is_file():  # a pipe would keep us waiting
            return []
        with record.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _LAST_BYTES))
            return file.read().split(b"\n")
    except OSError:
        return []
