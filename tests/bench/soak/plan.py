"""How much is said, and what dies when."""

import random
from dataclasses import dataclass
from enum import Enum


class Blow(Enum):
    """What happens to a running conversation; the bots are always hit both, in the same moment."""

    KILL = "the bots are killed and started again"
    ABSENCE = "the bots are killed and stay away while people go on"
    RESTART = "the homeserver is restarted"
    BOTH = "the homeserver is restarted, and while it is away the bots are killed and started"


@dataclass(frozen=True, slots=True)
class Plan:
    """The size of a run. ``lead`` is how many messages people go on in one room before they wait for the bots:

    few enough that a bot which asks for 100 events of a room misses none as long as it runs. In a ``private`` run all
    rooms and clients encrypt.
    """

    messages: int
    clients: int = 20
    rooms: int = 10
    restarts: int = 5
    kills: int = 10
    lead: int = 25
    private: bool = False

    @property
    def away(self) -> int:
        """How many messages are said in the one long absence."""
        return min(self.messages // 10, 150 * self.rooms)

    def blows(self, rng: random.Random) -> list[tuple[int, Blow]]:
        """Return when what happens, by messages answered, in order.

        All of it in the first three fifths, so that the last life of the daemon is long enough to show
        whether its memory grows.
        """
        if not self.kills:
            return []
        what = [Blow.ABSENCE, Blow.BOTH]
        what += [Blow.KILL] * (self.kills - 2) + [Blow.RESTART] * (self.restarts - 1)
        rng.shuffle(what)
        first, last = self.messages // 50, self.messages * 3 // 5
        moments = sorted(rng.sample(range(first, last), len(what)))
        return list(zip(moments, what, strict=True))


CALM = Plan(600, restarts=0, kills=0)
QUICK = Plan(600)
FULL = Plan(10_000)
PRIVATE = Plan(1_000, clients=5, rooms=3, private=True)
PRIVATE_QUICK = Plan(240, clients=5, rooms=3, private=True)


def line(room: int, number: int) -> str:
    """Return what is said: a third leaves a card, a third a line in a card's history, a third only reads."""
    if number % 3 == 0:
        return f"!backlog create --id R{room}N{number} --title soak"
    if number % 3 == 1:
        return f"!backlog edit --id {log_of(room)} --title 'line {number}'"
    return "!backlog stats"


def log_of(room: int) -> str:
    """Return the card whose history counts what ran in a room."""
    return f"LOG{room}"


def fits(room: int, number: int, answer: str) -> bool:
    """Return whether an answer of ours belongs to the line that it stands below."""
    if is_interrupted(answer):
        return line(room, number) in answer
    named = {0: f"R{room}N{number}", 1: log_of(room), 2: "ready"}[number % 3]
    return named in answer


def is_interrupted(answer: str) -> bool:
    """Return whether an answer names a command that was cut short: it may have run, and nobody runs it again."""
    return answer.startswith("interrupted: ")
