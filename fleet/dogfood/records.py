"""What a dogfood agent writes for others to read: its heartbeat and its events."""

import json
import os
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class Records:
    """The files of one agent in ``folder``, in the name of one session."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._session_id = uuid.uuid4().hex

    def beat(self, state: str, evidence: str) -> None:
        """Replace the heartbeat."""
        beat = {
            "at": _now(),
            "pid": os.getpid(),
            "session_id": self._session_id,
            "state": state,
            "evidence": evidence,
        }
        self._replace("hb", beat)

    def note_told(self, digest: str) -> None:
        """Say in ``NAME.told`` what it was told at this start: the SHA-256 of its prompt."""
        self._replace("told", {"at": _now(), "session_id": self._session_id, "prompt": digest})

    def _replace(self, kind: str, values: Mapping[str, Any]) -> None:
        draft = self._folder / f".{self._name}.{kind}.new"
        draft.write_text(json.dumps(values), encoding="utf-8")
        draft.replace(self._folder / f"{self._name}.{kind}")

    def add(self, event: str, **values: str) -> None:
        """Add an event."""
        line = {"event": event} | values | {"session_id": self._session_id, "at": _now()}
        with (self._folder / f"{self._name}.events").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
