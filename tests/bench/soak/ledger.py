"""What came of everything that was said, judged by the rooms themselves."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.stages.room import answered, mark_on

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """One room in the end: its lines in the order in which they stand there, with their numbers, and a bot's events."""

    room: int
    asked: Sequence[tuple[str, int]]
    said: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The account of one bot, in messages.

    ``lost`` were never answered, ``doubled`` are answers beyond the first, ``astray`` are answers that stand
    behind the answer to a later line of their room, ``wrong`` are answers with something else in them.
    """

    asked: int
    lost: int
    doubled: int
    astray: int
    wrong: int
    marked_twice: int
    interrupted: int
    lost_away: int

    @property
    def clean(self) -> bool:
        """Whether every message was answered once, in order, with what belongs to it."""
        return not (self.lost or self.doubled or self.astray or self.wrong or self.marked_twice)


def settle(
    rooms: Iterable[Heard],
    fits: Callable[[int, int, str], bool],
    cut_short: Callable[[str], bool],
    away: frozenset[str] = frozenset(),
) -> Ledger:
    """Return the account of a bot; ``away`` are the events that were said in its long absence."""
    total: Counter[str] = Counter()
    for heard in rooms:
        total += _settle(heard, fits, cut_short, away)
    return Ledger(**{name: total[name] for name in Ledger.__dataclass_fields__})


def _settle(
    heard: Heard,
    fits: Callable[[int, int, str], bool],
    cut_short: Callable[[str], bool],
    away: frozenset[str],
) -> Counter[str]:
    places = {event_id: place for place, (event_id, _) in enumerate(heard.asked)}
    numbers = dict(heard.asked)
    answers = [(of, _body(e)) for e in heard.said if (of := _answered(e)) in numbers]
    times = Counter(of for of, _ in answers)
    marks = Counter((mark_on(e, of), of) for e in heard.said if (of := _marked(e)) in numbers)
    unanswered = [event_id for event_id, _ in heard.asked if event_id not in times]
    return Counter(
        asked=len(heard.asked),
        lost=len(unanswered),
        lost_away=sum(event_id in away for event_id in unanswered),
        doubled=sum(times.values()) - len(times),
        astray=_astray([places[of] for of, _ in answers]),
        wrong=sum(not fits(heard.room, numbers[of], body) for of, body in answers),
        marked_twice=sum(marks.values()) - len(marks),
        interrupted=sum(cut_short(body) for _, body in answers),
    )


def _astray(order: Sequence[int]) -> int:
    """Return how many first answers come after the answer to a later line."""
    furthest, astray = -1, 0
    for number in dict.fromkeys(order):
        astray += number < furthest
        furthest = max(furthest, number)
    return astray


def _marked(event: Event) -> str:
    relation = event["content"].get("m.relates_to") or {}
    return str(relation.get("event_id", "")) if event["type"] == "m.reaction" else ""


def _answered(event: Event) -> str:
    return answered(event) or ""


def _body(event: Event) -> str:
    return str(event["content"].get("body", ""))
