"""How often an agent was started by itself, so that what ends at once is not begun again in a tight loop.

Only starts that no person asked for are counted, each for ten minutes: then the state has decayed. The first
three are free; after them each one doubles the wait for the next.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.errors import UserError

COUNTS_FOR = timedelta(minutes=10)
"""How long a start counts; whoever ran as long is well."""

_FREE = 3
_LOOP = 5
_FIRST_WAIT = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(minutes=5)


def counted(starts: Sequence[datetime], now: datetime) -> Sequence[datetime]:
    """Return the starts that still count, oldest first; one from the future counts as now."""
    return sorted(min(at, now) for at in starts if now - at < COUNTS_FOR)


def wait(starts: Sequence[datetime], now: datetime) -> timedelta:
    """Return how long the next start must wait; zero when it may be now."""
    recent = counted(starts, now)
    if len(recent) < _FREE:
        return timedelta(0)
    doublings: int = 2 ** min(len(recent) - _FREE, 10)
    pause = min(_FIRST_WAIT * doublings, _LONGEST_WAIT)
    return max(timedelta(0), recent[-1] + pause - now)


def crash_loop(starts: Sequence[datetime], now: datetime) -> str | None:
    """Return a crash loop in a few words, None when there is none (any more)."""
    recent = counted(starts, now)
    if len(recent) < _LOOP:
        return None
    first = recent[0].strftime("%H:%M:%S UTC")
    return f"crash loop: {len(recent)} starts since {first}"


def refuse_too_soon(path: Path, name: str, now: datetime) -> None:
    """Raise UserError ``crash_loop`` for a start that comes too soon after others that nobody asked for."""
    starts = read_starts(path)
    pause = wait(starts, now)
    if pause:
        said = crash_loop(starts, now) or f"{name} ended {len(starts)} times of late"
        raise UserError(
            f"{said}; {name} is started again in {pause.total_seconds():.0f} s at the earliest",
            code="crash_loop",
            hint=f"agent tail {name}; fleet start {name} starts it at once",
        )


def read_starts(path: Path) -> Sequence[datetime]:
    """Return what a file tells; nothing when there is none, or it cannot be read."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))["starts"]
        return [datetime.fromtimestamp(float(value), UTC) for value in values]
    except (FileNotFoundError, ValueError, KeyError, TypeError, OverflowError):
        return []


def note_start(path: Path, now: datetime) -> None:
    """Add a start to a file, which forgets those that count no more."""
    starts = [*counted(read_starts(path), now), now]
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(json.dumps({"starts": [at.timestamp() for at in starts]}) + "\n")
    draft.replace(path)
