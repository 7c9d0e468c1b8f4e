"""How things stand, in one short line and a few details, in words that do not change with time alone."""

from collections import Counter
from collections.abc import Sequence

from bot.backlog.cards import BacklogStats
from bot.rooms.placards import State
from bot.supervision.concerns import Concern
from bot.supervision.pause import Pause
from bot.supervision.ports import OpenDispatch, Worker

_SHOWN = 8
_TROUBLE = ("stuck", "dead", "stale", "unknown")


def state_of(
    workers: Sequence[Worker],
    stats: BacklogStats,
    dispatches: Sequence[OpenDispatch],
    concerns: Sequence[Concern],
    pause: Pause | None,
) -> State:
    """Return the fleet, the backlog, what is under way, and whether everything is paused."""
    readiness = Counter(worker.sighting.readiness for worker in workers)
    head = "Work goes on" if pause is None else pause.sentence()
    counts = stats.counts
    headline = (
        f"{head} · {readiness['working']} of {len(workers)} agents at work"
        f" · {counts.get('ready', 0)} ready, {counts.get('claimed', 0)} claimed"
    )
    details = [
        ("fleet", _fleet(workers, readiness)),
        ("backlog", ", ".join(f"{count} {name}" for name, count in counts.items())),
        ("under way", _under_way(dispatches)),
        ("concerns", str(len(concerns)) if concerns else "none"),
    ]
    return State(headline, tuple(details))


def _fleet(workers: Sequence[Worker], readiness: Counter[str]) -> str:
    trouble = [
        f"{worker.name} {worker.sighting.readiness}"
        for worker in workers
        if worker.sighting.readiness in _TROUBLE
    ]
    said = ", ".join(f"{count} {word}" for word, count in sorted(readiness.items())) or "no agents"
    return f"{said} ({_some(trouble)})" if trouble else said


def _under_way(dispatches: Sequence[OpenDispatch]) -> str:
    cards = [
        f"{one.dispatch.card_id} ({one.dispatch.place.partition('/')[2]})" for one in dispatches
    ]
    return _some(cards) or "nothing"


def _some(words: Sequence[str]) -> str:
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more
