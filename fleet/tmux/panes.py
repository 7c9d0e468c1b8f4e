"""What tmux says of a pane: one line of a fixed format, read into one value."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

_FIELDS = (
    "pane_id",
    "pane_pid",
    "pane_dead",
    "pane_in_mode",
    "cursor_x",
    "cursor_y",
    "alternate_on",
    "pane_activity",
    "window_activity",
    "session_activity",
    "session_created",
    "@mosaic_role",
    "@mosaic_launch",
    "session_name",
    "pane_current_command",
    "pane_title",
)

# A tab cannot stand in a session's name, and what a program chose itself (command, title) comes last:
# whatever they hold, the fields before them are read right.
FORMAT = "\t".join(f"#{{{field}}}" for field in _FIELDS)

OWN_ROLES = frozenset({"holder", "control", "chat"})


@dataclass(frozen=True, slots=True)
class Pane:
    """One pane at one moment. ``role`` is the user option ``@mosaic_role``, empty for a stranger's.

    ``launch`` names the start of the agent that runs in it, ``activity`` holds the times of pane, window
    and session in that order (seconds since 1970; 0 where tmux has none).
    """

    id: str
    pid: int
    dead: bool
    in_mode: bool
    cursor_x: int
    cursor_y: int
    alternate: bool
    activity: tuple[float, float, float]
    created: float
    role: str
    launch: str
    session: str
    command: str
    title: str

    def idle(self, now: datetime) -> timedelta | None:
        """Return how long nothing moved: the first known activity counts, one in the future is now."""
        for moment in self.activity:
            if moment > 0 and math.isfinite(moment):
                return timedelta(seconds=max(0.0, now.timestamp() - moment))
        return None

    def age(self, now: datetime) -> timedelta:
        """Return how long its session exists."""
        return timedelta(seconds=max(0.0, now.timestamp() - self.created))


def parse_pane(line: str) -> Pane | None:
    """Return the pane that one line in ``FORMAT`` describes, None for any other line."""
    fields = line.rstrip("\n").split("\t", len(_FIELDS) - 1)
    if len(fields) != len(_FIELDS) or not fields[0].startswith("%"):
        return None
    return Pane(
        id=fields[0],
        pid=int(fields[1] or 0),
        dead=fields[2] == "1",
        in_mode=fields[3] not in {"", "0"},
        cursor_x=int(fields[4] or 0),
        cursor_y=int(fields[5] or 0),
        alternate=fields[6] == "1",
        activity=(_seconds(fields[7]), _seconds(fields[8]), _seconds(fields[9])),
        created=_seconds(fields[10]),
        role=fields[11],
        launch=fields[12],
        session=fields[13],
        command=fields[14],
        title=fields[15],
    )


def _seconds(field: str) -> float:
    return float(field) if field.isdecimal() else 0.0
