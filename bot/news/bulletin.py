"""What the operators should know without having asked, said once a day at most in the primary place."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.clock.quiet import QuietHours
from bot.mail.mailbox import Mailbox
from bot.model import Address, Message, MessageKind, derived_id
from bot.reply import Block, Offer, Text

_LOOK = timedelta(seconds=10)
"""Time between two looks at the clock while quiet hours hold something back."""


@dataclass(frozen=True, slots=True)
class _News:
    blocks: tuple[Block, ...]
    urgent: bool
    offers: tuple[Offer, ...] = ()
    to: Address | None = None


class Bulletin:
    """The part ``bulletin``: takes news at any time and posts them when the mailbox can take them.

    Quiet hours hold back what is not urgent. News that could not be posted before the daemon stopped are in
    the log and in ``mosaic status`` only.
    """

    name = "bulletin"

    def __init__(
        self,
        mailbox: Mailbox,
        primary: Callable[[], Address],
        quiet: QuietHours = QuietHours(),  # noqa: B008 - a value, and it never changes
        *,
        look: timedelta = _LOOK,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._mailbox = mailbox
        self._primary = primary
        self._quiet = quiet
        self._look = look
        self._now = now
        self._news: list[_News] = []
        self._arrived = asyncio.Event()

    def put(
        self,
        text: str,
        *more: Block,
        urgent: bool = False,
        offers: tuple[Offer, ...] = (),
        to: Address | None = None,
    ) -> None:
        """Add a piece of news, with what may be chosen on it; the same words are said once a day.

        It is said in the primary place unless another one is named.
        """
        self._news.append(_News((Text(text), *more), urgent, offers, to))
        self._arrived.set()

    async def run(self, ready: Callable[[str], None]) -> None:
        """Post news until cancelled; TransientError when the database is away, and nothing is dropped."""
        ready("telling the operators")
        while True:
            while (news := self._sayable()) is not None:
                await self._mailbox.post([self._message(news)])
                self._news.remove(news)
            self._arrived.clear()
            await self._wait()

    async def _wait(self) -> None:
        """Wait for news; while some are held back, no longer than until the next look at the clock."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._look.total_seconds() if self._news else None):
                await self._arrived.wait()

    def _sayable(self) -> _News | None:
        quiet = self._quiet.hold(self._now())
        return next((news for news in self._news if news.urgent or not quiet), None)

    def _message(self, news: _News) -> Message:
        to, day = news.to or self._primary(), self._now().date().isoformat()
        said = "".join(block.text for block in news.blocks if isinstance(block, Text))
        return Message(
            id=derived_id("bulletin", day, to.lane, said),
            to=to,
            kind=MessageKind.NOTICE,
            blocks=news.blocks,
            offers=news.offers,
        )
