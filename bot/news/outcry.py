"""What is said at once and still lasts: an agent's dialog is shown when it opens, and is a concern until it closes."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.clock.quiet import QuietHours
from bot.mail.mailbox import Mailbox
from bot.model import Address, Message, MessageKind, derived_id
from bot.reply import Block, Offer
from bot.supervision.concerns import Concern, Concerns

_AGAIN_AFTER = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class _Cry:
    kind: str
    subject: str
    text: str
    blocks: tuple[Block, ...]
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True)
class _Calm:
    kind: str
    prefix: str
    subjects: frozenset[str]


class Outcry:
    """The part ``outcry``: takes what happens at any time, and writes it down in the order in which it came.

    What is said so counts as told; the digest says it once more when it is still open ``again_after`` that.
    In quiet hours nothing is said, and the digest says it when they are over.
    """

    name = "outcry"

    def __init__(
        self,
        concerns: Concerns,
        mailbox: Mailbox,
        primary: Callable[[], Address],
        *,
        quiet: QuietHours = QuietHours(),  # noqa: B008 - a value, and it never changes
        again_after: timedelta = _AGAIN_AFTER,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._concerns = concerns
        self._mailbox = mailbox
        self._primary = primary
        self._quiet = quiet
        self._again_after = again_after
        self._now = now
        self._waiting: list[_Cry | _Calm] = []
        self._arrived = asyncio.Event()

    def cry(
        self, kind: str, subject: str, text: str, *blocks: Block, offers: tuple[Offer, ...] = ()
    ) -> None:
        """Begin an episode and say ``blocks`` of it, with what may be chosen; another text is another episode.

        The same text while it is open (a daemon that was restarted sees it anew) says nothing.
        """
        self._put(_Cry(kind, subject, text, blocks, offers))

    def calm(self, kind: str, prefix: str, subjects: frozenset[str]) -> None:
        """End every episode of a kind whose subject begins with ``prefix``, but for these subjects."""
        self._put(_Calm(kind, prefix, subjects))

    def _put(self, step: _Cry | _Calm) -> None:
        self._waiting.append(step)
        self._arrived.set()

    async def run(self, ready: Callable[[str], None]) -> None:
        """Write down until cancelled; TransientError when the database is away, and nothing is dropped."""
        ready("saying what cannot wait")
        while True:
            while self._waiting:
                match self._waiting[0]:
                    case _Cry() as cry:
                        await self._begin(cry)
                    case _Calm() as calm:
                        await self._end(calm)
                self._waiting.pop(0)
            self._arrived.clear()
            await self._arrived.wait()

    async def _begin(self, cry: _Cry) -> None:
        known = self._same(await self._concerns.open(), cry)
        if known and known[0].text != cry.text:
            await self._concerns.settle(cry.kind, cry.subject)
        await self._concerns.raise_(cry.kind, cry.subject, cry.text)
        if self._quiet.hold(self._now()):
            return
        same = self._same(await self._concerns.untold(), cry)
        fresh = [one for one in same if one.told_at is None]
        letters = self._mailbox.seal([self._message(one, cry) for one in fresh])
        if fresh and await self._concerns.tell(fresh, letters, self._again_after):
            self._mailbox.posted.set()

    async def _end(self, calm: _Calm) -> None:
        for one in await self._concerns.open():
            ours = one.kind == calm.kind and one.subject.startswith(calm.prefix)
            if ours and one.subject not in calm.subjects:
                await self._concerns.settle(one.kind, one.subject)

    def _same(self, concerns: Sequence[Concern], cry: _Cry) -> list[Concern]:
        return [one for one in concerns if (one.kind, one.subject) == (cry.kind, cry.subject)]

    def _message(self, concern: Concern, cry: _Cry) -> Message:
        return Message(
            id=derived_id("outcry", str(concern.id)),
            to=self._primary(),
            kind=MessageKind.NOTICE,
            blocks=cry.blocks,
            offers=cry.offers,
        )
