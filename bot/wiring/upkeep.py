"""The jobs that keep the backlog fast and right: what they find is logged, and told to the operators."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from bot.backlog.ports import Backlog, Claims, Housekeeping, Recount
from bot.clock.schedule import Job
from bot.config.settings import Settings
from bot.model import Caller, Principal, Via

_GUARD_EVERY = timedelta(minutes=1)
_ARCHIVE_EVERY = timedelta(hours=1)


CLOCK = Caller(Principal("schedule:clock", "the clock"), Via.SCHEDULE)


def backlog_jobs(
    backlog: Backlog, settings: Settings, tell: Callable[[str], None]
) -> Sequence[Job]:
    """Return what the clock does for the backlog; ``tell`` reaches the operators."""
    wanted, tick = settings.backlog, settings.supervisor.tick
    upkeep = Upkeep(backlog.claims, backlog.recount, backlog.housekeeping, tell, CLOCK)
    jobs = upkeep.jobs(
        reclaim_every=tick,
        recount_every=wanted.recount,
        archive_after=wanted.archive_after,
        longest_transaction=wanted.longest_transaction,
    )
    if settings.threads.news:
        return jobs
    # Or all that was not said would be said when it is on again.
    return [*jobs, Job("old news", tick, backlog.news.settle)]


class Upkeep:
    """Gives the schedule its jobs. ``tell`` reaches the operators, ``by`` is the name in the history."""

    def __init__(
        self,
        claims: Claims,
        recount: Recount,
        housekeeping: Housekeeping,
        tell: Callable[[str], None],
        by: Caller,
    ) -> None:
        self._claims = claims
        self._recount = recount
        self._housekeeping = housekeeping
        self._tell = tell
        self._by = by
        self._log = structlog.get_logger(part="backlog")

    def jobs(
        self,
        *,
        reclaim_every: timedelta,
        recount_every: timedelta,
        archive_after: timedelta | None,
        longest_transaction: timedelta,
    ) -> Sequence[Job]:
        """Return what is to be done and how often; without ``archive_after`` nothing is put away."""

        async def archive() -> None:
            if archive_after is not None:
                await self.archive(archive_after)

        async def guard() -> None:
            await self.guard(longest_transaction)

        return (
            Job("reclaim", reclaim_every, self.reclaim),
            Job("recount", recount_every, self.recount),
            Job("archive", _ARCHIVE_EVERY, archive),
            Job("long transactions", _GUARD_EVERY, guard),
        )

    async def reclaim(self) -> None:
        """Take back claims whose time is over."""
        reclaimed = await self._claims.reclaim(None, self._by)
        if reclaimed:
            self._log.info("expired claims taken back", cards=list(reclaimed))

    async def recount(self) -> None:
        """Mend counters; each that was wrong is an incident."""
        for drift in await self._recount.recount(self._by):
            self._log.error(
                "counter drifted", card=drift.card_id, stored=drift.stored, counted=drift.counted
            )
            self._tell(
                f"Incident: card {drift.card_id} counted {drift.stored} unmet dependencies and has"
                f" {drift.counted}. It is set right; please report it with the daemon's log."
            )

    async def archive(self, after: timedelta) -> None:
        """Put away what has been done for so long."""
        count = await self._housekeeping.archive_finished(after, self._by)
        if count:
            self._log.info("done cards archived", count=count, after_days=after.days)

    async def guard(self, longest: timedelta) -> None:
        """End transactions of ours that last too long, and name those of others."""
        for found in await self._housekeeping.old_transactions(longest):
            ended = found.ours and await self._housekeeping.end(found)
            self._log.warning(
                "long transaction",
                pid=found.pid,
                program=found.program,
                user=found.user,
                state=found.state,
                seconds=round(found.age.total_seconds()),
                ended=ended,
            )
            if not found.ours:
                self._tell(
                    f"A database session of {found.user} ({found.program or 'unnamed'}, pid"
                    f" {found.pid}) has had a transaction open for {found.age.total_seconds():.0f} s:"
                    " as long as it lasts, claims become slower."
                )
