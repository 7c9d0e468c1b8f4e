"""What Codex writes of its turns, noted where every runtime's turns are (spec 6-runtimes).

Codex keeps a file of each conversation (a rollout) and needs no hook for it. Which one is an agent's is asked of
its processes, which hold it open: never the newest file, which may be somebody else's.
"""

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.errors import SetupError
from fleet.host import processes
from fleet.host.local import Door, LocalFleet
from fleet.turns.events import size_of

_POLL = timedelta(milliseconds=50)
_SEARCH = timedelta(milliseconds=500)
_FIRST_BYTES = 1 << 20
_ROLLOUT = re.compile(
    r"/rollout-[^/]*-(?P<session>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl$"
)


class _Words(BaseModel):
    model_config = ConfigDict(extra="ignore")

    text: str = ""


class _Item(BaseModel):
    model_config = ConfigDict(extra="ignore")

    type: str
    content: tuple[_Words, ...] = ()


class _Error(BaseModel):
    model_config = ConfigDict(extra="ignore")

    message: str = ""
    codex_error_info: Any = None


class _Payload(BaseModel):
    model_config = ConfigDict(extra="ignore")

    type: str = ""
    turn_id: str = ""
    item: _Item | None = None
    last_agent_message: str | None = None
    error: _Error | None = None
    reason: str = ""


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore")

    timestamp: str = ""
    payload: _Payload


class Rollouts:
    """The part ``rollouts``. What it notes twice after a crash is one message's proof all the same."""

    name = "rollouts"

    def __init__(self, fleet: LocalFleet) -> None:
        self._fleet = fleet
        self._open: dict[str, Sequence[Path]] = {}
        self._offsets: dict[Path, int] = {}
        self._log = structlog.get_logger(part=self.name)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Follow until cancelled; TransientError when tmux does not answer."""
        ready("following Codex's rollouts")
        searched = 0.0
        while True:
            now = asyncio.get_running_loop().time()
            if now - searched > _SEARCH.total_seconds():
                await self._search()
                searched = now
            for name, paths in self._open.items():
                for path in paths:
                    self._copy(path, self._fleet.places.events_file(name))
            await asyncio.sleep(_POLL.total_seconds())

    async def _search(self) -> None:
        if not any(agent.runtime == "codex" for agent in self._fleet.local_agents()):
            self._open.clear()
            return
        try:
            doors = await self._fleet.doors()
        except SetupError:
            return  # no tmux: the fleet's own part says so
        self._open = {
            door.agent.name: await asyncio.to_thread(rollouts_of, door)
            for door in doors
            if door.runtime.name == "codex"
        }

    def _copy(self, rollout: Path, events: Path) -> None:
        """Note what was added to a rollout since the last time."""
        size = size_of(rollout)
        # One that was there before us may be long, and what is far back has been told or never will be.
        offset = self._offsets.get(rollout, max(0, size - _FIRST_BYTES))
        if size <= offset:
            return
        with rollout.open("rb") as file:
            file.seek(offset)
            added = file.read(size - offset)
        whole = added[: added.rfind(b"\n") + 1]
        found = _ROLLOUT.search(str(rollout))
        notes = "".join(turns(whole, found["session"] if found else "", str(rollout)))
        if notes:
            with events.open("a", encoding="utf-8") as file_:
                file_.write(notes)
        self._offsets[rollout] = offset + len(whole)


def rollouts_of(door: Door) -> Sequence[Path]:
    """Return the rollouts that an agent's processes hold open. Blocks."""
    found = {
        target
        for process in processes.descendants(door.pane.pid)
        for target in processes.open_files(process.pid)
        if _ROLLOUT.search(target)
    }
    return [Path(target) for target in sorted(found)]


def turns(lines: bytes, session_id: str, record: str = "") -> Iterator[str]:
    """Yield a line of ``fleet.turns.events`` for each prompt and each end of a turn that a rollout tells of.

    ``record`` is the rollout's own path. A turn that ended with neither a last word nor an error yields none.
    """
    for line in lines.splitlines():
        try:
            said = _Record.model_validate_json(line)
        except ValidationError:
            continue
        note = _said(said.payload, record)
        if note is not None:
            common = {"session_id": session_id, "turn": said.payload.turn_id, "at": said.timestamp}
            yield json.dumps(note | common, ensure_ascii=False) + "\n"


def _said(payload: _Payload, record: str) -> dict[str, Any] | None:
    item = payload.item
    if payload.type == "item_completed" and item is not None and item.type == "UserMessage":
        text = "\n".join(words.text for words in item.content if words.text)
        return {"event": "submitted", "text": text, "record": record}
    if payload.type == "turn_aborted":
        return {"event": "turn_failed", "code": payload.reason or "interrupted"}
    if payload.type != "task_complete":
        return None
    if payload.error is not None:
        code = json.dumps(payload.error.codex_error_info)
        return {"event": "turn_failed", "code": code, "detail": payload.error.message}
    if payload.last_agent_message is not None:
        return {"event": "turn_ended", "answer": payload.last_agent_message}
    return None
