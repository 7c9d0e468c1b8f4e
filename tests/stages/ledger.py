"""What an installation's history tells of a campaign: who had which card when, and who waited for whom."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from bot.cli.client import Client
from tests.stages.installation import Installation

_ENDS = frozenset({"complete", "release", "reclaim", "block"})
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Every card's history, and the supervisor's own word on itself."""

    cards: dict[str, dict[str, Any]]
    status: dict[str, Any]
    turn_ends: dict[str, list[datetime]]

    def completions(self) -> dict[str, list[datetime]]:
        """Return when each card was completed."""
        return {
            id_: [at for at, action, _ in _events(card) if action == "complete"]
            for id_, card in self.cards.items()
        }

    def first_claim(self, card_id: str) -> datetime:
        """Return when a card was begun for the first time."""
        return next(at for at, action, _ in _events(self.cards[card_id]) if action == "claim")

    def attempts(self, card_id: str) -> list[tuple[str, datetime, datetime]]:
        """Return a card's claims: whose, from when, until when."""
        found, owner, since = [], "", None
        for at, action, event in _events(self.cards[card_id]):
            if action == "claim":
                owner, since = str(event["detail"]["claim_owner"]["to"]).rpartition("/")[2], at
            elif action in _ENDS and since is not None:
                found.append((owner, since, at))
                since = None
        return found

    def overlaps(self) -> list[str]:
        """Return cards that were claimed while somebody had them, and agents that had two cards at once."""
        wrong = []
        for id_, card in self.cards.items():
            held = False
            for _, action, _ in _events(card):
                if action == "claim" and held:
                    wrong.append(id_)
                held = action == "claim" or (held and action not in _ENDS)
        spans: dict[str, list[Span]] = {}
        for id_ in self.cards:
            for owner, since, until in self.attempts(id_):
                spans.setdefault(owner, []).append((since, until))
        for owner, held_by in spans.items():
            in_order = sorted(held_by)
            wrong += [owner for (_, end), (begin, _) in pairwise(in_order) if begin < end]
        return wrong

    def ready_to_claimed(self, share: float) -> float:
        """Return the time from when a card was ready and the agent that got it free until the claim, in seconds.

        Free is an agent from the end of its last turn by its own word; ``share`` is the percentile.
        """
        reactions = sorted(
            (claimed - max(ready, self._free_since(owner, claimed) or ready)).total_seconds()
            for id_ in self.cards
            for ready, claimed, owner in self._waits(id_)
        )
        return reactions[min(len(reactions) - 1, int(len(reactions) * share))]

    def _free_since(self, agent: str, moment: datetime) -> datetime | None:
        ends = [at for at in self.turn_ends.get(agent, ()) if at <= moment]
        return max(ends, default=None)

    def _waits(self, card_id: str) -> Iterator[tuple[datetime, datetime, str]]:
        """Yield from when a card was ready until it was claimed, and by whom, for each claim."""
        card = self.cards[card_id]
        done = self.completions()
        ready = max([_events(card)[0][0], *(done[needed][0] for needed in card["depends_on"])])
        for owner, claimed, ended in self.attempts(card_id):
            yield ready, claimed, owner
            ready = ended

    def idle_share(self) -> float:
        """Return the share of all agents' time in which they were free and had a card waiting, by the supervisor's count."""
        first, last = self._span()
        agents = sum(self.status["agents"].values())
        return float(self.status["idle_seconds"] / (agents * (last - first).total_seconds()))

    def idle_share_seen(self, agents: Sequence[str]) -> float:
        """Return that share from outside, of these agents: by the ends of their turns and the cards' histories.

        Free is an agent from the end of a turn to its next claim, whether or not a daemon was there to see it; two
        free agents and one ready card count as one.
        """
        first, last = self._span()
        turns = [
            *((at, 0, 1) for id_ in self.cards for at, _, _ in self._waits(id_)),
            *((at, 0, -1) for id_ in self.cards for _, at, _ in self._waits(id_)),
        ]
        for name in agents:
            claims = sorted(
                since for id_ in self.cards for who, since, _ in self.attempts(id_) if who == name
            )
            for claimed in claims:
                turns += [
                    (max(self._free_since(name, claimed) or first, first), 1, 0),
                    (claimed, -1, 0),
                ]
        idle, free, ready, before = 0.0, 0, 0, first
        for at, frees, readies in sorted(turns):
            idle += min(free, ready) * (at - before).total_seconds()
            free, ready, before = free + frees, ready + readies, at
        return idle / (len(agents) * (last - first).total_seconds())

    def _span(self) -> Span:
        """Return when the first card came and when the last was done."""
        first = min(at for card in self.cards.values() for at, _, _ in _events(card))
        return first, max(times[0] for times in self.completions().values())

    def summary(self) -> str:
        """Return the campaign in numbers."""
        tries = [len(self.attempts(id_)) for id_ in self.cards]
        p50, p95 = (self.ready_to_claimed(share) for share in (0.5, 0.95))
        return (
            f"{len(self.cards)} cards, {sum(tries)} attempts, {sum(one > 1 for one in tries)} cards tried again;"
            f" ready to claimed p50 {p50:.2f} s, p95 {p95:.2f} s; idle while ready {self.idle_share():.2%}"
        )


async def read_ledger(installation: Installation) -> Ledger:
    """Return all cards with their histories, over one client: hundreds of commands would take minutes."""
    client = Client(str(installation.api_socket))

    def ask(*words: str) -> Any:
        return client.call("POST", "/v1/run", {"words": list(words), "confirmed": False})["data"]

    def read() -> Ledger:
        listed = ask("backlog", "list")
        cards = {card["id"]: ask("backlog", "show", card["id"]) for card in listed}
        status = ask("supervisor", "status")
        names = [row["name"] for row in ask("fleet", "list")]
        ends = {name: _turn_ends(installation.agent_events(name)) for name in names}
        return Ledger(cards, status, ends)

    return await asyncio.to_thread(read)


def _turn_ends(events: Sequence[dict[str, Any]]) -> list[datetime]:
    return [datetime.fromisoformat(e["at"]) for e in events if e["event"] == "turn_ended"]


def _events(card: dict[str, Any]) -> list[tuple[datetime, str, dict[str, Any]]]:
    return [(datetime.fromisoformat(e["at"]), e["action"], e) for e in card["history"]]
