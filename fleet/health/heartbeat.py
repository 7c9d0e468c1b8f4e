"""Heartbeats as files: one JSON object {at, pid, session_id, state, evidence}, replaced by rename."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError


class _Beat(BaseModel):
    model_config = ConfigDict(extra="ignore")

    at: AwareDatetime
    pid: int
    session_id: str
    state: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The last beat of an agent's runtime."""

    at: datetime
    pid: int
    session_id: str
    state: str
    evidence: str

    def age(self, now: datetime) -> timedelta:
        """Return how old it is; one from the future is new."""
        return max(timedelta(0), now - self.at)

    def is_of(self, created: datetime) -> bool:
        """Whether it can be of a session that began then, and not of an earlier one."""
        # tmux counts in whole seconds.
        return self.at >= created - timedelta(seconds=1)


def write_heartbeat(path: Path, beat: Heartbeat) -> None:
    """Replace the beat in a file."""
    said = {
        "at": beat.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "pid": beat.pid,
        "session_id": beat.session_id,
        "state": beat.state,
        "evidence": beat.evidence,
    }
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(json.dumps(said, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)


def read_heartbeat(path: Path, since: datetime | None = None) -> Heartbeat | None:
    """Return the beat in a file; None when there is none, or only one from before ``since``."""
    try:
        beat = _Beat.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    found = Heartbeat(beat.at.astimezone(UTC), beat.pid, beat.session_id, beat.state, beat.evidence)
    return found if since is None or found.is_of(since) else None
