"""The daily digest: how things stand, said once a day whatever restarts and however many daemons there are."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from bot.agent_record import AgentRecord
from bot.backlog.activity import Activity, Tally
from bot.backlog.cards import BacklogStats
from bot.backlog.ports import CardShelf
from bot.clock.moments import Rule, spoken_span
from bot.errors import SetupError
from bot.mail.mailbox import Mailbox
from bot.model import Address, Message, MessageKind, derived_id
from bot.ports import Fleet
from bot.reply import Block, Fields, Text
from bot.supervision.concerns import Concern, Concerns, concern_line

_DAY = timedelta(hours=24)
_LATEST = timedelta(hours=1)
"""What could not be said for so long is not said any more: the next one comes."""

_SHOWN = 10


class DailyDigest:
    """Says how things stand. ``leads`` says whether this daemon speaks, ``paused`` that it is paused, in a sentence."""

    def __init__(
        self,
        rule: Rule,
        zone: tzinfo,
        *,
        shelf: CardShelf,
        activity: Activity,
        concerns: Concerns,
        fleet: Fleet,
        mailbox: Mailbox,
        primary: Callable[[], Address],
        leads: Callable[[], bool] = lambda: True,
        paused: Callable[[], str | None] = lambda: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._rule = rule
        self._zone = zone
        self._shelf = shelf
        self._activity = activity
        self._concerns = concerns
        self._fleet = fleet
        self._mailbox = mailbox
        self._primary = primary
        self._leads = leads
        self._paused = paused
        self._now = now
        self._said_at: datetime | None = None

    async def look(self) -> None:
        """Say the digest that fell due within the last hour, unless it is said; repeatable."""
        now = self._now()
        due_at = self._rule.latest(now, self._zone)
        if not self._leads() or due_at == self._said_at or now - due_at > _LATEST:
            return
        tally = await self._activity.since(now - _DAY)
        if tally.began_at <= due_at:  # one who has only just begun knows how things stand
            await self._mailbox.post([await self._message(due_at, now, tally)])
        self._said_at = due_at

    async def _message(self, due_at: datetime, now: datetime, tally: Tally) -> Message:
        day = due_at.astimezone(self._zone).date()
        try:
            records = await self._fleet.observe()
        except SetupError:  # the fleet's own part says what is wrong
            records = ()
        stats, concerns = await self._shelf.stats(), await self._concerns.open()
        blocks = daily_blocks(tally, stats, records, concerns, now=now, zone=self._zone)
        paused = self._paused()
        pause: tuple[Block, ...] = () if paused is None else (Text(f"{paused}."),)
        return Message(
            id=derived_id("daily digest", day.isoformat()),
            to=self._primary(),
            kind=MessageKind.NOTICE,
            blocks=(Text(f"How things stand, {day:%A} {day.isoformat()}"), *pause, *blocks),
        )


def daily_blocks(
    tally: Tally,
    stats: BacklogStats,
    records: Sequence[AgentRecord],
    concerns: Sequence[Concern],
    *,
    now: datetime,
    zone: tzinfo,
) -> tuple[Block, ...]:
    """Return the day in numbers, and what is still open."""
    pairs = [
        ("cards of 24 hours", f"{tally.completed} done, {tally.created} created"),
        ("backlog", ", ".join(f"{stats.counts[name]} {name}" for name in stats.counts)),
    ]
    if stats.oldest_ready_id is not None and stats.oldest_ready_age_seconds is not None:
        age = spoken_span(timedelta(seconds=stats.oldest_ready_age_seconds))
        pairs.append(("oldest ready", f"{stats.oldest_ready_id}, for {age}"))
    pairs.append(("agents", _agents(records)))
    pairs.append(("open concerns", str(len(concerns)) if concerns else "none"))
    lines = [f"• {one.kind}: {concern_line(one, now, zone)}" for one in concerns[:_SHOWN]]
    if len(concerns) > _SHOWN:
        lines.append(f"• and {len(concerns) - _SHOWN} more")
    return (Fields(tuple(pairs)), *([Text("\n".join(lines))] if lines else []))


def _agents(records: Sequence[AgentRecord]) -> str:
    ours = [record for record in records if "UNMANAGED" not in record.flags]
    counted = Counter(record.readiness for record in ours)
    return ", ".join(f"{count} {readiness}" for readiness, count in counted.most_common()) or "none"
