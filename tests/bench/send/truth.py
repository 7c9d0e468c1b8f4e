"""What the receiving programs say that they were given: the only judge of all contestants."""

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.config.places import Places

_BODY = "a status report of some length: the build is green, the docs are next, nobody waits for anything"


@dataclass(frozen=True, slots=True)
class Sent:
    """A message to an agent, with when it was handed over and when it was known, or shown, to be there."""

    id: str
    agent: str
    body: str = _BODY
    begun_at: datetime | None = None
    there_at: datetime | None = None

    def timed(self, begun_at: datetime | None, there_at: datetime | None) -> "Sent":
        """Return it with its times."""
        return replace(self, begun_at=begun_at, there_at=there_at)

    @property
    def milliseconds(self) -> float | None:
        """How long it took, None when it did not arrive."""
        if self.begun_at is None or self.there_at is None:
            return None
        return (self.there_at - self.begun_at).total_seconds() * 1000


def new_messages(agents: Sequence[str], count: int) -> list[Sent]:
    """Return so many messages, to the agents in turn."""
    return [Sent(secrets.token_hex(8), agents[number % len(agents)]) for number in range(count)]


class Truth:
    """The events files of the agents, each read on from where it was read to."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._read: dict[str, int] = {}
        self._seen: dict[str, list[tuple[str, datetime]]] = {}

    def submissions(self, agent: str) -> Sequence[tuple[str, datetime]]:
        """Return every text that an agent was given, in order, and when."""
        seen = self._seen.setdefault(agent, [])
        path = self._places.events_file(agent)
        if not path.exists():
            return seen
        with path.open("rb") as file:
            file.seek(self._read.get(agent, 0))
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._read[agent] = self._read.get(agent, 0) + len(whole)
        for line in whole.splitlines():
            event = json.loads(line)
            if event["event"] == "submitted":
                seen.append((event["text"], datetime.fromisoformat(event["at"])))
        return seen

    def arrivals(self, messages: Iterable[Sent]) -> dict[str, datetime]:
        """Return when each message was submitted whole, as one, and only once."""
        wanted = list(messages)
        texts: dict[str, list[tuple[str, datetime]]] = {}
        for agent in {sent.agent for sent in wanted}:
            for text, at in self.submissions(agent):
                texts.setdefault(text.rpartition("[end ")[2].rstrip("]"), []).append((text, at))
        found = {}
        for sent in wanted:
            whole = texts.get(sent.id, [])
            if len(whole) == 1 and whole[0][0].startswith("[from ") and sent.body in whole[0][0]:
                found[sent.id] = whole[0][1]
        return found
