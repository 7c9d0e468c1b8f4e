"""How an agent is, as one pure and total function (spec 1-systems, row 8)."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Readiness(StrEnum):
    """Whether an agent can be given something to do."""

    DEAD = "dead"
    UNKNOWN = "unknown"
    STALE = "stale"
    STUCK = "stuck"
    WORKING = "working"
    AVAILABLE = "available"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a heartbeat is stale, and from which idle time on a silent runtime counts as done."""

    stale: timedelta = timedelta(seconds=60)
    idle: timedelta = timedelta(seconds=300)
    grace: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one agent at one moment; ``None`` is "not known", never "no".

    ``state`` and ``said`` are the runtime's own word on itself: prompt, draft, busy, blocked.
    ``crash_loop`` says in words that it was started again and again by itself, ``stopped_by`` who stopped it
    on purpose.
    """

    running: bool
    age: timedelta | None = None
    heartbeat_age: timedelta | None = None
    state: str | None = None
    said: str = ""
    idle: timedelta | None = None
    crash_loop: str | None = None
    stopped_by: str | None = None


def judge(facts: Facts, thresholds: Thresholds) -> tuple[Readiness, str]:
    """Return how an agent is, and the evidence for it in a few words.

    Alive is not well: without a heartbeat an agent is ``unknown``. It is ``stuck`` only when something
    says what blocks it (a dialog, a crash loop that holds its next start back), never because it is quiet.
    """
    if not facts.running:
        if facts.stopped_by is not None:
            return Readiness.DEAD, f"stopped by {facts.stopped_by}"
        if facts.crash_loop is not None:
            return Readiness.STUCK, facts.crash_loop
        return Readiness.DEAD, "no running process in a pane"
    beat = facts.heartbeat_age
    if beat is None:
        young = facts.age is not None and facts.age < thresholds.grace
        return Readiness.UNKNOWN, "starting" if young else "no heartbeat"
    if beat > thresholds.stale:
        return Readiness.STALE, f"last heartbeat {_seconds(beat)} s ago"
    return _judge_word(facts, thresholds)


def _judge_word(facts: Facts, thresholds: Thresholds) -> tuple[Readiness, str]:
    match facts.state:
        case "blocked":
            return Readiness.STUCK, facts.said or "blocked"
        case "prompt":
            return Readiness.AVAILABLE, facts.said or "turn ended"
        case "busy" | "draft":
            return Readiness.WORKING, facts.said or facts.state
    if facts.idle is not None and facts.idle >= thresholds.idle:
        return Readiness.AVAILABLE, f"idle for {_seconds(facts.idle)} s"
    return Readiness.WORKING, "no word that its turn ended"


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
