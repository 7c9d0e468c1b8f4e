"""The digest: what people should know, gathered and said in one message, and nothing when there is nothing."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby

from bot.clock.quiet import QuietHours
from bot.mail.mailbox import Mailbox
from bot.model import Address, Message, MessageKind, derived_id
from bot.reply import Block, Text
from bot.supervision.concerns import Concern, ConcernKind, Concerns, concern_line

_LOOK = timedelta(seconds=5)
_GATHER = timedelta(minutes=10)
_SHOWN = 12

WHAT_TO_DO: Mapping[str, str] = {
    ConcernKind.DIALOG: "!agent tail NAME shows it, !agent answer NAME KEY answers it",
    ConcernKind.STUCK_CARD: "!backlog show ID tells its history, !supervisor explain ID says what was tried, !backlog unblock --id ID lets it go on",
    ConcernKind.EXPIRED_CLAIM: "!backlog show ID tells who had it",
    ConcernKind.NO_PROGRESS: "!supervisor explain says why, !supervisor status shows what is under way",
    ConcernKind.CRASH_LOOP: "!agent tail NAME shows its end, !fleet start NAME tries again",
    ConcernKind.FLOOR: "!fleet ps shows who is there",
    ConcernKind.DEAD_LETTER: "!mail dead lists them, !mail retry ID tries again",
}
"""What a person can do about each kind, after its list."""


class Digest:
    """The part ``digest``. Every daemon may run it: a concern is told once an episode, whoever tells it.

    Concerns wait until the oldest has waited ``gather``; an urgent one is said at once, with all that waits.
    In quiet hours only an urgent one makes it speak. ``leads`` says whether this daemon speaks at all.
    """

    name = "digest"

    def __init__(
        self,
        concerns: Concerns,
        mailbox: Mailbox,
        primary: Callable[[], Address],
        *,
        quiet: QuietHours = QuietHours(),  # noqa: B008 - a value, and it never changes
        zone: tzinfo = UTC,
        gather: timedelta = _GATHER,
        leads: Callable[[], bool] = lambda: True,
        look: timedelta = _LOOK,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._concerns = concerns
        self._mailbox = mailbox
        self._primary = primary
        self._quiet = quiet
        self._zone = zone
        self._gather = gather
        self._leads = leads
        self._pause = look
        self._now = now

    async def run(self, ready: Callable[[str], None]) -> None:
        """Look until cancelled; TransientError when the database is away, and nothing is lost."""
        while True:
            await self.look()
            ready("telling people what concerns them")
            await asyncio.sleep(self._pause.total_seconds())

    async def look(self) -> None:
        """Say what waits, if it is time to."""
        if not self._leads():
            return
        untold = await self._concerns.untold()
        if not self._is_time(untold):
            return
        message = Message(
            id=derived_id("digest", *(f"{one.id} {one.told_at}" for one in untold)),
            to=self._primary(),
            kind=MessageKind.NOTICE,
            blocks=digest_blocks(untold, self._now(), self._zone),
        )
        if await self._concerns.tell(untold, self._mailbox.seal([message])):
            self._mailbox.posted.set()

    def _is_time(self, untold: Sequence[Concern]) -> bool:
        if any(one.urgent and one.told_at is None for one in untold):
            return True
        now = self._now()
        if not untold or self._quiet.hold(now):
            return False
        return min(one.untold_since for one in untold) <= now - self._gather


def digest_blocks(concerns: Sequence[Concern], now: datetime, zone: tzinfo) -> tuple[Block, ...]:
    """Return concerns by kind, urgent kinds first, with their ages, the evidence, and what can be done."""
    urgent = {one.kind for one in concerns if one.urgent}
    ordered = sorted(concerns, key=lambda one: (one.kind not in urgent, one.kind, one.since))
    lines = [f"To look at: {len(concerns)}"]
    for kind, group in groupby(ordered, key=lambda one: one.kind):
        members = list(group)
        lines += ["", f"{kind} ({len(members)}){': urgent' if kind in urgent else ''}"]
        lines += [f"• {concern_line(one, now, zone)}" for one in members[:_SHOWN]]
        if len(members) > _SHOWN:
            lines.append(f"• and {len(members) - _SHOWN} more")
        if kind in WHAT_TO_DO:
            lines.append(f"→ {WHAT_TO_DO[kind]}")
    return (Text("\n".join(lines)),)
