"""What a tick sees that people should know of: raised as concerns with the evidence, settled when it is over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.backlog.cards import CardStatus
from bot.backlog.ports import Backlog
from bot.errors import UserError
from bot.supervision.concerns import ConcernKind, Concerns
from bot.supervision.matching import spelled
from bot.supervision.ports import Demand, Dispatch, Dispatches, Outcome
from bot.supervision.tick import BY, Result, Sight

_BACK_TOO_OFTEN = 3
_TOLD_OF_EACH = 120
_EVERYBODY = "fleet"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much goes wrong before people hear of it.

    ``attempts``: failed attempts in a row after which a card is blocked, None for never. ``no_progress``: how
    long nothing may move while there is work.
    """

    attempts: int | None = 6
    no_progress: timedelta = timedelta(minutes=30)


class Escalation:
    """Looks at every tick's result. It says nothing itself: concerns are gathered into the digest."""

    def __init__(
        self, concerns: Concerns, dispatches: Dispatches, backlog: Backlog, bounds: Bounds
    ) -> None:
        self._concerns = concerns
        self._dispatches = dispatches
        self._backlog = backlog
        self._bounds = bounds
        self._open: set[tuple[str, str]] = set()
        self._knows = False
        self._moved_at: datetime | None = None

    async def look(self, result: Result) -> None:
        """Raise what is wrong after a tick, and settle what is right again."""
        if not self._knows:
            self._open = {(one.kind, one.subject) for one in await self._concerns.open()}
            self._knows = True
        await self._about_cards(result.over)
        await self._about_claims(result.reclaimed)
        await self._about_demands(result.unserved)
        await self._about_progress(result)

    # -- cards -----------------------------------------------------------------------------------------

    async def _about_cards(self, over: Sequence[tuple[Dispatch, Outcome]]) -> None:
        for dispatch, outcome in over:
            if outcome is Outcome.COMPLETED:
                await self._settle(ConcernKind.STUCK_CARD, dispatch.card_id)
                await self._settle(ConcernKind.EXPIRED_CLAIM, dispatch.card_id)
            elif outcome is not Outcome.LIMITED:
                await self._about_return(dispatch.card_id)

    async def _about_return(self, card_id: str) -> None:
        past = await self._dispatches.history(f"card:{card_id}", 20)
        failed = _failed_in_a_row(past)
        if len(failed) < _BACK_TOO_OFTEN:
            return
        told = "; ".join(f"{one.place.partition('/')[2]}: {_why(one)}" for one in failed[:3])
        text = f"came back {len(failed)} times ({told})"
        if self._bounds.attempts is not None and len(failed) >= self._bounds.attempts:
            text = f"is blocked: it {text}"
            await self._block(card_id, f"it came back {len(failed)} times: {told}")
        await self._raise(ConcernKind.STUCK_CARD, card_id, text)

    async def _block(self, card_id: str, reason: str) -> None:
        """Take a card out of the way: what fails everywhere would go on costing tokens."""
        try:
            await self._backlog.dependencies.block(card_id, reason[:2000], BY)
        except UserError:  # deleted or done meanwhile
            return

    async def _about_claims(self, reclaimed: Mapping[str, str]) -> None:
        for card_id, owner in reclaimed.items():
            text = f"{owner}'s claim ran out and the card is ready again"
            await self._raise(ConcernKind.EXPIRED_CLAIM, card_id, text)
        for kind, subject in list(self._open):
            if kind == ConcernKind.EXPIRED_CLAIM and subject not in reclaimed:
                await self._settle_if_taken_up(subject)

    async def _settle_if_taken_up(self, card_id: str) -> None:
        try:
            card, _ = await self._backlog.shelf.show(card_id)
        except UserError:
            await self._settle(ConcernKind.EXPIRED_CLAIM, card_id)
            return
        if card.status is not CardStatus.READY:
            await self._settle(ConcernKind.EXPIRED_CLAIM, card_id)

    # -- the whole -------------------------------------------------------------------------------------

    async def _about_demands(self, unserved: Sequence[Demand]) -> None:
        missing = {spelled(one) for one in unserved}
        for said in missing:
            text = "ready cards ask for it, and the fleet has no such agent"
            await self._raise(ConcernKind.NO_PROGRESS, said, text)
        for kind, subject in list(self._open):
            if kind == ConcernKind.NO_PROGRESS and subject not in {*missing, _EVERYBODY}:
                await self._settle(kind, subject)

    async def _about_progress(self, result: Result) -> None:
        sight = result.sight
        busy = bool(sight.open or sight.demands)
        moved = result.dispatched or any(o is Outcome.COMPLETED for _, o in result.over)
        if moved or not busy or sight.pause is not None or self._moved_at is None:
            self._moved_at = sight.at
            await self._settle(ConcernKind.NO_PROGRESS, _EVERYBODY)
        elif sight.at - self._moved_at > self._bounds.no_progress:
            await self._raise(ConcernKind.NO_PROGRESS, _EVERYBODY, _evidence(sight))

    # -- raising and settling --------------------------------------------------------------------------

    async def _raise(self, kind: ConcernKind, subject: str, text: str) -> None:
        await self._concerns.raise_(kind, subject, text)
        self._open.add((kind, subject))

    async def _settle(self, kind: str, subject: str) -> None:
        """End an episode, asking the database only when there is one."""
        if (kind, subject) in self._open:
            await self._concerns.settle(kind, subject)
            self._open.discard((kind, subject))


def _failed_in_a_row(past: Sequence[Dispatch]) -> list[Dispatch]:
    """Return the newest attempts that ended badly, back to the last good one; a limit counts for nothing."""
    failed = []
    for one in past:
        if one.outcome is Outcome.COMPLETED:
            break
        if one.outcome not in {None, Outcome.LIMITED}:
            failed.append(one)
    return failed


def _why(dispatch: Dispatch) -> str:
    return (dispatch.reason or str(dispatch.outcome))[:_TOLD_OF_EACH]


def _evidence(sight: Sight) -> str:
    """Return how the agents stand, by what holds them up."""
    codes = [sight.stands(worker).code for worker in sight.workers]
    counts = ", ".join(f"{codes.count(code)} {code}" for code in sorted(set(codes)))
    held = ", ".join(sorted(one.dispatch.card_id for one in sight.open)[:5])
    under_way = f"; under way: {held}" if held else ""
    return f"no card was given out or completed, though there is work; agents: {counts}{under_way}"
