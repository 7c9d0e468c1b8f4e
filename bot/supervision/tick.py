"""One pass of the supervisor over the fleet: what is over is ended, what is free is given work, all of it with a reason."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

import structlog

from bot.backlog.card_prompt import CARD_TAG, REPLAN_TAG, ask_prompt, card_prompt, replan_prompt
from bot.backlog.cards import Card, CardStatus
from bot.backlog.ports import Backlog
from bot.enclosure import Enclosure
from bot.errors import UserError
from bot.mail.mailbox import Mailbox
from bot.model import Address, Caller, Message, MessageKind, Via, agent_address, derived_id
from bot.ports import Outbox
from bot.reply import Text
from bot.supervision.dispatch_rules import Ask, End, Patience, Renew, Send, Step, Wait, next_step
from bot.supervision.matching import Standing, all_spelled, nobody_for, order, standing, takes
from bot.supervision.pause import SUPERVISOR, Pause, Pauses
from bot.supervision.ports import (
    AVAILABLE,
    Demand,
    Demands,
    Dispatch,
    Dispatches,
    OpenDispatch,
    Outcome,
    Verdict,
    Worker,
    Workers,
)

BY = Caller(SUPERVISOR, Via.SCHEDULE)
FLEET = "fleet"
MOST_AT_ONCE = 100
"""Cards that one tick hands out, and dispatches that it takes further; the rest is the next one's, moments later."""
_RANKS = {End: 0, Send: 1, Ask: 2, Renew: 3}
"""What comes first when there is more: what frees an agent, and last what has minutes to spare."""
_TRIED_AGAIN = timedelta(seconds=2)
"""When an agent for whom no card was found is tried again, unless other sorts of cards are asked for by then."""


@dataclass(frozen=True, slots=True)
class Seams:
    """What a tick works through."""

    workers: Workers
    demands: Demands
    dispatches: Dispatches
    backlog: Backlog
    outbox: Outbox
    mailbox: Mailbox
    pauses: Pauses


@dataclass(frozen=True)
class Sight:
    """All that one look shows; it costs a few queries whatever the backlog's size."""

    at: datetime
    pause: Pause | None
    workers: tuple[Worker, ...]
    open: tuple[OpenDispatch, ...]
    demands: tuple[Demand, ...]

    @cached_property
    def busy(self) -> Mapping[str, str]:
        """The card of every agent that has one."""
        return {one.dispatch.place: one.dispatch.card_id for one in self.open}

    @cached_property
    def by_place(self) -> Mapping[str, Worker]:
        """The agents of the register."""
        return {worker.place: worker for worker in self.workers}

    def stands(self, worker: Worker) -> Standing:
        """Return how an agent stands to new cards."""
        said = None if self.pause is None else self.pause.notice()
        return standing(worker, self.at, self.busy, said)

    @cached_property
    def idle(self) -> Sequence[Worker]:
        """The free agents for whom there is a card: nobody should be here for long."""
        if not self.demands:
            return ()
        free = [one for one in self.workers if self.stands(one).free]
        return [one for one in free if any(takes(one, demand) for demand in self.demands)]


@dataclass
class Result:
    """What a tick did, and the last look that it was based on."""

    sight: Sight
    reclaimed: Mapping[str, str] = field(default_factory=dict)
    dispatched: int = 0
    over: list[tuple[Dispatch, Outcome]] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    unserved: tuple[Demand, ...] = ()

    @property
    def ended(self) -> int:
        """How many dispatches came to their end."""
        return len(self.over)


