"""Who may be given a card now, and why the others may not: pure, from the register and what cards ask for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.supervision.ports import AVAILABLE, Demand, Worker

_FREE = "free"
NEVER = frozenset({"orchestrator", "enhancer"})
"""Classes that lead and improve; a card must name one of their agents to be given to it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an agent stands to new cards: a code, and a sentence that goes on after its name."""

    code: str
    sentence: str

    @property
    def free(self) -> bool:
        """Whether it could take a card now."""
        return self.code == _FREE


def standing(worker: Worker, now: datetime, busy: Mapping[str, str], pause: str | None) -> Standing:
    """Return how an agent stands to new cards.

    ``busy`` says for the place of an agent with an open dispatch which card it is; ``pause`` how the fleet is
    paused.
    """
    if worker.place in busy:
        return Standing("has-card", f"has {busy[worker.place]}; {_seen(worker)}")
    how = _hindered(worker, now)
    if how is not None:
        return how
    if pause is not None:
        return Standing("paused", f"is available, and the fleet is {pause}")
    return Standing(_FREE, "is available")


def _hindered(worker: Worker, now: datetime) -> Standing | None:
    """Return why an agent cannot take anything, None when it can."""
    readiness = worker.sighting.readiness
    if worker.is_silent(now):
        since = f"{worker.host_seen_at:%H:%M:%S} UTC"
        return Standing("host-silent", f"is unknown: {worker.host} says nothing since {since}")
    if readiness != AVAILABLE:
        return Standing(readiness, f"is {_seen(worker)}")
    if worker.needs_reset:
        return Standing("resetting", "is begun anew before its next card")
    if worker.rests_until is not None and worker.rests_until > now:
        times = "once" if worker.failures == 1 else f"{worker.failures} times in a row"
        until = f"{worker.rests_until:%H:%M:%S} UTC"
        return Standing("rests", f"rests until {until}: it did not finish a card {times}")
    if worker.class_is_full:
        said = f"is available, and as many of class {worker.sighting.agent_class} have cards as may"
        return Standing("class-full", said)
    return None


def _seen(worker: Worker) -> str:
    return f"{worker.sighting.readiness}: {worker.sighting.evidence}"


def takes(worker: Worker, demand: Demand) -> bool:
    """Whether cards that ask so are for this agent (spec 1-systems, row 15).

    A card that names an agent is for that one. Else its class must be the agent's; one without a class goes to
    any agent whose persona takes cards, never to an orchestrator or an enhancer.
    """
    sighting = worker.sighting
    if demand.host not in {None, worker.host}:
        return False
    if demand.agent is not None:
        return demand.agent == worker.name and demand.agent_class in {None, sighting.agent_class}
    if sighting.agent_class in NEVER:
        return False
    if demand.agent_class is None:
        return sighting.takes_cards
    return demand.agent_class == sighting.agent_class


def order(workers: Sequence[Worker]) -> Sequence[Worker]:
    """Return agents in the order in which they are served: those who take the fewest sorts first, then who waits longest."""
    return sorted(workers, key=lambda one: (one.sighting.takes_cards, one.since, one.place))


def nobody_for(demands: Iterable[Demand], workers: Sequence[Worker]) -> Sequence[Demand]:
    """Return what cards ask for and no agent of the fleet is, whatever it does now."""
    return [one for one in demands if not any(takes(worker, one) for worker in workers)]


def spelled(demand: Demand) -> str:
    """Return in words whom cards ask for."""
    named = (
        ("class", demand.agent_class),
        ("agent", demand.agent),
        ("host", demand.host),
    )
    said = [f"{what} {value}" for what, value in named if value is not None]
    return ", ".join(said) or "anybody who takes cards"


def all_spelled(demands: Iterable[Demand]) -> str:
    """Return in words whom all cards ask for, sorted."""
    return "; ".join(sorted(map(spelled, demands)))