class Tick:
    """The steps of a tick. Each may be repeated after a crash: what was done is read from what stands."""

    def __init__(
        self,
        seams: Seams,
        patience: Patience,
        planner: Callable[[], Address | None],
        clock: Callable[[], datetime],
    ) -> None:
        self._seams = seams
        self._patience = patience
        self._planner = planner
        self._clock = clock
        self._unlucky: dict[str, tuple[datetime, frozenset[Demand]]] = {}
        self._done: tuple[str, datetime] | None = None
        self._log = structlog.get_logger(part="supervisor")

    async def look(self) -> Sight:
        """Look once, and change nothing."""
        workers = tuple(await self._seams.workers.all())
        # Nobody to serve, nothing to ask the backlog.
        demands = await self._seams.demands.all() if workers else ()
        return Sight(
            at=self._clock(),
            pause=await self._seams.pauses.current(),
            workers=workers,
            open=tuple(await self._seams.dispatches.open()),
            demands=tuple(demands),
        )

    def needs(self, sight: Sight) -> str | None:
        """Return why a tick is due now and not at its next time; None when it is not."""
        if any(not isinstance(self._step(sight, one), Wait) for one in sight.open):
            return "a dispatch moved on"
        return "a card is ready" if sight.pause is None and self.waiting(sight) else None

    async def run(self, sight: Sight) -> Result:
        """Take one pass over everything, from a look that was taken just now."""
        result = Result(sight, reclaimed=await self._reclaim())
        if await self._settle(sight, result) or result.reclaimed:
            result.sight = sight = await self.look()
        given = await self._dispatch(sight, result)
        result.unserved = tuple(nobody_for(sight.demands, sight.workers))
        result.verdicts += [self._verdict(sight, worker, given) for worker in sight.workers]
        result.verdicts.append(await self._about_all(sight, result))
        return result

    async def _reclaim(self) -> Mapping[str, str]:
        """Take back claims that ran out, those of others than the supervisor too; return cards with their owners."""
        ids = await self._seams.backlog.claims.reclaim(None, BY)
        owners = {}
        for card_id in ids:
            _, events = await self._seams.backlog.shelf.show(card_id)
            ended = next(one for one in reversed(events) if one.action == "reclaim")
            owners[card_id] = str(ended.detail["claim_owner"]["from"])
        return owners

    # -- what is under way -----------------------------------------------------------------------------

    def _step(self, sight: Sight, progress: OpenDispatch) -> Step:
        worker = sight.by_place.get(progress.dispatch.place)
        return next_step(progress, worker, sight.at, self._patience, paused=sight.pause is not None)

    async def _settle(self, sight: Sight, result: Result) -> bool:
        """Take open dispatches one step further, a hundred at most; true when one of them ended."""
        steps = [(self._step(sight, progress), progress) for progress in sight.open]
        due = [one for one in steps if not isinstance(one[0], Wait)]
        due.sort(key=lambda one: _RANKS[type(one[0])])
        for step, progress in due[:MOST_AT_ONCE]:
            match step:
                case Send():
                    await self._send(progress)
                case Ask():
                    await self._ask(progress)
                case Renew():
                    await self._renew(progress)
                case End() as end:
                    if await self._end(progress, end):
                        result.over.append((progress.dispatch, end.outcome))
        return bool(result.over)

    async def _send(self, progress: OpenDispatch) -> None:
        card = progress.card
        if card is not None:
            text = card_prompt(card, progress.dispatch.claim_token)
            files = tuple(await self._seams.backlog.files.enclosed(card.id))
            await self._say(progress, progress.dispatch.message_id, text, card, files)

    async def _ask(self, progress: OpenDispatch) -> None:
        card = progress.card
        if card is not None:
            text = ask_prompt(card, progress.dispatch.claim_token)
            await self._say(progress, progress.dispatch.ask_id, text, card)

    async def _say(
        self,
        progress: OpenDispatch,
        message_id: str,
        text: str,
        card: Card,
        files: tuple[Enclosure, ...] = (),
    ) -> None:
        """Store what an agent is told; its answer goes where people talk about the card."""
        threads = await self._seams.backlog.threads.find(card.id)
        host, _, name = progress.dispatch.place.partition("/")
        await self._seams.mailbox.post(
            [
                Message(
                    id=message_id,
                    to=agent_address(host, name),
                    kind=MessageKind.MAIL,
                    blocks=(Text(text),),
                    author=SUPERVISOR.id,
                    origin=threads[0] if threads else None,
                    tag=CARD_TAG,
                    files=files,
                )
            ]
        )
        self._log.info(
            "agent told of its card",
            agent=progress.dispatch.place,
            card=card.id,
            message=message_id,
        )

    async def _renew(self, progress: OpenDispatch) -> None:
        dispatch = progress.dispatch
        try:
            await self._seams.backlog.claims.renew(
                dispatch.card_id, dispatch.claim_token, self._patience.claim, BY
            )
        except UserError as error:  # it ended this moment: the next look says how
            self._log.info("claim not renewed", card=dispatch.card_id, reason=error.message)

    async def _end(self, progress: OpenDispatch, end: End) -> bool:
        dispatch = progress.dispatch
        if end.withdraw is not None and not await self._seams.outbox.withdraw(
            end.withdraw, end.reason or "the card is done"
        ):
            return False  # it is being typed right now: what became of it is seen at the next look
        if not await self._seams.dispatches.end(dispatch, end.outcome, end.reason):
            return False
        self._log.info(
            "dispatch ended",
            agent=dispatch.place,
            card=dispatch.card_id,
            outcome=end.outcome.value,
            reason=end.reason,
        )
        return True

    # -- new work --------------------------------------------------------------------------------------

    async def _dispatch(self, sight: Sight, result: Result) -> Mapping[str, str]:
        """Give every free agent for whom there is a card the best one; return which."""
        given: list[OpenDispatch] = []
        if sight.pause is None:
            for worker in order(self.waiting(sight))[:MOST_AT_ONCE]:
                progress = await self._seams.dispatches.assign(
                    worker, self._patience.claim, self._patience.grace
                )
                if progress is not None:
                    given.append(progress)
                else:
                    self._unlucky[worker.place] = sight.at, frozenset(sight.demands)
        for progress in given:
            await self._send(progress)
        result.dispatched = len(given)
        return {one.dispatch.place: one.dispatch.card_id for one in given}

    def waiting(self, sight: Sight) -> Sequence[Worker]:
        """Return the free agents for whom there may be a card: not those for whom none was found a moment ago.

        What they gave back lately counts as asked for and is not for them; without this every look would call for
        a tick, and in a large fleet they would be tried instead of others.
        """
        wanted = frozenset(sight.demands)
        self._unlucky = {
            place: (at, demands)
            for place, (at, demands) in self._unlucky.items()
            if sight.at - at < _TRIED_AGAIN and demands == wanted
        }
        return [one for one in sight.idle if one.place not in self._unlucky]

    # -- what is said of it ----------------------------------------------------------------------------

    def _verdict(self, sight: Sight, worker: Worker, given: Mapping[str, str]) -> Verdict:
        subject = f"agent:{worker.place}"
        if worker.place in given:
            said = f"{worker.name} was given {given[worker.place]}"
            return Verdict(subject, "dispatched", said, sight.at)
        stands = sight.stands(worker)
        sentence = f"{worker.name} {stands.sentence}"
        if not stands.free:
            return Verdict(subject, stands.code, sentence, sight.at)
        if not sight.demands:
            return Verdict(subject, "no-card", f"{sentence}, and no card is ready", sight.at)
        if any(takes(worker, demand) for demand in sight.demands):
            said = f"{sentence}; the cards for it rest or are held back from it"
            return Verdict(subject, "held-back", said, sight.at)
        said = f"{sentence}, and the ready cards are for others: {all_spelled(sight.demands)}"
        return Verdict(subject, "not-for-it", said, sight.at)

    async def _about_all(self, sight: Sight, result: Result) -> Verdict:
        count = len(sight.open) + result.dispatched
        code, said = (
            "working",
            "1 card is under way" if count == 1 else f"{count} cards are under way",
        )
        if sight.pause is not None:
            code, said = "paused", f"The fleet is {sight.pause.notice()}"
        elif result.unserved:
            code = "unserved"
            said = f"Ready cards wait for agents that the fleet has not: {all_spelled(result.unserved)}"
        elif not sight.open and not sight.demands:
            code, said = await self._about_nothing_to_do()
        return Verdict(FLEET, code, said, sight.at)

    async def _about_nothing_to_do(self) -> tuple[str, str]:
        """Say that there is nothing to hand out; ask the planner once per episode for more."""
        stats = await self._seams.backlog.shelf.stats()
        counts = stats.counts
        if counts[CardStatus.READY] or counts[CardStatus.CLAIMED]:
            return "waiting", "No card can be claimed: those that are open wait, rest or are held"
        if not counts[CardStatus.DONE]:
            return "empty", "The backlog is empty"
        planner = self._planner()
        if planner is None:
            return "empty", "All cards are done, and there is nobody to plan more"
        episode = await self._seams.demands.last_completion()
        if not self._is_quiet(episode):
            return "done", "All cards are done"
        await self._ask_for_more(planner, replan_prompt(stats), episode)
        return "replan", f"All cards are done; {planner.place} was asked once for more"

    def _is_quiet(self, episode: str) -> bool:
        """Whether the backlog has been done for a while: whoever writes cards one by one is not asked in between."""
        now = self._clock()
        if self._done is None or self._done[0] != episode:
            self._done = episode, now
        return now - self._done[1] >= self._patience.quiet

    async def _ask_for_more(self, planner: Address, text: str, episode: str) -> None:
        """Ask once: the message's id is made from the completion that emptied the backlog."""
        await self._seams.mailbox.post(
            [
                Message(
                    id=derived_id("replan", episode),
                    to=planner,
                    kind=MessageKind.MAIL,
                    blocks=(Text(text),),
                    author=SUPERVISOR.id,
                    tag=REPLAN_TAG,
                )
            ]
        )


def free(workers: Sequence[Worker]) -> int:
    """Return how many agents of the register are available by their own word."""
    return sum(one.sighting.readiness == AVAILABLE for one in workers)
